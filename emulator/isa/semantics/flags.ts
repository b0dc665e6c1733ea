/**
 * RFLAGS: POPF, PUSHF, CLI and STI, which IOPL and the mode decide on (plain, and emitted for what is common); CLC, STC, CMC,
 * CLD, STD, LAHF, SAHF (emitted).
 */
import { GuestFault } from '../../cpu/ports';
import type { Processor } from '../../cpu/ports';
import type { Emitter } from '../../execution/builder';
import { i32 } from '../../execution/wasm';
import { GPR, RFLAGS, VECTOR } from '../../x86/registers';
import type { Instruction, SystemMeaning } from '../instruction';

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
  e.setZeroSignParity(bit(6), bit(7), bit(2));
}

// --- Flags that IOPL guards (SDM vol. 2 CLI table 3-7, PUSHF, POPF; neither VME nor PVI here)

const bytesOf = ({ operandSize }: Instruction): 2 | 4 | 8 => (operandSize / 8) as 2 | 4 | 8;
const gp = (): GuestFault => new GuestFault(VECTOR.GP, 0);
const iopl = (cpu: Processor): number => (cpu.state.systemFlags & RFLAGS.IOPL) >> 12;
/** In virtual-8086 mode CPL is 3, so the same comparison serves it. */
const checkIopl = (cpu: Processor): void => {
  if (cpu.state.cpl > iopl(cpu)) throw gp();
};
export const cli: SystemMeaning = (cpu) => {
  checkIopl(cpu);
  cpu.state.systemFlags &= ~RFLAGS.IF;
};
export const sti: SystemMeaning = (cpu) => {
  checkIopl(cpu);
  const { state } = cpu;
  if (state.systemFlags & RFLAGS.IF) return;
  state.systemFlags |= RFLAGS.IF;
  cpu.inhibitInterrupts('sti');
};
/** At level 0, whatever IOPL says. */
export function cliEmitted(e: Emitter): void {
  e.if(e.cpl(), () => e.plain());
  e.setSystemFlags(e.systemFlags().and(~RFLAGS.IF));
}
export const pushf: SystemMeaning = (cpu, insn) => {
  if (cpu.virtual8086) checkIopl(cpu);
  cpu.push(BigInt((cpu.state.rflags & ~(RFLAGS.VM | RFLAGS.RF)) >>> 0), bytesOf(insn));
};

/** Outside virtual-8086 mode. */
export function pushfEmitted(e: Emitter): void {
  const system = e.let(e.systemFlags());
  // In 64-bit mode, whose stack no other has, VM is never set.
  if (e.form.stackSize !== 64) e.if(system.and(RFLAGS.VM), () => e.plain());
  const flag = (code: number, bit: number) => e.condition(code).shl(bit);
  const arithmetic = flag(0, 11).or(flag(8, 7)).or(flag(4, 6)).or(e.adjust().shl(4)).or(flag(10, 2)).or(flag(2, 0));
  const image = arithmetic.or(system.and(~(RFLAGS.VM | RFLAGS.RF))).or(RFLAGS.FIXED);
  e.push(e.truncate(e.let(image)));
}

const POPF_ALWAYS =
  RFLAGS.CF | RFLAGS.PF | RFLAGS.AF | RFLAGS.ZF | RFLAGS.SF | RFLAGS.TF | RFLAGS.DF | RFLAGS.OF | RFLAGS.NT;
/** What the level does not allow to change stays as it is, silently: the lecture's second problem. */
export const popf: SystemMeaning = (cpu, insn) => {
  if (cpu.virtual8086) checkIopl(cpu);
  const { state } = cpu;
  const image = Number(cpu.pop(bytesOf(insn)) & 0xffff_ffffn);
  let mask = POPF_ALWAYS;
  if (insn.operandSize !== 16) mask |= RFLAGS.AC | RFLAGS.ID;
  if (state.cpl <= iopl(cpu)) mask |= RFLAGS.IF;
  if (state.cpl === 0) mask |= RFLAGS.IOPL;
  const old = state.rflags & (insn.operandSize === 16 ? ~0 : ~RFLAGS.RF);
  state.rflags = (old & ~mask) | (image & mask);
  cpu.modeChanged();
};
