import assert from 'node:assert/strict';
import { leavesPanel, runs, type Screen } from '../../../extension/panels/screen.model';

const screen = (text: string[], attributes: number[], cursor?: Screen['cursor']): Screen => ({
  columns: text[0]!.length,
  rows: text.length,
  text,
  attributes: btoa(String.fromCharCode(...attributes)),
  ...(cursor ? { cursor } : {}),
});
/** `text foreground/background`, `!` for blinking, `_` for the cursor. */
const written = (given: Screen): string[][] =>
  runs(given).map((row) =>
    row.map((r) => `${r.text} ${r.foreground}/${r.background}${r.blink ? '!' : ''}${r.cursor ? '_' : ''}`),
  );

const ROWS: [name: string, given: Screen, wanted: string[][]][] = [
  ['cells alike are one run', screen(['abcd'], [7, 7, 7, 7]), [['abcd 7/0']]],
  ['a run ends where the colour changes', screen(['abcd'], [7, 7, 0x1f, 0x1f]), [['ab 7/0', 'cd 15/1']]],
  ['the high bit blinks', screen(['ab'], [0x87, 0x07]), [['a 7/0!', 'b 7/0']]],
  ['the cursor is a run of its own', screen(['abc'], [7, 7, 7], { row: 0, column: 1 }), [['a 7/0', 'b 7/0_', 'c 7/0']]],
  ['a row ends a run', screen(['ab', 'cd'], [7, 7, 7, 7]), [['ab 7/0'], ['cd 7/0']]],
];
describe('screen panel', () => {
  for (const [name, given, wanted] of ROWS) it(name, () => assert.deepEqual(written(given), wanted));

  const KEYS: [object, boolean][] = [
    [{ key: 'Tab' }, false],
    [{ key: 'Tab', ctrlKey: true }, true],
    [{ key: 'Tab', shiftKey: true }, true],
    [{ key: 'a', ctrlKey: true }, false],
  ];
  for (const [event, leaves] of KEYS)
    it(`${JSON.stringify(event)} ${leaves ? 'leaves the panel' : 'goes to the guest'}`, () =>
      assert.equal(leavesPanel({ key: '', ctrlKey: false, shiftKey: false, ...event }), leaves));
});
