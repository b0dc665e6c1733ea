/** kallsyms found in memory: in every order that kernels have had, and not in what a hostile guest puts there. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { findKallsyms, type KernelSymbols } from '../../../debug-adapter/symbols/kallsyms';
import { toGva } from '../../../debug-adapter/symbols/reader';
import { Slices } from '../../../debug-adapter/symbols/slices';
import { kallsymsImage, type KallsymsOptions, type KnownSymbol } from './kallsyms-image';

const START = { 8: 0xffff_ffff_9a60_0000n, 4: 0xc160_0000n } as const;

/** Per-CPU offsets first where there are any, then code around the tables. */
function symbolsFor({ pointerBytes, layout }: KallsymsOptions, count: number): KnownSymbol[] {
  const perCpu = layout === 'per-cpu' ? 7 : 0;
  return Array.from({ length: count }, (_, n) => {
    if (n < perCpu) return { name: `cpu_variable_${n}`, type: 'A', gva: BigInt(n * 64) };
    const name = n === perCpu ? '_text' : n === 40 ? `long_${'name_'.repeat(40)}` : `sys_init_task_proc_${n}`;
    return { name, type: n % 3 === 0 ? 'T' : 't', gva: START[pointerBytes] + BigInt(n * 16) };
  });
}

async function search(image: Uint8Array, pointerBytes: 4 | 8): Promise<KernelSymbols | undefined> {
  const start = START[pointerBytes];
  const region = { start, end: start + BigInt(image.length) };
  const slices = new Slices();
  try {
    const read = (gva: bigint, bytes: number): Uint8Array =>
      image.slice(Number(gva - start), Number(gva - start) + bytes);
    return await findKallsyms(read, [region], pointerBytes, slices);
  } finally {
    slices.close();
  }
}

const rows: [name: string, count: number, options: KallsymsOptions][] = [
  ['6.1, 64 bits', 1500, { pointerBytes: 8, layout: 'per-cpu', markerBytes: 4 }],
  ['6.2, with sequence numbers before the names', 1500, { pointerBytes: 8, layout: 'sequence', markerBytes: 4 }],
  ['6.4 and later, addresses behind the tokens', 1500, { pointerBytes: 8, layout: 'behind', markerBytes: 4 }],
  ['7.2, 32 bits for all', 1500, { pointerBytes: 8, layout: 'narrow', markerBytes: 4 }],
  ['4.x, markers of 8 bytes', 1500, { pointerBytes: 8, layout: 'per-cpu', markerBytes: 8 }],
  ['without relative addresses', 1500, { pointerBytes: 8, layout: 'pointers', markerBytes: 4 }],
  ['relative to their own places', 1500, { pointerBytes: 8, layout: 'places', markerBytes: 4 }],
  ['32 bits', 1500, { pointerBytes: 4, layout: 'offsets', markerBytes: 4 }],
  ['32 bits, pointers', 1500, { pointerBytes: 4, layout: 'pointers', markerBytes: 4 }],
  ['a kernel of exactly one block', 256, { pointerBytes: 8, layout: 'offsets', markerBytes: 4 }],
  ['fewer symbols than a block', 100, { pointerBytes: 8, layout: 'offsets', markerBytes: 4 }],
];

describe('kallsyms', () => {
  for (const [name, count, options] of rows)
    it(`finds every symbol: ${name}`, async () => {
      const symbols = symbolsFor(options, count);
      const found = await search(kallsymsImage(symbols, START[options.pointerBytes], options), options.pointerBytes);
      assert.ok(found, 'nothing was found');
      const shown = found.names.map((each, n) => ({ name: each, type: found.types[n]!, gva: toGva(found.addresses[n]!) }));
      assert.deepEqual(shown, symbols);
    }); // prettier-ignore

  it('is not found where a name is longer than the kernel allows', async () => {
    const options: KallsymsOptions = { pointerBytes: 8, layout: 'per-cpu', markerBytes: 4 };
    const named = (length: number): Promise<KernelSymbols | undefined> => {
      const symbols = symbolsFor(options, 1500);
      symbols[900]!.name = 'task_'.repeat(length / 5);
      return search(kallsymsImage(symbols, START[8], options), 8);
    };
    assert.equal((await named(500))?.names.length, 1500);
    assert.equal(await named(1000), undefined);
  });
  it('is not found where a table is damaged', async () => {
    const options: KallsymsOptions = { pointerBytes: 8, layout: 'per-cpu', markerBytes: 4 };
    const image = kallsymsImage(symbolsFor(options, 1500), START[8], options);
    const digits = Buffer.from(image).indexOf('0\u00001\u00002\u00003\u0000');
    image[digits - 1] = 0x41;
    assert.equal(await search(image, 8), undefined);
  });

  it('neither hangs nor throws for any memory', async () => {
    const options: KallsymsOptions = { pointerBytes: 8, layout: 'per-cpu', markerBytes: 4 };
    const whole = kallsymsImage(symbolsFor(options, 600), START[8], options);
    const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(damage, fc.nat(whole.length), async (places, length) => {
        const image = whole.slice(0, Math.max(length, 64));
        for (const [at, value] of places) if (at < image.length) image[at] = value;
        const found = await search(image, 8);
        assert.ok(found === undefined || found.names.length === found.addresses.length);
      }),
      { numRuns: 60 },
    );
  });

  it('gives up on memory that is full of digits', async () => {
    const image = new Uint8Array(1 << 20);
    for (let at = 0; at < image.length; at += 2) image[at] = 0x30 + ((at / 2) % 10);
    const before = performance.now();
    assert.equal(await search(image, 8), undefined);
    assert.ok(performance.now() - before < 20_000);
  });
});
