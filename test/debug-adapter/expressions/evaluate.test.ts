import assert from 'node:assert/strict';
import fc from 'fast-check';
import { UserError } from '../../../emulator/index';
import { compile, compileAssignment, type Scope } from '../../../debug-adapter/expressions/evaluate';
import { formatValue } from '../../../debug-adapter/expressions/format';
import type { Type, Variable } from '../../../debug-adapter/symbols/api';
import { INT, pointerTo } from '../../../debug-adapter/expressions/c-types';

/** 4 KiB of guest-virtual memory at 0x1000, guest-physical memory at 0 with other contents; registers; one variable. */
const makeScope = (): Scope & { virtual: Uint8Array; registers: Map<string, bigint> } => {
  const virtual = Uint8Array.from({ length: 4096 }, (_, i) => i & 0xff);
  const physical = Uint8Array.from({ length: 4096 }, (_, i) => 255 - (i & 0xff));
  const registers = new Map([['rax', 0xffff_ffff_8100_0000n], ['eax', 0x8100_0000n], ['zf', 1n], ['cs.base', 0x10n], ['rsp', 0x1010n]]); // prettier-ignore
  const bytes: Record<string, number> = { eax: 4, zf: 1 };
  const counter: Variable = {
    name: 'counter',
    type: INT,
    kind: 'global',
    locate: () => ({ kind: 'memory', gva: 0x1020n }),
  };
  const gone: Variable = {
    name: 'gone',
    type: INT,
    kind: 'local',
    locate: () => ({ kind: 'unavailable', why: 'optimised out' }),
  };
  const rip: Variable = {
    name: 'zf',
    type: INT,
    kind: 'local',
    locate: () => ({ kind: 'value', bytes: Uint8Array.of(42, 0, 0, 0) }),
  };
  const node: Type = { kind: 'struct', name: 'struct node', tag: 'node', bytes: 12, members: () => [{ name: 'low', type: INT, offset: 0, bitSize: 4, bitOffset: 4 }, { name: 'next', type: pointerTo(node, 8), offset: 4 }] }; // prettier-ignore
  const space = (s: string): { base: bigint; data: Uint8Array } =>
    s === 'gv' ? { base: 0x1000n, data: virtual } : { base: 0n, data: physical };
  return {
    virtual,
    registers,
    pointerBytes: 8,
    variable: (name) => ({ counter, gone, zf: rip })[name],
    target: () => ({ register: () => undefined, memory: () => new Uint8Array() }),
    pc: () => 0n,
    typeNamed: (name) =>
      ({ 'struct node': node, u8: { kind: 'base', name: 'u8', bytes: 1, encoding: 'unsigned' } as const })[name],
    symbol: (name) => ({ start_kernel: 0x1100n })[name],
    register: (name) =>
      registers.has(name) ? { bytes: bytes[name] ?? 8, read: () => registers.get(name)! } : undefined,
    special: (name) =>
      ({
        'trap.vector': () => 14n,
        'trap.errorCode': () => undefined,
        'exit.reason': () => 'ept-violation',
        hitCount: () => 3n,
      })[name],
    read: (s, address, n) => {
      const { base, data } = space(s);
      return address < base ? new Uint8Array() : data.subarray(Number(address - base), Number(address - base) + n);
    },
    write: (s, address, values) => {
      const { base, data } = space(s);
      data.set(values, Number(address - base));
      return values.length;
    },
    setRegister: (name, value) => registers.has(name) && Boolean(registers.set(name, value)),
  };
};

