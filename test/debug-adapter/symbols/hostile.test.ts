/** What random damage does not find: debug information that somebody made so that its reader never ends, or fills the memory. */
import assert from 'node:assert/strict';
import { UserError } from '../../../emulator/index';
import { loadScalar } from '../../../debug-adapter/expressions/values';
import { skipValue, stepOver } from '../../../debug-adapter/symbols/abbreviations';
import type { Location, Type } from '../../../debug-adapter/symbols/api';
import { AT, ATE, FORM, OP } from '../../../debug-adapter/symbols/dwarf-constants';
import type { Dwarf } from '../../../debug-adapter/symbols/dwarf';
import { type ExpressionContext, locate } from '../../../debug-adapter/symbols/location-expressions';
import { readLocation } from '../../../debug-adapter/symbols/read-location';
import { DwarfError, Reader } from '../../../debug-adapter/symbols/reader';
import { typeName } from '../../../debug-adapter/symbols/type-names';
import { Unavailable } from '../../../debug-adapter/symbols/typed-values';

const none = (): never => {
  throw new Unavailable('none');
};
/** Entries by offset: an expression each, or a base type. */
const context = (entries: Record<number, number[] | { encoding: number; bytes: number }> = {}): ExpressionContext => {
  const entry = (offset: number): unknown => {
    const said = entries[offset];
    if (said === undefined) return undefined;
    const numbers: Record<number, number> = Array.isArray(said) ? {} : { [AT.encoding]: said.encoding, [AT.byte_size]: said.bytes }; // prettier-ignore
    return {
      block: (name: number) => (name === AT.location && Array.isArray(said) ? Uint8Array.from(said) : undefined),
      number: (name: number) => numbers[name],
      reference: () => undefined,
    };
  };
  return {
    dwarf: { entry } as unknown as Dwarf,
    unit: { addressSize: 8, offsetSize: 4, version: 5 },
    target: { register: () => 1n, memory: (_, bytes) => new Uint8Array(bytes) },
    cfa: none,
    frameBase: none,
    entryValue: none,
  };
};

describe('symbols: hostile files', () => {
  describe('LEB128', () => {
    const padded = (length: number, ...last: number[]): Uint8Array =>
      Uint8Array.from([...new Array<number>(length).fill(0x80), ...last]);
    const rows: [what: string, bytes: Uint8Array, unsigned: number, signed: number][] = [
      ['one byte', Uint8Array.of(0x7f), 127, -1],
      ['two', Uint8Array.of(0xe5, 0x40), 0x2065, 0x65 - 0x2000],
      ['padded a little', padded(3, 0), 0, 0],
      ['padded beyond what a double can scale', padded(400, 0), 0, 0],
      ['of 64 bits', Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1), 2 ** 64, 2 ** 64],
    ];
    for (const [what, bytes, unsigned, signed] of rows)
      it(what, () => {
        assert.equal(new Reader(bytes, 'a').uleb(), unsigned);
        assert.equal(new Reader(bytes, 'a').sleb(), signed);
      });
    it('a negative number, padded', () => {
      const bytes = Uint8Array.from([0xfe, ...new Array<number>(400).fill(0xff), 0x7f]);
      assert.equal(new Reader(bytes, 'a').sleb(), -2);
    });
    it('a length that no section has', () => {
      const bytes = padded(400, 1);
      assert.throws(() => new Reader(bytes, 'a').block(new Reader(Uint8Array.of(0xff, ...new Array<number>(60).fill(0xff), 1), 'a').uleb()), DwarfError); // prettier-ignore
    });
  });

  it('DW_FORM_indirect that says DW_FORM_indirect', () => {
    const reader = new Reader(new Uint8Array(100_000).fill(FORM.indirect), '.debug_info');
    const sizes = { version: 5, addressSize: 8, offsetSize: 4 } as const;
    assert.throws(() => skipValue(reader, stepOver(FORM.indirect, sizes), sizes), DwarfError);
  });

  describe('location expressions', () => {
    const FLOAT = { encoding: ATE.float, bytes: 8 };
    const infinity = [OP.const_type, 1, 8, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f];
    const rows: [what: string, block: number[], entries: Parameters<typeof context>[0], why: RegExp][] = [
      ['the value of a variable that is its own value', [OP.GNU_variable_value, 1, 0, 0, 0], { 1: [OP.GNU_variable_value, 1, 0, 0, 0] }, /calls itself/],
      ['two that call each other', [OP.call4, 1, 0, 0, 0], { 1: [OP.call4, 2, 0, 0, 0], 2: [OP.call4, 1, 0, 0, 0] }, /calls itself/],
      ['a value that calls on', [OP.call4, 1, 0, 0, 0], { 1: [OP.GNU_variable_value, 2, 0, 0, 0], 2: [OP.call4, 1, 0, 0, 0] }, /calls itself/],
      ['a loop', [OP.skip, 0xfd, 0xff], {}, /does not end/],
      ['an integer made of infinity', [...infinity, OP.convert, 0], { 1: FLOAT }, /an integer of Infinity/],
      ['a float of 16 bytes', [OP.lit0, OP.convert, 1], { 1: { encoding: ATE.float, bytes: 16 } }, /16 bytes/],
    ]; // prettier-ignore
    for (const [what, block, entries, why] of rows)
      it(what, () => {
        const found = locate(Uint8Array.from(block), context(entries));
        assert.match(found.kind === 'unavailable' ? found.why : found.kind, why);
      });
  });

  describe('values', () => {
    const value: Location = { kind: 'value', bytes: Uint8Array.of(1) };
    const pieces = (bytes: number, bits?: { size: number; offset: number }): Location => ({
      kind: 'pieces',
      pieces: [{ location: value, bytes, ...(bits && { bits }) }],
    });
    const rows: [what: string, location: Location, bytes: number, outcome: RegExp][] = [
      ['as large as the address space', value, 2 ** 47, /is not read/],
      ['of no number of bytes', value, NaN, /is not read/],
      ['in pieces, large', pieces(1), 1 << 20, /in pieces is not read/],
      ['of a piece that is larger than all', pieces(2 ** 40), 4, /^1,0,0,0$/],
      ['of a piece far away', pieces(1, { size: 8, offset: 2 ** 45 }), 4, /is not read/],
    ];
    for (const [what, location, bytes, outcome] of rows)
      it(what, () => {
        let text: string;
        try {
          text = readLocation(location, bytes, context().target).join();
        } catch (error) {
          assert.ok(error instanceof Unavailable, String(error));
          text = error.message;
        }
        assert.match(text, outcome);
      });
    it('a number of a megabyte', () => {
      const type: Type = { kind: 'base', name: 'huge', bytes: 1 << 20, encoding: 'unsigned' };
      const guest = { read: (_: unknown, __: bigint, bytes: number) => new Uint8Array(bytes) };
      assert.throws(() => loadScalar(guest, type, { kind: 'memory', space: 'gv', address: 0n }), UserError);
    });
  });

  it('the name of a function whose parameters are like itself', () => {
    const self: Type = { kind: 'function', name: '', bytes: 0, returns: () => self, parameters: () => new Array<Type>(10).fill(self), variadic: false }; // prettier-ignore
    assert.ok(typeName(self).length < 10_000);
  });
});
