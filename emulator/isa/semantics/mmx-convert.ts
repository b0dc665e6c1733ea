/** Conversions between MMX registers and packed floats, and MASKMOVQ, MASKMOVDQU: plain meanings. */
import type { Processor } from '../../cpu/ports';
import { GuestFault } from '../../cpu/ports';
import * as layout from '../../execution/layout';
import * as float from '../../util/binary-float';
import { FORMAT32, FORMAT64 } from '../../util/softfloat';
import { CR0, GPR, SEG, VECTOR } from '../../x86/registers';
import type { Instruction, SystemMeaning } from '../instruction';
import { linearOperand, readGpr } from '../operands';
import { environment, settle } from './sse-float';
import { available as sseAvailable, readVector, writeVector } from './vector-operands';
import { Unit, reportPending } from './x87-unit';

/** As mmx.ts has it: #UD, #NM, #MF. */
function available(cpu: Processor): Unit {
  const cr0 = cpu.state.system32('cr0');
  if (cr0 & CR0.EM) throw new GuestFault(VECTOR.UD);
  if (cr0 & CR0.TS) throw new GuestFault(VECTOR.NM);
  const unit = new Unit(cpu);
  reportPending(unit, cr0);
  return unit;
}
function enter(unit: Unit): void {
  unit.top = 0;
  unit.tags = 0xff;
}
const registerAt = (insn: Instruction, index: number): number => layout.X87 + (insn.operands[index] as { index: number }).index * 16; // prettier-ignore

function read(cpu: Processor, insn: Instruction, index: number): bigint {
  if (insn.operands[index].kind === 'memory') return cpu.read(linearOperand(cpu, insn, 8, 'read'), 8);
  return cpu.state.view.getBigUint64(registerAt(insn, index), true);
}
function write(cpu: Processor, insn: Instruction, index: number, value: bigint): void {
  const at = registerAt(insn, index);
  cpu.state.view.setBigUint64(at, value, true);
  cpu.state.view.setUint16(at + 8, 0xffff, true);
}

/** CVTPI2PS and CVTPI2PD. From memory no MMX register is touched, and the x87 keeps its state. */
export const fromIntegers = (bits: 32 | 64): SystemMeaning => (cpu, insn) => {
  sseAvailable(cpu, insn);
  const unit = insn.operands[1].kind === 'mmx' ? available(cpu) : undefined;
  const source = read(cpu, insn, 1);
  const env = environment(cpu);
  const lane = (i: bigint): bigint => float.fromSigned(env, bits === 32 ? FORMAT32 : FORMAT64, BigInt.asIntN(32, source >> (i * 32n)));
  const value = lane(0n) | (lane(1n) << BigInt(bits));
  // The registers change hands even if an exception follows.
  if (unit) enter(unit);
  settle(cpu, env);
  writeVector(cpu, insn, value, bits * 2);
}; // prettier-ignore

/** CVTPS2PI and CVTPD2PI, CVTT... with `truncate`. */
export const toIntegers = (bits: 32 | 64, truncate: boolean): SystemMeaning => (cpu, insn) => {
  sseAvailable(cpu, insn);
  const unit = available(cpu);
  const source = readVector(cpu, insn, 1, bits === 32 ? 8 : 16);
  const env = environment(cpu);
  const format = bits === 32 ? FORMAT32 : FORMAT64;
  const lane = (i: bigint): bigint => float.toSigned(env, format, BigInt.asUintN(bits, source >> (i * BigInt(bits))), 32, truncate);
  const value = lane(0n) | (lane(1n) << 32n);
  enter(unit);
  settle(cpu, env);
  write(cpu, insn, 0, value);
}; // prettier-ignore

/** Bytes of the first operand whose mask byte is negative, to DS:rDI. */
function maskedStore(cpu: Processor, insn: Instruction, value: bigint, mask: bigint, bytes: 8 | 16): void {
  const segment = insn.segmentOverride >= 0 ? insn.segmentOverride : SEG.DS;
  const gva = cpu.linear(segment, readGpr(cpu.state, GPR.RDI, insn.addressSize), bytes, 'write');
  const byte = (from: bigint, i: number): bigint => (from >> BigInt(i * 8)) & 0xffn;
  const chosen = Array.from({ length: bytes }, (_, i) => i).filter((i) => byte(mask, i) & 0x80n);
  for (const i of chosen) cpu.probeWrite(gva + BigInt(i), 1);
  for (const i of chosen) cpu.write(gva + BigInt(i), 1, byte(value, i));
}
export const maskmovdqu: SystemMeaning = (cpu, insn) => {
  sseAvailable(cpu, insn);
  maskedStore(cpu, insn, readVector(cpu, insn, 0, 16), readVector(cpu, insn, 1, 16), 16);
};
export const maskmovq: SystemMeaning = (cpu, insn) => {
  const unit = available(cpu);
  maskedStore(cpu, insn, read(cpu, insn, 0), read(cpu, insn, 1), 8);
  enter(unit);
};
