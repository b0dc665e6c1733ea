/** The bytes that say where memory is: ModRM, SIB and displacement (SDM vol. 2A section 2.1.5). */
import type { CodeSize, MemoryAddress } from './instruction';
import { InstructionBytes } from './instruction-bytes';
import { SEG } from '../x86/registers';

/** ModRM.rm in 16-bit addressing: base and index (SDM table 2-1). */
const PAIRS16: readonly [number, number][] = [[3, 6], [3, 7], [5, 6], [5, 7], [6, -1], [7, -1], [5, -1], [3, -1]]; // prettier-ignore

export abstract class AddressBytes extends InstructionBytes {
  protected modrm = 0;
  protected addressSize: CodeSize = 32;

  protected addressSizeOf(): CodeSize {
    if (this.codeSize === 64) return this.adsize ? 32 : 64;
    return (this.codeSize === 16) !== this.adsize ? 16 : 32;
  }
  protected segmentOf(base: number): number {
    if (this.override >= 0) return this.override;
    return base === 4 || base === 5 ? SEG.SS : SEG.DS;
  }
  /** The memory form of ModRM: SIB and displacement follow. */
  protected address(vectorIndex = false): MemoryAddress {
    const mod = this.modrm >> 6;
    const rm = this.modrm & 7;
    if (this.addressSize === 16) return this.address16(mod, rm);
    let [base, index, scale, displacement, ripRelative] = [rm | ((this.rex & 1) << 3), -1, 0, 0, false];
    let segmentBase = rm;
    if (rm === 4) {
      const sib = this.u8();
      scale = sib >> 6;
      index = ((sib >> 3) & 7) | ((this.rex & 2) << 2);
      if (index === 4 && !vectorIndex) [index, scale] = [-1, 0];
      segmentBase = sib & 7;
      base = segmentBase | ((this.rex & 1) << 3);
      if (segmentBase === 5 && mod === 0) [base, segmentBase, displacement] = [-1, -1, this.s32()];
    } else if (rm === 5 && mod === 0) {
      [base, segmentBase, displacement] = [-1, -1, this.s32()];
      ripRelative = this.codeSize === 64;
    }
    if (this.rex & 1 && base >= 8) segmentBase = -1;
    if (mod === 1) displacement = this.s8();
    else if (mod === 2) displacement = this.s32();
    return {
      base, index, scale: scale as 0 | 1 | 2 | 3, displacement: BigInt(displacement), segment: this.segmentOf(segmentBase),
      size: this.addressSize, ripRelative,
    }; // prettier-ignore
  }
  private address16(mod: number, rm: number): MemoryAddress {
    let [base, index] = PAIRS16[rm];
    let displacement = 0;
    if (mod === 0 && rm === 6) [base, index, displacement] = [-1, -1, this.u16()];
    else if (mod === 1) displacement = this.s8();
    else if (mod === 2) displacement = (this.u16() << 16) >> 16;
    return { base, index, scale: 0, displacement: BigInt(displacement), segment: this.segmentOf(base), size: 16, ripRelative: false }; // prettier-ignore
  }
}
