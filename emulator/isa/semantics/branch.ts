/** Near branches: Jcc, JMP, CALL, RET, LOOP, JCXZ. Far ones need the processor: semantics/far.ts. */
import type { Emitter } from '../../execution/builder';
import { i32 } from '../../execution/wasm';
import type { Value } from '../../execution/wasm';
import { GPR, VECTOR } from '../../x86/registers';

const branchIf = (e: Emitter, condition: Value): void => {
  e.if(condition, () => e.jump());
  e.fallThrough();
};

export const jcc = (code: number) => (e: Emitter): void => branchIf(e, e.condition(code)); // prettier-ignore

export function jmp(e: Emitter): void {
  e.jump();
}
/** A target that is not canonical faults at the branch, before anything changed (SDM vol. 2, JMP, CALL, RET). */
const canonical = (e: Emitter, target: Value): Value => {
  if (e.size === 64) e.raiseIf(target.shl(16).shrS(16).ne(target), VECTOR.GP, 0);
  return target;
};
export function jmpIndirect(e: Emitter): void {
  e.jumpIndirect(canonical(e, e.let(e.wide(e.read(0)))));
}

export function call(e: Emitter): void {
  e.push(e.truncate(e.nextRip()));
  e.jump();
}
export function callIndirect(e: Emitter): void {
  const target = canonical(e, e.let(e.wide(e.read(0))));
  e.push(e.truncate(e.nextRip()));
  e.jumpIndirect(target);
}

/** With an operand, that many bytes of arguments go too. */
export function ret(e: Emitter): void {
  const target = canonical(e, e.let(e.wide(e.top())));
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
  const more = e.let(count.eqz().eqz());
  e.setGpr(GPR.RCX, size, count);
  branchIf(e, until === 'none' ? more : more.and(e.condition(until === 'equal' ? 4 : 5)));
}; // prettier-ignore

export function jcxz(e: Emitter): void {
  branchIf(e, e.gpr(GPR.RCX, e.form.addressSize).eqz());
}
