/** A process stopped by gdb, and saved: our frames, variables and expressions against gdb's. */
import assert from 'node:assert/strict';
import type { SymbolFile, Target } from '../../../debug-adapter/symbols/api';
import { openSymbols } from '../../../debug-adapter/symbols/index';
import { compile, type Scope } from '../../../debug-adapter/expressions/evaluate';
import { children, formatValue } from '../../../debug-adapter/expressions/format';
import { readCore } from './support/core';
import { build, bytesOf, hasGdb, inDirectory, run } from './support/toolchain';

interface Frame {
  pc: bigint;
  /** For look-ups: inside the call instruction. */
  lookup: bigint;
  target: Target;
}

/** All frames up to main. */
const unwindAll = (symbols: SymbolFile, core: Target & { pc: bigint }): Frame[] => {
  const frames: Frame[] = [];
  const link = (i: number): Pick<Target, 'caller'> => ({
    caller: () => (frames[i + 1] ? { pc: frames[i + 1]!.pc, target: frames[i + 1]!.target } : undefined),
  });
  let target: Target = { ...core, ...link(0) };
  let pc = core.pc;
  const ra = symbols.machine === 'i386' ? 8 : 16;
  for (let lookup = pc; symbols.functionAt(lookup) && frames.length < 20; lookup = pc - 1n) {
    frames.push({ pc, lookup, target });
    const up = symbols.unwind(lookup, target);
    if (!up || up.outermost) break;
    pc = up.registers.get(ra)!;
    target = { register: (n) => up.registers.get(n), memory: core.memory, ...link(frames.length) };
  }
  return frames;
};

const scopeOf = (symbols: SymbolFile, frame: Frame, depth: number): Scope => ({
  pointerBytes: symbols.machine === 'i386' ? 4 : 8,
  variable: (name) => symbols.variablesAt(frame.lookup, depth).find((v) => v.name === name) ?? symbols.global(name),
  target: () => frame.target,
  pc: () => frame.lookup,
  typeNamed: (name) => symbols.typeNamed(name),
  enumerator: (name) => symbols.enumerator(name),
  symbol: (name) => symbols.symbol(name),
  read: (_space, address, bytes) => frame.target.memory(address, bytes),
  dwarfRegister: (n) => frame.target.register(n),
});

const EXPRESSIONS = [
  'bits.low', 'bits.middle', 'bits.sign', 'bits.wide', 'bits.yes', 'packed.a', 'packed.b', 'packed.bits.middle', 'either.number', 'either.second',
  'outer.x', 'outer.y', 'outer.matrix[1][2]', 'outer.text[3]', 'sizeof(outer)', 'sizeof(struct node)', 'colour', 'flags', 'real', 'single', 'extended',
  'byte', 'tiny', 'large', 'truth', 'name[2]', 'hidden', '*pointer', 'pointer == &hidden', '&outer.matrix[1] - &outer.matrix[0]',
  'hidden / 7 % 5 - (3 << 2) * ~1', '-tiny', '(unsigned char)tiny', '(unsigned)-1 > 0', '-1 < 0u', '(long)byte << 40', 'tiny >> 2', '1 ? hidden : 0',
  'hidden && !truth || 0', '(short)70000', '(char)200', '0x7fffffff + 1', "'a' + 1", '3 / 2.0', 'real * 3', 'sizeof(int[4])', '*&hidden', '(&nodes[1])->value',
  'nodes[1].next == nodes + 2', '*(short *)&either', '(unsigned long)-1', 'sizeof(bits.low + 0)', 'LIMIT', 'BLUE', 'EXECUTE | READ', '((struct node *)&nodes[1])->value',
]; // prettier-ignore

/** gdb prints a character with its picture, an enumeration by name: `/d` makes numbers of integers. */
const askGdb = (path: string, core: string, commands: string[]): string[] => {
  const marked = commands.flatMap((c) => ['-ex', 'echo \\n@@', '-ex', c]);
  return run('gdb', '-nx', '-batch', '-ex', 'set print symbol off', ...marked, path, core).split('@@').slice(1).map((s) => s.trim()); // prettier-ignore
};

const numberOf = (text: string): string => text.replace(/^\$\d+ = /, '').replace(/^\(.*?\) /, '');
const same = (expression: string, ours: unknown, theirs: string): void => {
  const wanted = numberOf(theirs);
  const mine = typeof ours === 'bigint' || typeof ours === 'number' ? ours : `${String(ours)}`;
  if (typeof mine === 'number')
    assert.ok(Math.abs(mine - Number(wanted)) < 1e-6, `${expression}: ${mine}, gdb ${wanted}`);
  else assert.equal(`${mine}`, /^0x/.test(wanted) ? `${BigInt(wanted.split(' ')[0]!)}` : wanted, expression);
};

const FLAGS = [
  ['-gdwarf-5', '-O0'], ['-gdwarf-5', '-O2'], ['-gdwarf-4', '-O2'], ['-gdwarf-4', '-O0', '-m32'], ['-gdwarf-5', '-O2', '-m32'],
  ['-gdwarf-2', '-gstrict-dwarf', '-O1'], ['-gdwarf-4', '-O1', '-fdebug-types-section'], ['-gdwarf-5', '-gdwarf64', '-O1', '-fdebug-types-section'],
].map((flags) => [...flags, '-no-pie', '-fno-pic']); // prettier-ignore

