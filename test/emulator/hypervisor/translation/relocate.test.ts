/** Instructions moved to another place, against iced-x86: random ones say there what they said where they were. */
import assert from 'node:assert/strict';
import * as iced from 'iced-x86';
import {
  branch,
  CALL_OUT,
  IN_PLACE,
  jump,
  JUMP_BYTES,
  loop,
  push,
  relocated,
  STUB,
  STUB_VECTOR,
} from '../../../../emulator/hypervisor/translation/relocate';
import { treatmentOf } from '../../../../emulator/hypervisor/translation/treatment';
import { decode } from '../../../../emulator/isa/decode';
import type { CodeSize, Instruction } from '../../../../emulator/isa/instruction';
import { theirOperands } from '../../../differential/iced';
import { Random } from '../../../differential/random';

const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000);
type Bytes = readonly number[] | Uint8Array;
const theirs = (bytes: Bytes, at: bigint, codeSize: CodeSize): iced.Instruction => {
  const decoder = new iced.Decoder(
    codeSize,
    Uint8Array.from([...bytes, ...new Array<number>(15).fill(0x90)]),
    iced.DecoderOptions.None,
  );
  decoder.ip = at;
  return decoder.decode();
};
const text = (bytes: Bytes): string => Buffer.from(Uint8Array.from(bytes)).toString('hex');

/** A random instruction that our decoder knows; in 64-bit code half of them with an address relative to RIP. */
function* instructions(random: Random, codeSize: CodeSize, rip: bigint, count: number): Generator<{ bytes: Uint8Array; insn: Instruction }> {
  const prefixes = [0x66, 0xf2, 0xf3, 0x64, 0x65, 0x2e, 0x40, 0x4f];
  for (let found = 0; found < count;) {
    const bytes = Uint8Array.from({ length: 15 }, () => random.below(256));
    let at = 0;
    while (random.below(4) === 0) bytes[at++] = prefixes[random.below(prefixes.length)];
    if (codeSize === 64 && random.below(2) === 0) bytes[at++] = 0x40 | random.below(16);
    const opcode = random.below(6);
    if (opcode === 1 || opcode === 2) bytes[at++] = 0x0f;
    if (opcode === 2) bytes[at++] = random.below(2) ? 0x38 : 0x3a;
    if (opcode === 3) bytes[at++] = random.below(2) ? 0xc4 : 0xc5;
    // Somewhere behind the opcode there is a ModRM; let it often be that of a displacement alone.
    if (random.below(2) === 0) for (const each of [at + 1, at + 2, at + 3]) bytes[each] = (bytes[each] & 0x38) | 5;
    const insn = decode(bytes, rip, codeSize);
    if (typeof insn !== 'object') continue;
    found++;
    yield { bytes: bytes.slice(0, insn.length), insn };
  }
} // prettier-ignore

const PLACES: [codeSize: CodeSize, rip: bigint][] = [
  [64, 0xffff_ffff_8123_4567n],
  [64, 0x10_0000n],
  [64, 0xffff_8880_0010_0000n],
  [32, 0xc012_3456n],
];
const COUNT = 10_000;

