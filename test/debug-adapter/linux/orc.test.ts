/** ORC: what each kind of entry says of the caller, in every numbering. */
import assert from 'node:assert/strict';
import type { Target } from '../../../debug-adapter/symbols/api';
import { Orc } from '../../../debug-adapter/symbols/orc';
import { Bytes } from './kallsyms-image';

const TABLE = 0xffff_ffff_82c0_0000n;
const CODE = 0xffff_ffff_8100_0000n;
const STACK = 0xffff_c900_0000_1000n;
interface Entry {
  sp?: keyof typeof PLACES;
  spOffset?: number;
  bp?: keyof typeof PLACES;
  bpOffset?: number;
  type?: 'call' | 'registers' | 'partial';
  end?: boolean;
}

const TYPES = { call: 2, registers: 3, partial: 4 } as const;
const PLACES = { undefined: 0, previousSp: 1, r10: 6, bp: 4, sp: 5, bpIndirect: 8, spIndirect: 9 } as const;
const NUMBERS = {
  '6.1': { types: { call: 0, registers: 1, partial: 2 }, places: PLACES },
  '6.4': { types: TYPES, places: PLACES },
  '7.2': { types: TYPES, places: { ...PLACES, sp: 3, previousSp: 8, bpIndirect: 10 } },
} as const;

/** An entry each 16 bytes of code; plain ones around it, as in any kernel. */
function table(version: keyof typeof NUMBERS, entry: Entry): Orc {
  const plain: Entry = { sp: 'sp', spOffset: 8 };
  const { types, places } = NUMBERS[version];
  const entries = [plain, plain, plain, entry, plain];
  const [addresses, rules] = [new Bytes(), new Bytes()];
  entries.forEach(
    ({ sp = 'undefined', spOffset = 0, bp = 'undefined', bpOffset = 0, type = 'call', end = false }, n) => {
      addresses.number(CODE + BigInt(n * 16) - (TABLE + BigInt(n * 4)), 4);
      const kind = version !== '6.1' && end ? 1 : types[type];
      const flag = version === '6.1' && end ? 1 << 10 : 0;
      rules
        .number(spOffset, 2)
        .number(bpOffset, 2)
        .number(places[sp] | (places[bp] << 4) | (kind << 8) | flag, 2);
    },
  );
  return Orc.read(TABLE, Uint8Array.from(addresses.bytes), Uint8Array.from(rules.bytes))!;
}

const word = (n: number): bigint => 0xffff_ffff_8111_0000n + BigInt(n);
/** A stack whose words tell their number. */
const target: Target = {
  register: (number) => new Map([[7, STACK], [6, STACK + 0x100n], [10, STACK + 0x40n], [3, 0x33n], [12, 0xccn]]).get(number),
  memory: (gva, bytes) => {
    if (gva === STACK + 0x200n) return Uint8Array.from(new Bytes().number(STACK + 0x300n, 8).bytes);
    if (gva === STACK && bytes === 8) return Uint8Array.from(new Bytes().number(STACK + 0x300n, 8).bytes);
    if (gva < STACK || gva > STACK + 0x1000n) return new Uint8Array();
    return Uint8Array.from(new Bytes().number(word(Number(gva - STACK) / 8), bytes).bytes);
  },
}; // prettier-ignore

interface Expected {
  pc?: bigint;
  sp?: bigint;
  bp?: bigint;
  signal?: boolean;
  outermost?: boolean;
  switched?: boolean;
}
const rows: [name: string, entry: Entry, expected: Expected | undefined][] = [
  ['by the stack pointer', { sp: 'sp', spOffset: 0x20 }, { pc: word(3), sp: STACK + 0x20n, bp: STACK + 0x100n }],
  ['a saved frame pointer', { sp: 'sp', spOffset: 0x20, bp: 'previousSp', bpOffset: -16 }, { pc: word(3), sp: STACK + 0x20n, bp: word(2) }],
  ['by the frame pointer', { sp: 'bp', spOffset: 16 }, { pc: word(0x108 / 8), sp: STACK + 0x110n }],
  ['by another register', { sp: 'r10' }, { pc: word(7), sp: STACK + 0x40n, switched: true }],
  ['from another stack, by the frame pointer', { sp: 'bpIndirect', spOffset: 0x100 }, { pc: word(0x2f8 / 8), sp: STACK + 0x300n, switched: true }],
  ['from another stack, by the stack pointer', { sp: 'spIndirect', spOffset: 8 }, { pc: word(0x300 / 8), sp: STACK + 0x308n, switched: true }],
  ['an interrupt with all registers', { sp: 'sp', spOffset: 8, type: 'registers' }, { pc: word(1 + 16), sp: word(1 + 19), bp: word(1 + 4), signal: true }],
  ["an interrupt's own frame", { sp: 'sp', spOffset: 8, type: 'partial' }, { pc: word(1), sp: word(4), bp: STACK + 0x100n, signal: true }],
  ['the end', { end: true }, { outermost: true }],
  ['nothing is known', {}, undefined],
]; // prettier-ignore

describe('ORC', () => {
  for (const version of ['6.1', '6.4', '7.2'] as const)
    for (const [name, entry, expected] of rows) {
      if (version !== '6.1' && name === 'nothing is known') continue;
      it(`${version}: ${name}`, () => {
        const frame = table(version, entry).unwind(CODE + 0x34n, target);
        if (expected === undefined) return assert.equal(frame, undefined);
        assert.equal(frame?.outermost, expected.outermost ?? false);
        if (expected.outermost) return;
        assert.equal(frame.registers.get(16), expected.pc);
        assert.equal(frame.registers.get(7), expected.sp);
        if (expected.bp !== undefined) assert.equal(frame.registers.get(6), expected.bp);
        assert.equal(frame.signalFrame, expected.signal ?? false);
        assert.equal(frame.stackSwitched ?? false, expected.switched ?? false);
        if (!expected.signal) assert.equal(frame.registers.get(3), 0x33n);
      });
    }
  it('says nothing below the first entry, nor of an unsorted table', () => {
    assert.equal(table('6.1', { sp: 'sp' }).unwind(CODE - 1n, target), undefined);
    const addresses = Uint8Array.from(new Bytes().number(100, 4).number(0, 4).bytes);
    assert.equal(Orc.read(TABLE, addresses, new Uint8Array(12)), undefined);
  });
});