describe('symbols: a stopped process', function () {
  this.timeout(120_000);
  for (const flags of FLAGS)
    it(`frames, variables and expressions as in gdb: ${flags.join(' ')}`, async function () {
      if (!hasGdb) return this.skip();
      const path = build(flags);
      const core = inDirectory(`core${flags.join('')}`);
      run('gdb', '-nx', '-batch', '-ex', 'break stop_here', '-ex', 'run', '-ex', `gcore ${core}`, path);
      const symbols = await openSymbols(path, bytesOf(path));
      const stopped = readCore(bytesOf(core), bytesOf(path), symbols.machine === 'i386');
      const frames = unwindAll(symbols, stopped);

      // Frames: functions, inlined ones and lines.
      const ours = frames.flatMap((f) =>
        symbols.framesAt(f.lookup).map((i) => `${i.function} ${i.at?.path.split('/').at(-1)}:${i.at?.line}`),
      );
      const [stack] = askGdb(path, core, ['bt']);
      const theirs = stack!
        .split(/\n(?=#)/)
        .map((l) => `${/(?:in )?(\w+) \(/.exec(l)![1]} ${/at .*?([\w.]+:\d+)/.exec(l.replace(/\n/g, ' '))![1]}`);
      assert.deepEqual(ours, theirs);
      assert.equal(frames.length >= 4, true);

      // Every variable of every frame.
      const places = frames.flatMap((frame) => symbols.framesAt(frame.lookup).map((_, depth) => ({ frame, depth })));
      const asked = places.flatMap(({ frame, depth }, n) => {
        const names = new Set(symbols.variablesAt(frame.lookup, depth).map((v) => v.name));
        return [...names].map((name) => ({ frame, depth, n, name }));
      });
      const answers = askGdb(path, core, asked.flatMap(({ n, name }) => [`frame ${n}`, `output ${name}`, `print/d ${name}`])); // prettier-ignore
      let located = 0;
      asked.forEach(({ frame, depth, name }, i) => {
        const [plain, number] = [answers[i * 3 + 1]!, answers[i * 3 + 2]!];
        let value;
        try {
          value = compile(name, scopeOf(symbols, frame, depth))();
        } catch (error) {
          assert.match(plain, /optimized out/, `${name}: ${(error as Error).message}, gdb ${plain}`);
          return;
        }
        assert.doesNotMatch(plain, /optimized out/, `${name} = ${value.value}`);
        if (value.value === undefined) return;
        located++;
        const bits = BigInt.asIntN(value.type.bytes * 8, BigInt(value.value));
        assert.equal(`${bits}`, numberOf(number), name);
      });
      assert.ok(located >= 4, `${located} variables`);

      // Expressions.
      const scope = scopeOf(symbols, frames[0]!, 0);
      const results = askGdb(path, core, EXPRESSIONS.map((e) => `print ${/^(real|single|extended|3 \/|real)/.test(e) ? '' : '/d '}${e}`.replace('print /d', 'print/d'))); // prettier-ignore
      EXPRESSIONS.forEach((e, i) => {
        if (/No symbol|cannot/.test(results[i]!)) return;
        const { value, type } = compile(e, scope)();
        same(
          e,
          typeof value === 'bigint' && /^\$\d+ = -/.test(results[i]!) ? BigInt.asIntN(type.bytes * 8, value) : value,
          results[i]!,
        );
      });

      // Types, and the text of values.
      const whatis = [
        'outer.call',
        'outer.table',
        'outer.matrix',
        'outer.text',
        'function',
        'pointer',
        'bits',
        'colour',
        '&outer.matrix',
        'outer.tail',
      ];
      const names = askGdb(path, core, whatis.map((w) => `whatis ${w}`)); // prettier-ignore
      const squeeze = (s: string): string =>
        s
          .replace(/^type = /, '')
          .replace(/\s+/g, '')
          .replace('volatileconst', 'constvolatile');
      whatis.forEach((w, i) => assert.equal(squeeze(compile(w, scope).type.name), squeeze(names[i]!), w));
      const shown = (e: string): string =>
        formatValue(compile(e, scope)(), scope, { symbolAt: (a) => symbols.symbolAt(a) });
      assert.equal(shown('bits'), '{low = 5, middle = 99, sign = -7, wide = 78187493530, yes = true}');
      assert.equal(shown('either'), `{number = 131073, real = 1.83672394e-40, {first = 1, second = 2}}`);
      assert.equal(shown('name'), '"ringside"');
      assert.match(shown('message'), /^0x[\da-f]+( <.*>)? "hello, guest\\n"$/);
      assert.equal(shown('flags'), 'READ | EXECUTE');
      assert.equal(shown('colour'), 'BLUE');
      assert.match(shown('function'), /^0x[\da-f]+ <add>$/);
      assert.equal(shown('byte'), "200 '\\310'");
      assert.equal(shown('outer.matrix'), '{{1, 2, 3}, {4, 5, 6}}');
      const parts = children(compile('outer', scope)(), scope, 'outer');
      assert.deepEqual(parts.map((p) => p.name), ['before', '(anonymous union)', 'nowhere', 'elsewhere', 'call', 'table', 'matrix', 'text', 'tail']); // prettier-ignore
      for (const part of parts)
        assert.equal(compile(part.evaluateName!, scope).type.bytes > 0 || part.name === 'tail', true);
      assert.deepEqual(symbols.warnings, []);
    });
});