describe(`relocation, SEED=${SEED}`, () => {
  for (const [codeSize, rip] of PLACES)
    it(`${COUNT.toLocaleString('en-US')} random instructions at 0x${rip.toString(16)}`, () => {
      const random = new Random(SEED);
      let moved = 0;
      for (const { bytes, insn } of instructions(random, codeSize, rip, COUNT)) {
        const made = relocated(bytes, insn);
        const what = `${text(bytes)} (${insn.row.mnemonic}) becomes ${made ? text(made) : 'a call-out'}`;
        const before = theirs(bytes, rip, codeSize);
        if (!insn.memory?.ripRelative) {
          assert.deepEqual(made, [...bytes], what);
          continue;
        }
        if (!made) {
          const target = BigInt.asIntN(64, insn.memory.displacement);
          assert.ok(target !== BigInt.asIntN(32, target) || bytes.length === 15, `${what}, which there is room for`);
          continue;
        }
        // What iced-x86 calls invalid is no instruction, at either place.
        if (before.isInvalid) continue;
        // Of a 32-bit address relative to EIP no copy is made (treatment.ts).
        if (treatmentOf(insn) === 'call-out') continue;
        moved++;
        for (const at of [0xffff_ffff_ff80_0123n, 0n]) {
          const after = theirs(made, at, codeSize);
          assert.equal(after.code, before.code, what);
          assert.equal(after.length, made.length, what);
          assert.deepEqual(theirOperands(after, insn), theirOperands(before, insn), what);
          assert.deepEqual([after.hasLockPrefix, after.hasRepPrefix, after.hasRepnePrefix, after.segmentPrefix], [before.hasLockPrefix, before.hasRepPrefix, before.hasRepnePrefix, before.segmentPrefix], what); // prettier-ignore
        }
      }
      assert.equal(moved > 250, codeSize === 64 && rip !== 0xffff_8880_0010_0000n, `${moved} with an address relative to RIP`);
    }).timeout(60_000); // prettier-ignore

  it('branches lead where they are to lead, under the same condition', () => {
    const random = new Random(SEED);
    let seen = 0;
    for (const codeSize of [32, 64] as const)
      for (let n = 0; n < 2000; n++) {
        const short = random.below(2) === 0;
        const bytes = Uint8Array.from([...(random.below(3) ? [] : [0x3e]), ...(codeSize === 64 && !random.below(3) ? [0x48] : []), ...(short ? [0x70 + random.below(16)] : [0x0f, 0x80 + random.below(16)]), ...Array.from({ length: short ? 1 : 4 }, () => random.below(256))]);
        const insn = decode(bytes, 0x1000n, codeSize);
        if (typeof insn !== 'object' || treatmentOf(insn) !== 'branch') continue;
        const [from, to] = [random.below(1 << 23), random.below(1 << 23)];
        const before = theirs(bytes, 0x1000n, codeSize);
        const after = theirs(branch(bytes, from, to), BigInt(from), codeSize);
        assert.equal(after.conditionCode, before.conditionCode, text(bytes));
        assert.equal(after.nearBranchTarget, BigInt(to), text(bytes));
        const jumped = theirs(jump(from, to), BigInt(from), codeSize);
        assert.deepEqual([jumped.mnemonic, jumped.nearBranchTarget, jumped.length], [iced.Mnemonic.Jmp, BigInt(to), JUMP_BYTES]);
        seen++;
      }
    assert.ok(seen > 1000);
  }).timeout(60_000); // prettier-ignore

  it('LOOP and JCXZ count in the same register and skip one jump', () => {
    for (const codeSize of [32, 64] as const)
      for (const narrow of [false, true])
        for (const opcode of [0xe0, 0xe1, 0xe2, 0xe3]) {
          // A displacement that looks like the prefix.
          const bytes = Uint8Array.of(...(narrow ? [0x67] : []), opcode, 0x67);
          const made = loop(bytes, codeSize);
          const [before, after] = [theirs(bytes, 0x1000n, codeSize), theirs(made, 0x1000n, codeSize)];
          assert.equal(after.code, before.code);
          assert.equal(after.nearBranchTarget, 0x1000n + BigInt(made.length + JUMP_BYTES));
        }
  });

  it('return addresses are pushed as they are, or not at all', () => {
    const addresses = [0n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 0x1_0000_0000n, 0xffff_ffff_8000_0000n, 0xffff_ffff_7fff_ffffn, 0xffff_8880_0000_0000n];
    for (const address of addresses) {
      const wide = push(address, 64);
      assert.equal(wide === undefined, BigInt.asUintN(64, BigInt.asIntN(32, address)) !== address);
      if (wide) assert.deepEqual([theirs(wide, 0n, 64).mnemonic, theirs(wide, 0n, 64).immediate(0)], [iced.Mnemonic.Push, address]);
      if (address >> 32n) continue;
      const narrow = theirs(push(address, 32)!, 0n, 32);
      assert.deepEqual([narrow.mnemonic, BigInt.asUintN(32, narrow.immediate(0))], [iced.Mnemonic.Push, address]);
    }
  }); // prettier-ignore

  it('what calls the hypervisor', () => {
    for (const codeSize of [32, 64] as const) {
      const [out, inPlace, stub] = [CALL_OUT, IN_PLACE, STUB].map((bytes) => theirs(bytes, 0n, codeSize));
      assert.deepEqual([out.mnemonic, inPlace.mnemonic, stub.mnemonic], [iced.Mnemonic.Int, iced.Mnemonic.Rdpmc, iced.Mnemonic.Int]);
      assert.deepEqual([Number(stub.immediate(0)), STUB.length], [STUB_VECTOR, JUMP_BYTES]);
    }
  }); // prettier-ignore
});