describe('expressions', () => {
  const scope = makeScope();
  const rows: [string, bigint | number | string][] = [
    ['1 + 2 * 3', 7n], ['(1 + 2) * 3', 9n], ['10 - 4 - 3', 3n], ['1 << 31', -0x8000_0000n], ['1u << 31', 0x8000_0000n], ['1l << 40', 1n << 40n],
    ['-7 / 2', -3n], ['-7 % 3', -1n], ['~0', -1n], ['!0', 1n], ['!5', 0n], ['1 < 2 == 1', 1n], ['5 & 3 | 8 ^ 1', 9n], ['0x80000000 > 0', 1n],
    ['-1 > 0u', 1n], ['(unsigned char)300', 44n], ['(signed char)200', -56n], ['010', 8n], ['0b101', 5n], ["'A' + 1", 66n], ["'\\n'", 10n], ["'\\xff'", -1n],
    ['1 ? 2 : 3', 2n], ['0 ? 2 : 1 ? 4 : 5', 4n], ['0xffffffffffffffff', (1n << 64n) - 1n], ['2147483648', 2147483648n], ['1.5 * 4', 6], ['7 / 2.0', 3.5],
    ['sizeof(long)', 8n], ['sizeof(int[3][4])', 48n], ['sizeof(struct node)', 12n], ['sizeof 1', 4n], ['sizeof(char *)', 8n], ['sizeof(u8)', 1n],
    ['rax', 0xffff_ffff_8100_0000n], ['$rax & 0xff000000', 0x8100_0000n], ['rax == -0x7f000000', 1n], ['eax == 0x81000000', 1n], ['$zf', 1n], ['zf', 42n], ['cs.base + 1', 0x11n],
    ['counter', 0x2322_2120n], ['counter == 0x23222120 && hitCount > 2', 1n], ['&counter == 0x1020', 1n], ['*(unsigned short *)rsp', 0x1110n],
    ['*(u8 *)gp:0x10', 239n], ['((unsigned char *)gp:0x10)[2]', 237n], ['*gv:0x1005', 5n], ['*(gp:(cs.base + 1))', 238n], ['((struct node *)0x1040)->low', 4n],
    ['(*(struct node *)0x1040).next->low', 'error'], ['&((struct node *)0)->next', 4n], ['(char *)0x1000 + 4 == (char *)0x1004', 1n], ['(int *)0x1010 - (int *)0x1000', 4n],
    ['((int *)0x1000)[1]', 0x0706_0504n], ['1[(int *)0x1000]', 0x0706_0504n], ['start_kernel + 0 == 0x1100', 1n], ['&start_kernel == 0x1100', 1n],
    ['trap.vector == 14', 1n], ['trap.vector + 1', 15n], ['trap.errorCode == 0', 0n], ['trap.errorCode != 0', 1n], ['exit.reason == "ept-violation"', 1n], ['exit.reason != "cpuid" && 1', 1n],
    ['5 && 0 || 2', 1n], ['0 && *(int *)0', 0n], ['1 || *(int *)0', 1n],
    [`1${'+1'.repeat(998)}`, 999n],
  ]; // prettier-ignore
  for (const [text, wanted] of rows)
    it(text, () => {
      if (wanted === 'error') assert.throws(() => compile(text, scope)(), UserError);
      else assert.equal(compile(text, scope)().value, wanted);
    });

  const wrong: [string, RegExp][] = [
    ['', /^Column 1: there is no expression\.$/], ['1 +', /^Column 4: a value is expected, not the end of the expression\.$/], ['nothing', /^Column 1: no variable, register or symbol is named "nothing"\.$/],
    ['1 + (2', /^Column 7: "\)" is expected/], ['counter.x', /^Column 9: int has no member "x"/], ['*counter', /^Column 1: only pointers can be followed, and this is int/], ['f(1)', /^Column 2: calls are not made/],
    ['1 # 2', /^Column 3: "#" has no meaning here/], ['(struct foo *)0', /^Column 9: no struct is named foo/], ['counter = 1', /^Column 9: nothing can be assigned here/], ['$xyz', /no register is named "xyz"/],
    ['089', /octal/], ['1.5 & 1', /^Column 5: "&" does not apply to double and int/], ['&1', /^Column 1: only what lies in memory has an address/], ['1 2', /^Column 3: "2" does not fit/], [`${'('.repeat(500)}1`, /nested too deeply/],
    [`1${'+1'.repeat(50_000)}`, /^Column 2001: the expression is too long/], [`counter${'.next'.repeat(50_000)}`, /too long/], [`(int ${'*'.repeat(50_000)})1`, /too long/],
    ['12ux', /no suffix|does not fit/], ['*(void *)0', /pointer to void/],
  ]; // prettier-ignore
  for (const [text, message] of wrong)
    it(`says what is wrong: ${text.slice(0, 20)}`, () => {
      assert.throws(() => compile(text, scope), (e) => e instanceof UserError && message.test(e.message)); // prettier-ignore
    });

  const late: [string, RegExp][] = [
    ['*(int *)0x10', /Memory at gv:0x10 cannot be read/], ['gone', /gone is not available: optimised out/], ['1 / 0', /divides by zero/], ['trap.errorCode + 1', /no value at this stop/],
  ]; // prettier-ignore
  for (const [text, message] of late)
    it(`says why there is no value: ${text}`, () => assert.throws(() => compile(text, scope)(), (e) => e instanceof UserError && message.test(e.message))); // prettier-ignore

  it('assigns to variables, memory, bit fields and registers', () => {
    const edited = makeScope();
    compile('counter = -2', edited, { assign: true })();
    assert.equal(compile('counter', edited)().value, -2n);
    compile('counter += 10', edited, { assign: true })();
    assert.equal(compile('counter', edited)().value, 8n);
    compileAssignment('*(short *)0x1000', '0x12345', edited)();
    assert.deepEqual([...edited.virtual.subarray(0, 3)], [0x45, 0x23, 2]);
    compileAssignment('((struct node *)0x1010)->low', '9', edited)();
    assert.equal(edited.virtual[0x10], 0x90);
    compileAssignment('$rax', 'hitCount * 2', edited)();
    assert.equal(edited.registers.get('rax'), 6n);
    assert.throws(() => compileAssignment('1', '2', edited), /only a variable, register or place/);
  });

  it('shows values by type', () => {
    const shown = (text: string, hex = false): string =>
      formatValue(compile(text, scope)(), scope, {
        hex,
        symbolAt: (a) => (a >= 0x1100n ? { name: 'start_kernel', offset: a - 0x1100n } : undefined),
      });
    assert.equal(shown('counter', true), '0x23222120');
    assert.match(shown('(char *)0x1104'), /^0x1104 <start_kernel\+4> "\\004\\005\\006\\a.*"\.\.\.$/);
    assert.equal(shown('(void *)0'), '0x0');
    assert.equal(
      shown('*(struct node *)0x1040'),
      '{low = 4, next = 0x4b4a494847464544 <start_kernel+5425512962855746628>}'.replace(
        /<.*>/,
        `<start_kernel+${0x4b4a494847464544n - 0x1100n}>`,
      ),
    );
    assert.equal(shown('1.0'), '1.0');
    assert.equal(shown('(_Bool)7'), 'true');
    assert.equal(
      shown('*(struct node *)0'),
      '{low = <Memory at gv:0x0 cannot be read: nothing is mapped there, or a device, which is not touched>, next = <Memory at gv:0x4 cannot be read: nothing is mapped there, or a device, which is not touched>}'.replace(
        /, next.*/,
        ', ...}',
      ),
    );
  });

  it('any text is an expression or a UserError', () => {
    const piece = fc.constantFrom('1', '0x', 'counter', 'rax', '(', ')', '[', ']', '*', '&', '->', '.', 'gv:', 'sizeof', 'struct', 'node', '"', "'", '-', '?', ':', '1.5', ' ', 'trap.vector', '%', '<<', '=', '::'); // prettier-ignore
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string({ maxLength: 3 })), { maxLength: 12 }), (pieces) => {
        try {
          formatValue(compile(pieces.join(''), scope)(), scope);
        } catch (error) {
          assert.ok(error instanceof UserError, String((error as Error).stack));
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('32-bit arithmetic is C’s', () => {
    const operators = ['+', '-', '*', '&', '|', '^', '<', '==', '>='] as const;
    fc.assert(
      fc.property(fc.integer(), fc.integer(), fc.constantFrom(...operators), (a, b, operator) => {
        const js: Record<string, number> = { '+': (a + b) | 0, '-': (a - b) | 0, '*': Math.imul(a, b), '&': a & b, '|': a | b, '^': a ^ b, '<': +(a < b), '==': +(a === b), '>=': +(a >= b) }; // prettier-ignore
        assert.equal(compile(`(int)${a} ${operator} (int)${b}`, scope)().value, BigInt(js[operator]!));
      }),
    );
  });

  it('a condition is quick', () => {
    const condition = compile('rax == 0x1234 && trap.vector == 14 || *(int *)0x1010 == 7', scope);
    const started = process.cpuUsage();
    for (let i = 0; i < 100_000; i++) assert.ok(!condition.test());
    const { user } = process.cpuUsage(started);
    // A million a second or so; ten times slower is a mistake.
    assert.ok(user < 1_000_000, `100,000 times took ${user} µs`);
  });
});
