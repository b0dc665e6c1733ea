/** RFLAGS to the five words and back: every combination of the arithmetic flags survives. */
import assert from 'node:assert/strict';
import { CpuState } from '../../../emulator/cpu/state';
import { ARITHMETIC_FLAGS, RFLAGS, SEG } from '../../../emulator/x86/registers';

const state = new CpuState(new WebAssembly.Memory({ initial: 1 }));

describe('CpuState', () => {
  it('keeps every combination of flags', () => {
    const bits = [RFLAGS.CF, RFLAGS.PF, RFLAGS.AF, RFLAGS.ZF, RFLAGS.SF, RFLAGS.OF];
    for (let i = 0; i < 64; i++) {
      let flags: number = RFLAGS.FIXED | RFLAGS.IF;
      bits.forEach((bit, n) => (flags |= i & (1 << n) ? bit : 0));
      state.rflags = flags;
      assert.equal(state.rflags & (ARITHMETIC_FLAGS | RFLAGS.IF | RFLAGS.FIXED), flags, flags.toString(2));
    }
  });

  const ranges: [name: string, attributes: number, limit: number, read: [number, number] | null, write: [number, number] | null][] = [
    ['data, writable', 0x4093, 0xffff, [0, 0xffff], [0, 0xffff]],
    ['data, read-only', 0x4091, 0xffff, [0, 0xffff], null],
    ['data, expand-down, 32-bit', 0x4097, 0xfff, [0x1000, 0xffff_ffff], [0x1000, 0xffff_ffff]],
    ['data, expand-down, 16-bit', 0x0097, 0xfff, [0x1000, 0xffff], [0x1000, 0xffff]],
    ['data, expand-down with the largest limit', 0x4097, 0xffff_ffff, null, null],
    ['code, readable', 0x409b, 0xffff_ffff, [0, 0xffff_ffff], null],
    ['code, execute-only', 0x4099, 0xffff_ffff, null, null],
    ['not present', 0x4013, 0xffff, null, null],
    ['unusable', 0x1_4093, 0xffff, null, null],
  ]; // prettier-ignore
  for (const [name, attributes, limit, read, write] of ranges)
    it(`offsets of a segment: ${name}`, () => {
      state.setSegment(SEG.DS, { selector: 8, base: 0n, limit, attributes });
      const { view } = state;
      const at = 0x400 + 0x100 + SEG.DS * 64;
      const range = (low: number): [number, number] | null => {
        const pair: [number, number] = [view.getUint32(at + low, true), view.getUint32(at + low + 4, true)];
        return pair[0] > pair[1] ? null : pair;
      };
      assert.deepEqual([range(8), range(16)], [read, write]);
    });
});
