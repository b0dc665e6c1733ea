/** A frame that a guest and the hypervisor share. The guest may write between two reads: what was checked is not read again. */
import type { MachineFrames } from './ports';

export class Page {
  constructor(
    private readonly memory: MachineFrames,
    readonly mfn: number,
  ) {}

  bytes(at: number, length: number): Uint8Array {
    return this.memory.readBytes(this.mfn, at, length);
  }
  setBytes(at: number, data: Uint8Array): void {
    this.memory.writeBytes(this.mfn, at, data);
  }
  u8(at: number): number {
    return this.memory.read(this.mfn, at, 1);
  }
  setU8(at: number, value: number): void {
    this.memory.write(this.mfn, at, 1, value);
  }
  u16(at: number): number {
    return this.memory.read(this.mfn, at, 2);
  }
  setU16(at: number, value: number): void {
    this.memory.write(this.mfn, at, 2, value);
  }
  u32(at: number): number {
    return this.memory.read(this.mfn, at, 4);
  }
  setU32(at: number, value: number): void {
    this.memory.write(this.mfn, at, 4, value);
  }
  u64(at: number): bigint {
    return this.memory.read64(this.mfn, at);
  }
  setU64(at: number, value: bigint): void {
    this.memory.write64(this.mfn, at, value);
  }

  /** Bit `bit` of the bit field that starts at byte `at`, counted as x86 counts them. */
  bit(at: number, bit: number): boolean {
    return ((this.u8(at + (bit >>> 3)) >> (bit & 7)) & 1) === 1;
  }
  /** What it was. */
  setBit(at: number, bit: number, value: boolean): boolean {
    const byte = at + (bit >>> 3);
    const old = this.u8(byte);
    const mask = 1 << (bit & 7);
    const was = (old & mask) !== 0;
    if (was !== value) this.setU8(byte, old ^ mask);
    return was;
  }
}
