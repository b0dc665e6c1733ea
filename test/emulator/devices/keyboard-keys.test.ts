import { strict as assert } from 'node:assert';
import { sequenceOf } from '../../../emulator/devices/keyboard-keys';

/** Keyboard scan code table of the PS/2 keyboard, set 2: make and break. */
const ROWS: [code: string, make: string, release: string][] = [
  ['KeyA', '1c', 'f0 1c'], ['KeyZ', '1a', 'f0 1a'], ['Digit1', '16', 'f0 16'], ['Digit0', '45', 'f0 45'],
  ['Space', '29', 'f0 29'], ['Enter', '5a', 'f0 5a'], ['Escape', '76', 'f0 76'], ['Tab', '0d', 'f0 0d'],
  ['Backspace', '66', 'f0 66'], ['Backquote', '0e', 'f0 0e'], ['Minus', '4e', 'f0 4e'], ['Slash', '4a', 'f0 4a'],
  ['F1', '05', 'f0 05'], ['F7', '83', 'f0 83'], ['F12', '07', 'f0 07'], ['ShiftLeft', '12', 'f0 12'],
  ['ControlRight', 'e0 14', 'e0 f0 14'], ['ArrowUp', 'e0 75', 'e0 f0 75'], ['Delete', 'e0 71', 'e0 f0 71'],
  ['NumpadEnter', 'e0 5a', 'e0 f0 5a'], ['Numpad5', '73', 'f0 73'],
]; // prettier-ignore

const hex = (bytes: readonly number[] | undefined): string | undefined =>
  bytes?.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');

describe('keys by their place', () => {
  for (const [code, make, release] of ROWS)
    it(code, () => assert.deepEqual([hex(sequenceOf(code, true)), hex(sequenceOf(code, false))], [make, release]));

  it('no two keys send the same', () => {
    const names = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'].map((letter) => `Key${letter}`);
    const sent = [...names, ...ROWS.map(([code]) => code)].map((code) => hex(sequenceOf(code, true)));
    assert.equal(new Set(sent).size, new Set([...names, ...ROWS.map(([code]) => code)]).size);
  });
  it('a PC keyboard has no such key', () => assert.equal(sequenceOf('LaunchMail', true), undefined));
});
