/** Instructions before an address that nothing names: in step with those behind, over data between functions, to the edge of what is mapped. */
import assert from 'node:assert/strict';
import { instructionsAround } from '../../debug-adapter/disassembly';
import { decode } from '../../emulator/isa/decode';
import type { DisassembledInstruction, Inspector } from '../../emulator/machine/api';
import type { Program } from '../../debug-adapter/program';

const BASE = 0x1000n;
/** What nothing decodes to in 64-bit mode: PUSH ES. */
const DATA = 0x06;
const MOV = [0x48, 0xc7, 0xc0, 0x14, 0, 0, 0];
const SYSCALL = [0x0f, 0x05];
const RET = [0xc3];
const CALLS = [...MOV, ...SYSCALL, ...RET];

/** Memory of these bytes at BASE, and nothing around it. */
function contextOf(bytes: readonly number[]) {
  const disassemble = (_: number, at: bigint, count: number): DisassembledInstruction[] => {
    const found: DisassembledInstruction[] = [];
    for (let offset = Number(at - BASE); offset >= 0 && offset < bytes.length && found.length < count; ) {
      const rest = Uint8Array.from(bytes.slice(offset, offset + 15));
      const found64 = decode(rest, at, 64);
      const decoded = typeof found64 === 'string' ? undefined : found64;
      const length = decoded?.length ?? 1;
      const text = decoded?.row.mnemonic ?? '(bad)';
      found.push({ gva: BASE + BigInt(offset), bytes: rest.subarray(0, length), text, mnemonic: text, isCall: false, isReturn: false });
      offset += length;
    }
    return found;
  }; // prettier-ignore
  const nothing = () => undefined;
  const program = { functionAt: nothing, lineAt: nothing, symbolAt: nothing } as unknown as Program;
  return { inspect: { disassemble } as unknown as Inspector, program, cpu: 0, space: 'gv' as const };
}

/** `at`: index of the byte where the guest stands. */
function check(bytes: readonly number[], at: number, before: number, expected: readonly string[]): void {
  const lines = instructionsAround(contextOf(bytes), BASE + BigInt(at), -before, before + 1);
  assert.deepEqual(lines.map((line) => ('missing' in line ? '-' : line.text)), expected); // prettier-ignore
}

describe('instructions before an address without symbols', () => {
  const ROWS: [what: string, bytes: number[], at: number, before: number, expected: string[]][] = [
    ['in step', [...CALLS, ...CALLS], 17, 4, ['mov', 'syscall', 'ret', 'mov', 'syscall']],
    ['to the first byte that is mapped, and nothing beyond', CALLS, 9, 4, ['-', '-', 'mov', 'syscall', 'ret']],
    ['over data, which is lines of one byte', [...Array<number[]>(8).fill(CALLS).flat(), DATA, DATA, ...CALLS], 91, 6, ['syscall', 'ret', '(bad)', '(bad)', 'mov', 'syscall', 'ret']],
    ['data alone', [DATA, DATA, DATA, ...RET], 3, 2, ['(bad)', '(bad)', 'ret']],
    ['nothing', RET, 0, 2, ['-', '-', 'ret']],
  ]; // prettier-ignore
  for (const [what, bytes, at, before, expected] of ROWS) it(what, () => check(bytes, at, before, expected));
});
