/** Near branches: Jcc, JMP, CALL, RET, LOOP, JCXZ. Far ones need the processor: semantics/far.ts. */
import type { Emitter } from '../../execution/builder';
import * as layout from '../../execution/layout';
import { i32 } from '../../execution/wasm';
import type { Value } from '../../execution/wasm';
import { GPR, SEG, VECTOR } from '../../x86/registers';

const CS_LIMIT = layout.SEGMENTS + SEG.CS * layout.SEGMENT_SIZE + layout.SEGMENT.LIMIT;

/** Branches have a stack's addressing, which is the mode's: where that is flat no target lies outside CS. */
const isLimited = (e: Emitter): boolean => e.form.stackAddressing === 'general';
const isOutside = (e: Emitter, target: Value): Value => target.wrap().gtU(e.state32(CS_LIMIT));
/** A target outside CS faults at the branch, before anything changed (SDM vol. 2, Jcc, JMP, CALL, RET, LOOP). */
function checkTarget(e: Emitter, taken?: Value): void {
  if (!isLimited(e)) return;
  const outside = isOutside(e, e.target());
  e.raiseIf(taken ? outside.and(taken) : outside, VECTOR.GP, 0);
}

const branchIf = (e: Emitter, condition: Value): void => {
  e.if(condition, () => {
    checkTarget(e);
    e.jump();
  });
  e.fallThrough();
};

export const jcc = (code: number) => (e: Emitter): void => branchIf(e, e.condition(code)); // prettier-ignore

export function jmp(e: Emitter): void {
  checkTarget(e);
  e.jump();
}
/** So does one that is not canonical. */
const reachable = (e: Emitter, target: Value): Value => {
  if (e.size === 64) e.raiseIf(target.shl(16).shrS(16).ne(target), VECTOR.GP, 0);
  else if (isLimited(e)) e.raiseIf(isOutside(e, target), VECTOR.GP, 0);
  return target;
};
export function jmpIndirect(e: Emitter): void {
  e.jumpIndirect(reachable(e, e.let(e.wide(e.read(0)))));
}

export function call(e: Emitter): void {
  checkTarget(e);
  e.push(e.truncate(e.nextRip()));
  e.jump();
}
export function callIndirect(e: Emitter): void {
  const target = reachable(e, e.let(e.wide(e.read(0))));
  e.push(e.truncate(e.nextRip()));
  e.jumpIndirect(target);
}

/** With an operand, that many bytes of arguments go too. */
export function ret(e: Emitter): void {
  const target = reachable(e, e.let(e.wide(e.top())));
  const arguments_ = e.form.operands.length ? e.read(0) : i32(0);
  const sp = e.let(e.truncate(e.stackPointer.add(e.size / 8), e.form.stackSize));
  const popped = e.form.stackSize === 64 ? arguments_.extendU() : arguments_;
  e.setStackPointer(e.truncate(sp.add(popped), e.form.stackSize));
  e.jumpIndirect(target);
}

/** Counts in CX, ECX or RCX by the address size. */
export const loop = (until: 'none' | 'equal' | 'not equal') => (e: Emitter): void => {
  const size = e.form.addressSize;
  const count = e.let(e.truncate(e.gpr(GPR.RCX, size).sub(1), size));
  const more = count.eqz().eqz();
  const taken = e.let(until === 'none' ? more : more.and(e.condition(until === 'equal' ? 4 : 5)));
  // The count stays where the branch faults.
  checkTarget(e, taken);
  e.setGpr(GPR.RCX, size, count);
  e.if(taken, () => e.jump());
  e.fallThrough();
}; // prettier-ignore

export function jcxz(e: Emitter): void {
  branchIf(e, e.gpr(GPR.RCX, e.form.addressSize).eqz());
}
