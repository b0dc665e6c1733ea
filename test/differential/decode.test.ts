/**
 * Our decoder against iced-x86: lengths, operands and what is invalid, over random bytes and over programs' code.
 * SEED and COUNT (instructions) from the environment.
 */
import { strict as assert } from 'node:assert';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as iced from 'iced-x86';
import { decode } from '../../emulator/isa/decode';
import type { CodeSize, Instruction } from '../../emulator/isa/instruction';
import { ROWS } from '../../emulator/isa/opcodes';
import { ourOperands, theirMnemonic, theirOperands } from './iced';
import { Random } from './random';

const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
const count = Number(process.env.COUNT ?? 60_000);
const RIP: Record<CodeSize, bigint> = { 16: 0x7c00n, 32: 0x8000_1000n, 64: 0xffff_ffff_8100_0100n };

/** Mnemonics that some row has: those must decode. Others may, where only their names differ. */
const NAMES = new Set(ROWS.map((row) => row.mnemonic));

/** String operands are implicit with us, and hints carry none; iced-x86 spells both out. */
const sameOperands = (ours: Instruction): boolean =>
  !/[XY]|Sw/.test(ours.row.operands) && !OTHER_OPERANDS.has(ours.row.mnemonic) && ours.row.operands !== '';
/** Operands of 16 bits that iced-x86 names by the operand size; and implicit ones that it spells out. */
const OTHER_OPERANDS = new Set([
  'nop', 'maskmovq', 'maskmovdqu', 'arpl', 'lar', 'lsl', 'lldt', 'lmsw', 'ltr', 'sldt', 'smsw', 'str', 'verr', 'verw',
  'pextrb', 'pinsrb', 'vpextrb', 'vpinsrb', 'pextrw', 'pinsrw', 'vextractps', 'pmovmskb', 'movmskps', 'movmskpd', 'vpextrw', 'vpinsrw', 'vpmovmskb', 'vmovmskps', 'vmovmskpd', 'vmaskmovdqu',
]); // prettier-ignore
/** Whether a control, debug or segment register exists is decided when it is accessed. */
const isSystemMove = (ours: Instruction): boolean => /[CD]n|Sw/.test(ours.row.operands);

/** What is different, in a few words; undefined: nothing. `length` of the instruction for iced-x86, at least 1. */
function compare(bytes: Uint8Array, size: CodeSize): { difference?: string; length: number } {
  const decoder = new iced.Decoder(size, bytes, iced.DecoderOptions.None);
  decoder.ip = RIP[size];
  const theirs = decoder.decode();
  const ours = decode(bytes, RIP[size], size);
  const invalid = theirs.code === iced.Code.INVALID;
  const mnemonic = theirMnemonic(theirs);
  const length = Math.max(1, theirs.length);
  let difference: string | undefined;
  if (typeof ours === 'string') {
    // AVX-512 has names in common with AVX.
    const evex = iced.Code[theirs.code].startsWith('EVEX_');
    if (!invalid && !evex && NAMES.has(mnemonic)) difference = `${mnemonic} is ${ours} to us`;
  } else if (invalid && isSystemMove(ours)) return { length };
  else if (invalid) difference = `${ours.row.mnemonic} ${ours.row.opcode} is invalid to iced-x86`;
  else if (ours.length !== theirs.length) difference = `${mnemonic} has ${theirs.length} bytes, ours ${ours.length}`;
  else if (sameOperands(ours)) {
    const [a, b] = [ourOperands(ours).join(', '), theirOperands(theirs, ours).join(', ')];
    if (a !== b) difference = `${mnemonic} ${b}, ours ${ours.row.mnemonic} ${a}`;
  }
  theirs.free();
  decoder.free();
  return { difference, length };
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(0, 15)).toString('hex');

function randomBytes(random: Random): Uint8Array {
  const bytes = random.bytes(16);
  if (random.oneIn(3)) bytes[0] = 0x0f;
  else if (random.oneIn(2)) {
    bytes[0] = random.pick([0xc4, 0xc5]);
    if (bytes[0] === 0xc4) bytes[1] = (bytes[1] & 0xe0) | (1 + random.below(3));
    // Unused vvvv: all ones.
    if (random.oneIn(2)) bytes[bytes[0] === 0xc4 ? 2 : 1] |= 0x78;
  }
  if (!random.oneIn(4)) return bytes;
  bytes.copyWithin(1, 0);
  bytes[0] = random.pick([0x66, 0x67, 0xf2, 0xf3, 0x48, 0x4f, 0x2e, 0x65, 0xf0]);
  return bytes;
}

function check(size: CodeSize, next: () => Uint8Array | undefined, length: (bytes: number) => void): void {
  const differences = new Map<string, string>();
  for (let bytes = next(); bytes; bytes = next()) {
    const result = compare(bytes, size);
    length(result.length);
    if (result.difference && differences.size < 20) {
      const kind = result.difference.split(' ')[0];
      if (!differences.has(kind)) differences.set(kind, `${text(bytes)}: ${result.difference}`);
    }
  }
  assert.deepEqual([...differences.values()], [], `SEED=${seed}, ${size}-bit code`);
}

describe('decoding agrees with iced-x86', () => {
  for (const size of [64, 32, 16] as const)
    it(`random bytes, ${size}-bit, SEED=${seed}`, () => {
      const random = new Random(seed + size);
      let left = Math.ceil(count / 3);
      check(size, () => (left-- > 0 ? randomBytes(random) : undefined), () => {}); // prettier-ignore
    }).timeout(600_000);

  const debian = join(import.meta.dirname, '..', '..', '.cache', 'guests');
  const programs: [string, CodeSize, number][] = [
    ['/bin/bash', 64, 0x40000],
    ['/lib/x86_64-linux-gnu/libc.so.6', 64, 0x40000],
    [join(debian, 'memtest86+/boot/memtest86+x64.bin'), 64, 0x2000],
    [join(debian, 'memtest86+/boot/memtest86+ia32.bin'), 32, 0x2000],
  ];
  for (const [path, size, from] of programs)
    it(`code of ${path.split('/').at(-1)}`, function () {
      if (!existsSync(path)) this.skip();
      const bytes = readFileSync(path);
      let [at, left] = [from, count];
      check(size, () => (left-- > 0 && at + 16 < bytes.length ? bytes.subarray(at, at + 16) : undefined), (n) => (at += n)); // prettier-ignore
    }).timeout(600_000);
});
