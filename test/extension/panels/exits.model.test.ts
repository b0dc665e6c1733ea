import assert from 'node:assert/strict';
import fc from 'fast-check';
import {
  conditionFor,
  count,
  csv,
  fields,
  history,
  LiveRates,
  percent,
  reasons,
  ticks,
} from '../../../extension/panels/exits.model';
import type { Exit, Exits } from '../../../extension/panels/exits.model';

const exit = (more: object): Exit =>
  ({ number: 3, at: 1000, reason: 'io', domain: 0, vcpu: 0, gva: '0x1000', cpl: 0, text: 'out', cause: { reason: 'io' }, ...more }) as unknown as Exit; // prettier-ignore
const answer = (more: Partial<Exits>): Exits =>
  ({ technique: 'vt-x', paging: 'nested', instructions: 2_000_000, total: 0, oldest: 0, exits: [], reasons: [], holes: [], counting: false, subscribed: true, ...more }); // prettier-ignore

describe('exits panel: counters', () => {
  it('shares, rates, and cost where it was measured', () => {
    const body = answer({ total: 4, reasons: [{ reason: 'io', count: 3, hostNs: 0 }, { reason: 'hlt', count: 1, hostNs: 2e6 }] }); // prettier-ignore
    assert.deepEqual(reasons(body), [
      { reason: 'io', count: 3, share: 0.75, perMillion: 1.5 },
      { reason: 'hlt', count: 1, share: 0.25, perMillion: 0.5, milliseconds: 2 },
    ]);
  });
  it('nothing divides by nothing', () => {
    const [first] = reasons(answer({ instructions: 0, total: 0, reasons: [{ reason: 'io', count: 0, hostNs: 0 }] }));
    assert.deepEqual([first!.share, first!.perMillion], [0, 0]);
  });
});

describe('exits panel: the chart', () => {
  const buckets = { of: 'all' as const, from: 100, bucketInstructions: 50, counts: { a: [1, 2], b: [4], c: [0, 9] } };
  const order = ['c', 'b', 'a'].map((reason) => ({ reason, count: 1, hostNs: 0 }));
  it('begins each bucket where the adapter says, most frequent reasons first', () => {
    const { at, lines } = history(answer({ buckets, reasons: order }), 5);
    assert.deepEqual(at, [100, 150]);
    assert.deepEqual(lines, [
      { reason: 'c', rank: 0, values: [0, 9] },
      { reason: 'b', rank: 1, values: [4, 0] },
      { reason: 'a', rank: 2, values: [1, 2] },
    ]);
  });
  it('has one line for what has no colour of its own', () => {
    assert.deepEqual(history(answer({ buckets, reasons: order }), 1).lines, [
      { reason: 'c', rank: 0, values: [0, 9] },
      { reason: 'other', rank: 1, values: [5, 2] },
    ]);
  });
  it('is empty without buckets', () => assert.deepEqual(history(answer({}), 3), { at: [], lines: [] }));
  it('counts every exit once, whatever the limit', () =>
    fc.assert(
      fc.property(
        fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), fc.array(fc.nat(1000), { maxLength: 20 })),
        fc.nat(6),
        (counts, limit) => {
          const names = Object.keys(counts).map((reason) => ({ reason, count: 1, hostNs: 0 }));
          const { lines } = history(answer({ buckets: { ...buckets, counts }, reasons: names }), limit);
          const sum = (all: number[][]): number => all.flat().reduce((a, b) => a + b, 0);
          assert.equal(sum(lines.map(({ values }) => values)), sum(Object.values(counts)));
        },
      ),
    ));
  it('shows rates a second while the guest runs, and forgets old ones', () => {
    const live = new LiveRates(2);
    for (const [instructions, milliseconds, io] of [[1, 1000, 9], [2, 500, 10], [3, 250, 5]] as const)
      live.add({ instructions, total: 0, milliseconds, reasons: { io } }); // prettier-ignore
    assert.deepEqual(live.series({ reasons: [] }, 3), {
      at: [2, 3],
      lines: [{ reason: 'io', rank: 0, values: [20, 20] }],
    });
  });
});

describe('exits panel: one exit', () => {
  const io = exit({ cause: { reason: 'io', port: 0x3f8, bytes: 1, write: true, event: undefined } });
  it('lists fields by the names of conditions, the exit itself before its cause', () => {
    const names = fields(exit({ gva: '0x5', cause: { reason: 'invlpg', gva: '0x9' } }));
    assert.deepEqual(new Map(names).get('gva'), '0x5');
    assert(!names.some(([name]) => name === 'cause' || name === 'text'));
  });
  const CONDITIONS: [name: string, exit: Exit, condition: string][] = [
    ['a port', io, 'exit.reason == "io" && exit.port == 0x3f8 && exit.write == 1'],
    ['an MSR', exit({ reason: 'msr-read', cause: { msr: 0x1b } }), 'exit.reason == "msr-read" && exit.msr == 0x1b'],
    ['nothing to tell apart', exit({ reason: 'hlt', cause: {} }), 'exit.reason == "hlt"'],
    [
      'an exception',
      exit({ reason: 'exception', cause: { event: { vector: 14, errorCode: 2 } } }),
      'exit.reason == "exception" && exit.vector == 0xe',
    ],
    [
      'a register by name',
      exit({ reason: 'descriptor-table', cause: { register: 'gdtr' } }),
      'exit.reason == "descriptor-table" && exit.register == "gdtr"',
    ],
  ];
  for (const [name, given, condition] of CONDITIONS)
    it(`a condition for its like: ${name}`, () => assert.equal(conditionFor(given), condition));
});

describe('exits panel: export', () => {
  it('quotes what CSV needs quoted', () => {
    const [head, line] = csv([exit({ text: 'say "x", y', place: 'main+0x10' })]).split('\r\n');
    assert.equal(head, 'number,at,reason,vcpu,gva,cpl,place,text,hostNs');
    assert.equal(line, '3,1000,io,0,0x1000,0,main+0x10,"say ""x"", y",');
  });
  const NUMBERS: [string, string][] = [
    [count(1234567), '1,234,567'], [count(0.1234), '0.12'], [count(12.7), '13'], [percent(0), '0.0 %'],
    [percent(0.0001), '<0.1 %'], [percent(0.1234), '12.3 %'],
  ]; // prettier-ignore
  const MARKS: [number[], string][] = [
    [[3.0839e9, 3.08395e9, 3.084e9], '3.08390 G, 3.08395 G, 3.08400 G'], [[0, 500, 1000, 1500], '0, 0.5 k, 1.0 k, 1.5 k'],
    [[0, 5], '0, 5'], [[0, 0.1], '0, 0.1'], [[7e6], '7 M'], [[], ''],
  ]; // prettier-ignore
  for (const [marks, wanted] of MARKS)
    it(`marks an axis: ${wanted}`, () => assert.equal(ticks(marks).join(', '), wanted));
  for (const [written, wanted] of NUMBERS) it(`writes ${wanted}`, () => assert.equal(written, wanted));
});
