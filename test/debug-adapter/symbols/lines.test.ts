import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { openSymbols } from '../../../debug-adapter/symbols/index';
import { build, bytesOf, hasGcc, run } from './support/toolchain';

interface Row {
  file: string;
  line: number;
  address: bigint;
  statement: boolean;
  end: boolean;
}

/** Rows as readelf prints them: `name line 0xaddress [view] [x] [END]`. */
const readelfRows = (path: string): Row[] => {
  const rows: Row[] = [];
  for (const text of run('readelf', '-W', '--debug-dump=decodedline', path).split('\n')) {
    const match = /^(\S+)\s+(\d+|-)\s+(0x[\da-f]+|0)(?:\[\d+\])?(?:\s+\d+)?(?:\s+(x))?(?:\s+(END))?\s*$/.exec(text);
    if (!match) continue;
    const [, file, line, address, statement, end] = match;
    rows.push({
      file: file!,
      line: Number(line) || 0,
      address: BigInt(address!),
      statement: statement === 'x',
      end: end === 'END' || line === '-',
    });
  }
  return rows;
};

// prettier-ignore
const FLAGS = [
  ['-gdwarf-2', '-gstrict-dwarf', '-O0'], ['-gdwarf-3', '-O1'], ['-gdwarf-4', '-O0'], ['-gdwarf-4', '-O2'], ['-gdwarf-5', '-O0'], ['-gdwarf-5', '-O2'],
  ['-gdwarf-5', '-O2', '-m32'], ['-gdwarf-4', '-O0', '-m32'], ['-gdwarf-5', '-O2', '-ffunction-sections', '-Wl,--gc-sections'],
  ['-gdwarf-5', '-gdwarf64', '-O2'], ['-gdwarf-5', '-O1', '-gz'], ['-gdwarf-4', '-O1', '-gz=zlib-gnu'], ['-gdwarf-5', '-gno-as-loc-support', '-O2'], ['-gdwarf-5', '-O2', '-flto'],
] as const;

describe('symbols: lines', function () {
  this.timeout(60_000);
  for (const flags of FLAGS)
    it(`every address has readelf's line: ${flags.join(' ')}`, async function () {
      if (!hasGcc) return this.skip();
      const path = build(flags);
      const symbols = await openSymbols(path, bytesOf(path));
      const rows = readelfRows(path).filter((r) => r.address >= symbols.range.start && r.address !== 0n);
      assert.ok(rows.length > 20, `readelf printed ${rows.length} rows`);
      const starts = new Map<bigint, Row[]>();
      for (const row of rows) starts.set(row.address, [...(starts.get(row.address) ?? []), row]);
      let compared = 0;
      for (const [address, list] of starts) {
        const open = list.filter((r) => !r.end);
        const wanted = open.at(-1);
        if (!wanted) continue;
        const statement = wanted.statement ? wanted : (open.filter((r) => r.statement).at(-1) ?? wanted);
        const found = symbols.lineAt(address);
        assert.equal(
          `${found?.path.split('/').at(-1)}:${found?.line ?? 0}`,
          statement.line === 0 ? 'undefined:0' : `${statement.file.split('/').at(-1)}:${statement.line}`,
          `at 0x${address.toString(16)}`,
        );
        assert.equal(found?.isStatement ?? statement.statement, statement.statement);
        compared++;
      }
      assert.ok(compared > 15);
      assert.deepEqual(symbols.warnings, []);
    });

  // Reserved by assembly as data, and filled with code by the hypervisor.
  for (const [symbol, offset, line] of [
    ['start', 6n, 27],
    ['hypercall_page', 0n, undefined],
    ['hypercall_page', 0x340n, undefined],
    ['hypercall_page', 0xfffn, undefined],
  ] as const)
    it(`${symbol}+0x${offset.toString(16)} of a kernel for Xen has ${line === undefined ? 'no line' : `line ${line}`}`, async () => {
      const symbols = await openSymbols('paravirtual.elf', readFileSync('guests/porting/paravirtual.elf'));
      assert.equal(symbols.lineAt(symbols.symbol(symbol)! + offset)?.line, line);
    });

  it('a line without code is the next one that has some', async function () {
    if (!hasGcc) return this.skip();
    const path = build(['-gdwarf-5', '-O0']);
    const symbols = await openSymbols(path, bytesOf(path));
    const source = symbols.sources().find((s) => s.endsWith('/calls.c'))!;
    const brace = symbols.linesOf(source, 1, 100);
    assert.ok(brace.length > 15);
    const found = symbols.addressesOf(source, 1);
    assert.equal(found.line, brace[0]);
    assert.deepEqual(symbols.addressesOf(source, 1000), { line: 1000, addresses: [] });
    // A loop's head has code in two places; a breakpoint has one.
    const loop = brace.find(
      (l) =>
        symbols.addressesOf(source, l).addresses.some((a) => symbols.functionAt(a)?.name === 'outer_function') &&
        l > 37,
    )!;
    assert.equal(symbols.addressesOf(source, loop).addresses.length, 1);
  });

  it('a breakpoint in an inlined function has each copy and the function itself', async function () {
    if (!hasGcc) return this.skip();
    const path = build(['-gdwarf-5', '-O1']);
    const symbols = await openSymbols(path, bytesOf(path));
    const header = symbols.sources().find((s) => s.endsWith('/shapes.h'))!;
    const { line, addresses } = symbols.addressesOf(header, 10);
    const inlined = addresses.filter((a) => symbols.framesAt(a)[0]!.inlined);
    assert.ok(inlined.length >= 1, `line ${line}`);
    for (const address of inlined) {
      const [inner, outer] = symbols.framesAt(address);
      assert.equal(`${inner!.function} in ${outer!.function}`, 'squared in outer_function');
      assert.match(outer!.at!.path, /calls\.c$/);
    }
  });

  for (const flags of [
    ['-gdwarf-4', '-O0'],
    ['-gdwarf-5', '-O0', '-m32'],
  ])
    it(`a function's breakpoint is where gdb puts it: ${flags.join(' ')}`, async function () {
      if (!hasGcc) return this.skip();
      const path = build(flags);
      const symbols = await openSymbols(path, bytesOf(path));
      for (const name of ['add', 'outer_function', 'node_of', 'main', 'use_node']) {
        const says = /at (0x[\da-f]+)/.exec(run('gdb', '-nx', '-batch', '-ex', `break ${name}`, path))![1]!;
        assert.equal(symbols.afterPrologue(symbols.functionsNamed(name)[0]!.start), BigInt(says), name);
      }
    });
});
