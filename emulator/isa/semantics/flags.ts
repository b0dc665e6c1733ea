/**
 * Single flags: CLC, STC, CMC, CLD, STD, LAHF, SAHF. What IOPL or the mode decides (CLI, STI, PUSHF, POPF) needs the
 * processor: semantics/system.ts.
 */
import type { Emitter } from '../../execution/builder';
import { i32 } from '../../execution/wasm';
import { GPR, RFLAGS } from '../../x86/registers';
import * as layout from '../../execution/layout';

export function clc(e: Emitter): void {
  e.flags({ carry: i32(0) });
}
export function stc(e: Emitter): void {
  e.flags({ carry: i32(1) });
}
export function cmc(e: Emitter): void {
  e.flags({ carry: e.let(e.carry().xor(1)) });
}
export function cld(e: Emitter): void {
  e.setSystemFlags(e.systemFlags().and(~RFLAGS.DF));
}
export function std(e: Emitter): void {
  e.setSystemFlags(e.systemFlags().or(RFLAGS.DF));
}

/** AH = SF:ZF:0:AF:0:PF:1:CF. */
export function lahf(e: Emitter): void {
  const flag = (code: number, bit: number) => e.condition(code).shl(bit);
  const ah = flag(8, 7).or(flag(4, 6)).or(e.adjust().shl(4)).or(flag(10, 2)).or(2).or(flag(2, 0));
  e.setGpr(GPR.RAX, 16, e.gpr(GPR.RAX, 8).or(e.let(ah).shl(8)));
}

export function sahf(e: Emitter): void {
  const ah = e.let(e.gpr(GPR.RAX, 16).shrU(8));
  const bit = (n: number) => ah.shrU(n).and(1);
  e.flags({ carry: bit(0), adjust: bit(4) });
  // ZF, SF and PF in combinations that no result has: R says ZF, P corrects the rest (layout.ts).
  const r = e.let(bit(6).xor(1).extendU());
  const odd = bit(2).xor(1).extendU();
  e.f.store(64, i32(0), r, layout.FLAG_R);
  e.f.store(64, i32(0), e.let(bit(7).extendU().shl(63).or(r.xor(odd))), layout.FLAG_P);
}
