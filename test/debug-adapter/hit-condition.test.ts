/** Hit conditions and log messages. */
import assert from 'node:assert/strict';
import { parseHitCondition, parseLogMessage } from '../../debug-adapter/hit-condition';

const hits = (text: string, expected: number[]): void => {
  it(`'${text}' holds at ${expected}`, () => {
    const holds = parseHitCondition(text);
    assert.deepEqual([1, 2, 3, 4, 5, 6].filter((n) => holds(n)), expected);
  });
}; // prettier-ignore

describe('hit conditions', () => {
  hits('5', [5]);
  hits(' == 2 ', [2]);
  hits('= 2', [2]);
  hits('>= 3', [3, 4, 5, 6]);
  hits('>4', [5, 6]);
  hits('<3', [1, 2]);
  hits('<= 1', [1]);
  hits('% 2', [2, 4, 6]);
  for (const wrong of ['', 'often', '% 0', '>= ', '-1', '1e3']) {
    it(`refuses '${wrong}'`, () => assert.throws(() => parseHitCondition(wrong), /write 5, >= 3 or % 2/));
  }
});

describe('log messages', () => {
  it('cuts out expressions and keeps escaped braces', () => {
    assert.deepEqual(parseLogMessage('a={ a } \\{b\\} {c->d}!'), ['a=', { expression: 'a' }, ' {b} ', { expression: 'c->d' }, '!']); // prettier-ignore
  });
  it('names the column of an open brace', () => assert.throws(() => parseLogMessage('ab{c'), /column 3/));
});
