/** Memory as lines of text. */
import assert from 'node:assert/strict';
import { hexDump } from '../../../extension/panels/hex-dump';

const bytes = (length: number, first = 0): Uint8Array => Uint8Array.from({ length }, (_, n) => first + n);

const ROWS: [what: string, space: string, first: bigint, memory: Uint8Array, lines: string[]][] = [
  ['nothing', 'gv', 0n, bytes(0), []],
  ['a whole line', 'gp', 0x105000n, bytes(16, 0x41), [
    'gp:0x000000105000  41 42 43 44 45 46 47 48  49 4a 4b 4c 4d 4e 4f 50  ABCDEFGHIJKLMNOP',
  ]],
  ['what is no character, and the begin of another line', 'hp', 0xff0n, Uint8Array.from([...bytes(16), 0x7e, 0x7f, 0xff]), [
    'hp:0x000000000ff0  00 01 02 03 04 05 06 07  08 09 0a 0b 0c 0d 0e 0f  ................',
    'hp:0x000000001000  7e 7f ff                                          ~..',
  ]],
  ['a high address', 'gv', 0xffffffff80100000n, bytes(1, 0x90), [
    'gv:0xffffffff80100000  90                                                .',
  ]],
]; // prettier-ignore

describe('memory as text', () => {
  for (const [what, space, first, memory, lines] of ROWS)
    it(what, () => assert.deepEqual(hexDump(space, first, memory), lines));
});
