/** Truncated and bit-flipped files: a UserError, or a file with warnings; never a crash, never a hang. */
import assert from 'node:assert/strict';
import { readElf, UserError } from '../../../emulator/index';
import type { SymbolFile, Target } from '../../../debug-adapter/symbols/api';
import { openSymbols } from '../../../debug-adapter/symbols/index';
import { build, bytesOf, hasGcc, run } from './support/toolchain';

const random = (seed: number) => (): number => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 2 ** 32;
};
const target: Target = {
  register: (n) => BigInt(n * 4096),
  memory: (_, n) => new Uint8Array(Math.min(n, 64)),
  cfa: () => 0x1000n,
};

/** Asks everything that can be asked, at some addresses. */
const exercise = (symbols: SymbolFile, addresses: bigint[]): void => {
  for (const a of addresses) {
    symbols.lineAt(a);
    symbols.functionAt(a);
    symbols.afterPrologue(a);
    symbols.symbolAt(a);
    symbols.unwind(a, target);
    symbols.framesAt(a).forEach((_, depth) => {
      for (const v of symbols.variablesAt(a, depth)) {
        v.locate(target, a);
        if (v.type.kind === 'struct') v.type.members();
        assert.equal(typeof v.type.name, 'string');
      }
    });
  }
  for (const v of symbols.globals(undefined, 50)) assert.equal(typeof v.locate(target, 0n).kind, 'string');
  for (const name of ['struct outer', 'enum colour', 'callback', 'u32', 'struct bits']) {
    const type = symbols.typeNamed(name);
    assert.equal(typeof (type?.name ?? ''), 'string');
    if (type?.kind === 'struct') for (const m of type.members()) assert.equal(typeof m.type.name, 'string');
    if (type?.kind === 'enum') type.values();
  }
  symbols.functionsNamed('add');
  for (const s of symbols.sources().slice(0, 3)) symbols.addressesOf(s, 10);
  symbols.complete('o', 10);
};

const attempt = async (bytes: Uint8Array, addresses: bigint[], what: string): Promise<'read' | 'refused'> => {
  const started = performance.now();
  try {
    exercise(await openSymbols('damaged', bytes), addresses);
    return 'read';
  } catch (error) {
    assert.ok(error instanceof UserError, `${what}: ${(error as Error).stack}`);
    assert.match(error.message, /^damaged: .*\.$/);
    return 'refused';
  } finally {
    assert.ok(performance.now() - started < 5000, `${what} took ${performance.now() - started} ms`);
  }
};

describe('symbols: damaged files', function () {
  this.timeout(120_000);
  for (const flags of [
    ['-gdwarf-5', '-O2'],
    ['-gdwarf-4', '-O1', '-fdebug-types-section', '-m32'],
    ['-gdwarf-5', '-O1', '-gz'],
  ]) {
    it(`survive: ${flags.join(' ')}`, async function () {
      if (!hasGcc) return this.skip();
      const path = build(flags);
      const bytes = bytesOf(path);
      const elf = readElf(path, bytes);
      const addresses = [...elf.symbols()].filter((s) => s.size > 0n).map((s) => s.value + 3n);
      const seed = 20261122;
      const next = random(seed);
      const debug = elf.sections.filter((s) => /debug|eh_frame|symtab|strtab/.test(s.name));
      const counts = { read: 0, refused: 0 };
      for (let i = 0; i < 250; i++) {
        const copy = bytes.slice();
        const section = debug[Math.floor(next() * debug.length)]!;
        for (let n = 1 + Math.floor(next() * 8); n > 0; n--)
          copy[section.offset + Math.floor(next() * section.size)] = Math.floor(next() * 256);
        counts[await attempt(copy, addresses, `seed ${seed}, case ${i}, ${section.name}`)]++;
      }
      for (let i = 0; i < 30; i++)
        counts[await attempt(bytes.slice(0, Math.floor(next() * bytes.length)), addresses, `cut ${i}`)]++;
      assert.ok(counts.read > 150 && counts.refused > 5, JSON.stringify(counts));
    });
  }

  it('split DWARF, relocatable and stripped files say what is lacking', async function () {
    if (!hasGcc) return this.skip();
    const split = build(['-gdwarf-5', '-gsplit-dwarf', '-O1']);
    const symbols = await openSymbols('split', bytesOf(split));
    assert.match(
      symbols.warnings.join('\n'),
      /split: .*calls.*\.dwo \(split DWARF\), which is not read: build without -gsplit-dwarf\./,
    );
    const main = symbols.functionsNamed('main')[0]!;
    assert.equal(main.source, 'elf');
    assert.match(symbols.lineAt(main.start)!.path, /calls\.c$/);
    const object = build(['-c', '-gdwarf-5'], ['shapes.c']);
    assert.match((await openSymbols('object', bytesOf(object))).warnings.join(), /relocatable object/);
    const stripped = `${split}.stripped`;
    run('objcopy', '--strip-debug', split, stripped);
    const bare = await openSymbols('stripped', bytesOf(stripped));
    assert.equal(bare.hasDwarf, false);
    const inside = bare.functionAt(bare.symbol('add')! + 2n)!;
    assert.deepEqual(
      [inside.name, inside.source, bare.symbolAt(inside.start + 2n)],
      ['add', 'elf', { name: 'add', offset: 2n }],
    );
    assert.deepEqual(bare.complete('outer_f', 5), ['outer_function']);
    assert.equal(bare.framesAt(inside.start)[0]!.function, 'add');
  });
});
