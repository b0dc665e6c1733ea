/** Every row in every mode, size and operand kind: the meaning makes a valid WebAssembly function. */
import assert from 'node:assert/strict';
import { formKey, formOf } from '../../../emulator/execution/forms';
import { buildForms } from '../../../emulator/execution/interpreter';
import type { FormCode } from '../../../emulator/execution/interpreter';
import { decode } from '../../../emulator/isa/decode';
import { ROWS } from '../../../emulator/isa/opcodes';

const PREFIXES = [[], [0x66], [0xf3], [0xf2], [0x67], [0x64], [0xf0], [0x66, 0xf3], [0x66, 0xf2]];
const REX = [[], [0x48], [0x41]];
/** One-byte opcodes and the three escapes. */
const opcodes = Array.from({ length: 256 }, (_, i) => [[i], [0x0f, i], [0x0f, 0x38, i], [0x0f, 0x3a, i]]).flat();

function* encodings(mode: 16 | 32 | 64): Generator<Uint8Array> {
  for (const opcode of opcodes)
    for (const prefix of PREFIXES)
      for (const rex of mode === 64 ? REX : [[]])
        for (let reg = 0; reg < 8; reg++)
          for (const mod of [0x00, 0x40, 0xc0])
            yield Uint8Array.from([...prefix, ...rex, ...opcode, mod | (reg << 3) | 1, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  // VEX: three bytes, with each W, L and mandatory prefix; vvvv all ones. As SIB, 11h makes a gather's three registers differ.
  for (const map of [1, 2, 3])
    for (let last = 0; last < 16; last++)
      for (let opcode = 0; opcode < 256; opcode++)
        for (let reg = 0; reg < 8; reg++)
          for (const form of [0x01, 0x04, 0xc1])
            yield Uint8Array.from([0xc4, 0xe0 | map, (last & 8 ? 0x80 : 0) | 0x78 | (last & 7), opcode, form | (reg << 3), 0x11, 2, 3, 4]);
} // prettier-ignore

describe('forms', () => {
  const met = new Set<number>();

  for (const mode of [16, 32, 64] as const)
    it(`every ${mode}-bit form makes valid code`, () => {
      const seen = new Map<string, FormCode>();
      for (const bytes of encodings(mode)) {
        const insn = decode(bytes, 0x1000n, mode);
        if (typeof insn === 'string') continue;
        met.add(insn.row.index);
        const { meaning, attributes } = insn.row;
        if (meaning.kind !== 'emit') continue;
        for (const addressing of mode === 64 ? (['flat64'] as const) : (['flat32', 'general'] as const)) {
          const form = formOf(insn, { key: 0, codeSize: mode, stackSize: mode, addressing, asks: false });
          seen.set(`${insn.row.mnemonic} ${formKey(insn.row, form)}`, { form, emit: meaning.emit, ends: attributes.ends === true });
        }
      }
      assert.ok(seen.size > 500, `only ${seen.size} forms were met`);
      const names = [...seen.keys()];
      const codes = [...seen.values()];
      // One module for all; when it is refused, the engine's message and the forms one by one say which.
      if (WebAssembly.validate(buildForms(codes))) return;
      assert.deepEqual(names.filter((_, i) => !WebAssembly.validate(buildForms([codes[i]]))), []);
    }); // prettier-ignore

  it('the encodings above reach nearly every row', () => {
    const missing = ROWS.filter((row) => !met.has(row.index)).map((row) => `${row.mnemonic} ${row.opcode}`);
    // Whole-ModRM encodings are one byte in 256: the loop above meets few of them.
    const wholeModrm = missing.filter((name) => !/ (0f (01|ae|c7)|d[89a-f]) [0-9a-f]{2}$/.test(name));
    assert.deepEqual(wholeModrm, []);
  });
});
