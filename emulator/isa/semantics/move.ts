/** MOV, LEA, XCHG, CMOV, extensions, MOVBE, XLAT. */
import type { Processor } from '../../cpu/ports';
import type { Emitter } from '../../execution/builder';
import { i32 } from '../../execution/wasm';
import type { Value } from '../../execution/wasm';
import { GPR } from '../../x86/registers';

export function mov(e: Emitter): void {
  e.write(0, e.read(1));
}

export function lea(e: Emitter): void {
  e.write(0, e.truncate(e.offset()));
}

export function movzx(e: Emitter): void {
  e.write(0, e.truncate(e.read(1)));
}

/** MOVSX and MOVSXD: from the source's size to the destination's. */
export function movsx(e: Emitter): void {
  const from = e.operandSize(1);
  e.write(0, e.truncate(e.size === 64 ? e.signed64(e.read(1), from) : e.signed(e.read(1), from)));
}

export function xchg(e: Emitter): void {
  const left = e.modify(0);
  const right = e.read(1);
  e.write(0, right);
  e.write(1, left);
}

/** Reads its source whatever the condition; a 32-bit destination loses its upper half whatever the condition. */
export const cmov = (code: number) => (e: Emitter): void => {
  const source = e.read(1);
  const old = e.read(0);
  const chosen = e.variable(source.type);
  e.f.set(chosen, old);
  e.if(e.condition(code), () => e.f.set(chosen, source));
  e.write(0, e.f.get(chosen));
}; // prettier-ignore

export const setcc = (code: number) => (e: Emitter): void => e.write(0, e.let(e.condition(code))); // prettier-ignore

/** CBW, CWDE, CDQE: the accumulator's lower half sign-extended over it. */
export function extendAccumulator(e: Emitter): void {
  const half = e.size === 64 ? 32 : e.size === 32 ? 16 : 8;
  const value = e.gpr(GPR.RAX, half);
  e.setGpr(GPR.RAX, e.size, e.truncate(e.size === 64 ? value.extendS() : e.signed(value, half)));
}

/** CWD, CDQ, CQO: the accumulator's sign over DX, EDX, RDX. */
export function signToData(e: Emitter): void {
  const value = e.signed(e.gpr(GPR.RAX, e.size));
  e.setGpr(GPR.RDX, e.size, e.truncate(value.shrS(e.size === 64 ? 63 : 31)));
}

const swapBytes = (e: Emitter, value: Value): Value => {
  if (e.size === 16) return value.shrU(8).or(value.shl(8)).and(0xffff);
  const swap32 = (v: Value): Value =>
    v
      .rotl(8)
      .and(0x00ff00ff)
      .or(v.rotr(8).and(0xff00ff00 | 0));
  if (e.size === 32) return swap32(value);
  const low = e.let(value.wrap());
  const high = e.let(value.shrU(32).wrap());
  return swap32(low).extendU().shl(32).or(swap32(high).extendU());
};
export function movbe(e: Emitter): void {
  e.write(0, swapBytes(e, e.read(1)));
}
export function bswap(e: Emitter): void {
  // With a 16-bit operand the result is undefined; processors give 0.
  e.write(0, e.size === 16 ? i32(0) : swapBytes(e, e.read(0)));
}

export function xlat(e: Emitter): void {
  const table = e.wide(e.gpr(GPR.RBX, e.form.addressSize));
  const at = e.let(e.truncateAddress(table.add(e.gpr(GPR.RAX, 8).extendU())));
  e.setGpr(GPR.RAX, 8, e.loadAt('memory', at, 8));
}

export function nop(): void {
  // Nothing: also for hints, prefetches and fences, which order nothing on a machine that executes in order.
}

/** A processor that waits for another one has nothing better to do with its turn. */
export function pause(e: Emitter): void {
  e.giveWay();
}
/** Where a hypervisor is asked first. */
export function pausePlain(cpu: Processor): void {
  cpu.pause();
}
