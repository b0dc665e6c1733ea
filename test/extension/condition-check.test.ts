/** Conditions without a session: the grammar with its columns, and what may come next. */
import assert from 'node:assert/strict';
import { endsUnfinished } from '../../debug-adapter/condition-names';
import { checkOffline } from '../../extension/condition-check';

const MISTAKES: [string, number][] = [
  ['exit.reason == ', 16],
  ['a + * b )', 9],
  ['(a == 1', 8],
  ['a == 09', 6],
  ['$rax == 0x1 ?', 14],
  ['a @ b', 3],
];
const FINE = [
  '',
  'exit.reason == "io" && exit.port == 0x3f8',
  'trap.vector == 14',
  '$rax > 5',
  'page->count == 3',
  'gp:0x1000 == 5',
];

const COMPLETIONS: [string, string[], string][] = [
  ['exit.re', ['exit.reason', 'exit.register'], 'exit.reason'],
  ['a && tr', ['trap.vector', 'trap.address'], 'a && trap.vector'],
  ['exit.reason == ', ['io', 'cr-access'], 'exit.reason == "io"'],
  ['exit.reason != "cr', ['cr-access'], 'exit.reason != "cr-access"'],
  ['trap.source == "int', ['interrupt'], 'trap.source == "interrupt"'],
];

const UNFINISHED: [string, boolean][] = [
  ['trap.vec', true],
  ['a && exit.', true],
  ['trap.vector', false],
  ['exit.re', true],
  ['trap', false],
  ['exit.size', false],
  ['trap.vec == 1', false],
];

describe('conditions before a session', () => {
  for (const [text, wanted] of UNFINISHED)
    it(`${text} ${wanted ? 'ends with a name that is not finished' : 'can be taken'}`, () =>
      assert.equal(endsUnfinished(text), wanted));

  for (const [text, column] of MISTAKES)
    it(`${text}: column ${column}`, () => {
      const { problem } = checkOffline(text);
      assert.equal(problem?.column, column, problem?.message);
      assert.match(problem.message, new RegExp(`^Column ${column}: `));
    });

  for (const text of FINE) it(`'${text}' is fine`, () => assert.equal(checkOffline(text).problem, undefined));

  for (const [text, wanted, whole] of COMPLETIONS)
    it(`after ${text}`, () => {
      const { items } = checkOffline(text);
      for (const label of wanted) assert.ok(items.some((item) => item.label === label), `${label} of ${items.map(({ label: each }) => each).join(' ')}`); // prettier-ignore
      const taken = items.map(
        ({ text: put, start, length }) => text.slice(0, start) + put + text.slice(start + length),
      );
      assert.ok(taken.includes(whole), taken.join(' | '));
    });
});
