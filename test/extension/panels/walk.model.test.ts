import assert from 'node:assert/strict';
import {
  chain,
  pathOf,
  placeOf,
  stages,
  verdictText,
  type Reference,
  type Verdict,
  type View,
} from '../../../extension/panels/walk.model';

const reference = (number: number, name: string, tables: Reference['tables'], at: number): Reference => ({
  number, name, tables, level: 1, entry: '0x1', bytes: 8, present: true, writable: true, user: true, executable: true,
  accessed: true, dirty: false, global: false, leaf: false, reserved: '0x0', target: 0x1000, targetSpace: 'gp',
  ...(tables === 'guest' ? { gpa: at } : { hpa: at }),
}); // prettier-ignore
const view = (more: Partial<View>): View => ({
  gva: '0xffff', access: 'read', user: false, paging: 'nested', references: [], verdicts: [], ...more,
}); // prettier-ignore

describe('page-table view: a walk', () => {
  it('puts second-stage entries before the guest entry that they find, and those of the page last', () => {
    const grouped = stages([
      reference(1, 'PML4E', 'nested', 0x10),
      reference(2, 'PTE', 'nested', 0x20),
      reference(3, 'PML4E', 'guest', 0x30),
      { ...reference(4, 'PTE', 'nested', 0x40), locates: { what: 'page', gpa: 0x5000 } },
    ]);
    assert.deepEqual(
      grouped.map(({ name, nested, entry }) => [name, nested.map(({ number }) => number), entry?.number]),
      [
        ['PML4E', [1, 2], 3],
        ['page', [4], undefined],
      ],
    );
  });
  it('has a chain of spaces as far as the address gets', () => {
    assert.deepEqual(chain(view({ gpa: 0x1000 })), [
      { space: 'gv', address: '0xffff' },
      { space: 'gp', address: '0x1000' },
      { space: 'hp', address: undefined },
    ]);
    assert.equal(chain(view({ paging: 'none' })).length, 2);
  });
  it('marks the places that it passes, in the space where they lie', () => {
    const shadow = {
      form: '4-level' as const,
      state: 'filled' as const,
      references: [reference(5, 'PTE', 'shadow', 7)],
    };
    const path = pathOf(view({ references: [reference(1, 'PTE', 'guest', 8)], shadow }));
    assert.deepEqual([...path], ['guest 8', 'shadow 7']);
    assert.equal(pathOf(undefined).size, 0);
  });
  it('says where an entry lies', () => {
    assert.equal(placeOf({ gpa: 0x10, hpa: 0x20 }), 'gp:0x10');
    assert.equal(placeOf({ hpa: 0x20 }), 'hp:0x20');
    assert.equal(placeOf({}), undefined);
  });
  const VERDICTS: [Verdict, string][] = [
    [{ access: 'read', user: false, outcome: 'done' }, 'supervisor read: works'],
    [
      { access: 'write', user: true, outcome: 'page-fault', errorCode: 7, reason: 'The PTE is read-only.' },
      'user write: page fault, error code 0x7. The PTE is read-only.',
    ],
    [
      { access: 'execute', user: false, outcome: 'exit', exit: 'nested-fault' },
      'supervisor execute: VM exit (nested-fault)',
    ],
  ];
  for (const [verdict, text] of VERDICTS) it(text, () => assert.equal(verdictText(verdict), text));
});
