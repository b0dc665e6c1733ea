/** Memory operands of x87 and FXSAVE-like meanings: wider than eight bytes, probed before anything is written. */
import type { Processor } from '../../cpu/ports';
import type { Instruction } from '../instruction';

/** Offset of the memory operand in its segment. */
export function memoryOffset(cpu: Processor, instruction: Instruction): bigint {
  const m = instruction.memory!;
  const base = m.base < 0 ? 0n : cpu.state.gpr(m.base);
  const index = m.index < 0 ? 0n : cpu.state.gpr(m.index) << BigInt(m.scale);
  return BigInt.asUintN(m.size, base + index + m.displacement);
}

export function memoryLinear(
  cpu: Processor,
  instruction: Instruction,
  bytes: number,
  access: 'read' | 'write',
): bigint {
  return cpu.linear(instruction.memory!.segment, memoryOffset(cpu, instruction), bytes, access);
}

/** `bytes` is even. Little-endian; faults before anything was read. */
export function readBytes(cpu: Processor, gva: bigint, bytes: number): Uint8Array {
  const result = new Uint8Array(bytes);
  const view = new DataView(result.buffer);
  let at = 0;
  for (; at + 8 <= bytes; at += 8) view.setBigUint64(at, cpu.read(gva + BigInt(at), 8), true);
  for (; at < bytes; at += 2) view.setUint16(at, Number(cpu.read(gva + BigInt(at), 2)), true);
  return result;
}

/** `data.length` is even. All or nothing. */
export function writeBytes(cpu: Processor, gva: bigint, data: Uint8Array): void {
  cpu.probeWrite(gva, data.length);
  const view = new DataView(data.buffer, data.byteOffset);
  let at = 0;
  for (; at + 8 <= data.length; at += 8) cpu.write(gva + BigInt(at), 8, view.getBigUint64(at, true));
  for (; at < data.length; at += 2) cpu.write(gva + BigInt(at), 2, BigInt(view.getUint16(at, true)));
}

/** An unsigned integer of 2, 4, 8 or 10 bytes. */
export function readWide(cpu: Processor, gva: bigint, bytes: number): bigint {
  if (bytes === 10) return cpu.read(gva, 8) | (cpu.read(gva + 8n, 2) << 64n);
  return cpu.read(gva, bytes as 2 | 4 | 8);
}
export function writeWide(cpu: Processor, gva: bigint, bytes: number, value: bigint): void {
  if (bytes !== 10) return cpu.write(gva, bytes as 2 | 4 | 8, value);
  cpu.probeWrite(gva, 10);
  cpu.write(gva, 8, BigInt.asUintN(64, value));
  cpu.write(gva + 8n, 2, value >> 64n);
}
