/** Damaged images either load, wholly within RAM and without overlaps, or are refused with a message; at once. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { UserError } from '../../../../emulator/util/assert';
import { loadChecked } from './check';
import {
  MIB,
  bootSector,
  bzImage,
  elf,
  environment,
  kernelWith,
  multiboot1Header,
  multiboot2Header,
  pvhNote,
} from './images';

const code = Uint8Array.of(0x90, 0xf4);
const seeds: Uint8Array[] = [
  kernelWith(multiboot1Header(3)),
  Buffer.concat([multiboot1Header(0x1_0000, [MIB, MIB, MIB + 64, MIB + 0x100, MIB + 40]), Buffer.alloc(64)]),
  kernelWith(multiboot2Header([{ type: 1, words: [1, 3, 4, 6, 15] }, { type: 3, words: [MIB] }])),
  elf({ wide: true, entry: 0n, segments: [{ gpa: MIB, bytes: code }, { gpa: 0, type: 4, bytes: pvhNote(MIB) }] }),
  elf({ wide: true, entry: 0xffff_ffff_8000_0000n, segments: [{ gpa: MIB, gva: 0xffff_ffff_8000_0000n, bytes: code }] }),
  elf({ entry: BigInt(MIB), segments: [{ gpa: MIB, bytes: code }, { gpa: 2 * MIB, bytes: code }] }),
  bzImage({ xloadflags: 1, relocatable: true }),
  bzImage({ loadflags: 0, kernelBytes: 0x1000, initSize: 0x1000 }),
  bootSector(),
]; // prettier-ignore

/** Headers are where damage matters: most patches go to the first KiB, with values that headers lie with. */
const interesting = fc.oneof(
  fc.constantFrom(0, 1, 0x7f, 0xff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0xa0000, MIB, 0xfffff, 64 * MIB),
  fc.nat(0xffff_ffff),
);
const patch = fc.record({ at: fc.oneof(fc.nat(0x120), fc.integer({ min: 0x1f0, max: 0x270 }), fc.nat(0x3000)), value: interesting, bytes: fc.constantFrom(1, 2, 4) }); // prettier-ignore
const damaged = fc.record({
  seed: fc.nat(seeds.length - 1),
  patches: fc.array(patch, { maxLength: 4 }),
  cut: fc.option(fc.nat(0x3000), { freq: 4 }),
});

describe('loaders: damaged images', () => {
  it('20,000 of them load within memory or give a message', () => {
    const env = environment(16);
    const file = { name: 'f', bytes: new Uint8Array(5000) };
    let loaded = 0;
    let refused = 0;
    fc.assert(
      fc.property(damaged, fc.boolean(), ({ seed, patches, cut }, extras) => {
        const kernel = Uint8Array.from(seeds[seed]!.subarray(0, cut ?? undefined));
        const view = new DataView(kernel.buffer);
        for (const { at, value, bytes } of patches)
          for (let i = 0; i < bytes && at + i < kernel.length; i++) view.setUint8(at + i, (value >>> (8 * i)) & 0xff);
        const start = performance.now();
        try {
          loadChecked({ name: 'f', kernel, ...(extras ? { initrd: file, append: 'x' } : {}) }, env);
          loaded++;
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          refused++;
        }
        assert.ok(performance.now() - start < 500, 'at once');
      }),
      { numRuns: 20_000 },
    );
    assert.ok(loaded > 1000 && refused > 1000, `both happen: ${loaded} loaded, ${refused} refused`);
  }).timeout(60_000);
});
