/** Walks through two stages against arithmetic on tables that the test itself has laid out: scattered frames, pages of 4 KiB. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { memoryBytes } from '../../../emulator/execution/layout';
import { EPT, EPTP, eptContext } from '../../../emulator/mmu/ept';
import { emptyContext, ENTRY, formatOf, nptContext } from '../../../emulator/mmu/guest-paging';
import type { PagingContext } from '../../../emulator/mmu/guest-paging';
import { PhysicalMemory } from '../../../emulator/mmu/physical-memory';
import { walkSecond, walkStages } from '../../../emulator/mmu/staged-walk';

const RAM_BYTES = 4 << 20;
const PAGE = 4096;
/** The guest's pages: the first four are its tables, one a level, the root last. */
const GUEST_PAGES = 64;
const FORMATS = {
  EPT: { table: EPT.R | EPT.W | EPT.X, leaf: EPT.R | EPT.W | EPT.X | EPT.WRITE_BACK, context: (root: number) => eptContext(BigInt(root | EPTP.LENGTH_4 | EPTP.WRITE_BACK)) },
  NPT: { table: ENTRY.P | ENTRY.W | ENTRY.U | ENTRY.A, leaf: ENTRY.P | ENTRY.W | ENTRY.U | ENTRY.A | ENTRY.D, context: nptContext },
} as const; // prettier-ignore
type Format = keyof typeof FORMATS;

interface World {
  memory: PhysicalMemory;
  second: PagingContext;
  paging: PagingContext;
  frameOf: readonly number[];
  /** Where the second stage's entry for a page lies. */
  nestedEntry(page: number): number;
}

/** `shift`: how host frames are scattered. The guest maps page n of its memory at gva n * 4096, `rights` on the leaves. */
function world(format: Format, shift: number, rights = ENTRY.W | ENTRY.U): World {
  const memory = new PhysicalMemory(new WebAssembly.Memory({ initial: memoryBytes(1, RAM_BYTES) / 0x1_0000, maximum: memoryBytes(1, RAM_BYTES) / 0x1_0000 }), RAM_BYTES);
  memory.setKind(0, RAM_BYTES - 1, 'ram');
  const { table, leaf, context } = FORMATS[format];
  const write = (hpa: number, value: number): void => memory.view.setBigUint64(memory.base + hpa, BigInt(value), true);
  // Guest frames from 1 MiB on in an order of their own; the second stage at 2 MiB: root, then a table a level.
  const frameOf = Array.from({ length: GUEST_PAGES }, (_, page) => 256 + ((page * 37 + shift) % 251));
  const nested = 512 * PAGE;
  for (let level = 0; level < 3; level++) write(nested + level * PAGE, (nested + (level + 1) * PAGE) | table);
  frameOf.forEach((frame, page) => write(nested + 3 * PAGE + page * 8, (frame * PAGE) | leaf));
  const hpa = (gpa: number): number => frameOf[Math.floor(gpa / PAGE)]! * PAGE + (gpa % PAGE);
  const used = ENTRY.P | ENTRY.A | ENTRY.W | ENTRY.U;
  for (let level = 3; level > 0; level--) write(hpa(level * PAGE), ((level - 1) * PAGE) | used);
  for (let page = 0; page < GUEST_PAGES; page++) write(hpa(page * 8), (page * PAGE) | ENTRY.P | ENTRY.A | ENTRY.D | rights);
  const paging = { ...emptyContext(), format: formatOf(true, true, true, { nxe: true, pse: false, gigabytePages: true }), root: 3 * PAGE, writeProtect: true };
  return { memory, second: context(nested), paging, frameOf, nestedEntry: (page) => nested + 3 * PAGE + page * 8 };
} // prettier-ignore

const LOOK = { access: 'read', user: false } as const;

describe('walks through two stages', () => {
  for (const format of ['EPT', 'NPT'] as const)
    it(`24 references over ${format}, in the processor's order, and none of them leaves a trace`, () => {
      fc.assert(
        fc.property(fc.nat(250), fc.nat(GUEST_PAGES - 1), fc.nat(PAGE - 1), (shift, page, offset) => {
          const { memory, second, paging, frameOf } = world(format, shift);
          const before = memory.image();
          const { references, gpa, hpa, fault } = walkStages({ paging, memory, second }, BigInt(page * PAGE + offset), LOOK); // prettier-ignore
          assert.equal(fault, undefined);
          assert.equal(references.length, 24);
          // Before each guest entry four of the second stage, and four for the page.
          assert.deepEqual(references.map(({ tables }) => tables[0]).join(''), 'nnnng'.repeat(4) + 'nnnn');
          assert.equal(gpa, page * PAGE + offset);
          assert.equal(hpa, frameOf[page]! * PAGE + offset);
          references.forEach((each, i) => {
            if (each.tables !== 'guest') return;
            // Where the entry lies is what the four before it found.
            const at = references[i - 1]!;
            assert.equal(each.hpa, at.target + (each.gpa! % PAGE));
            assert.deepEqual(at.locates, { what: each.name, gpa: each.gpa });
          });
          assert.deepEqual(memory.image(), before);
        }),
        { numRuns: 40 },
      );
    });

  it('says where it stops: in which stage, at which entry', () => {
    const { memory, second, paging, nestedEntry } = world('EPT', 7);
    const clear = (hpa: number): void => memory.view.setBigUint64(memory.base + hpa, 0n, true);
    const stages = { paging, memory, second };
    clear(nestedEntry(9));
    const page = walkStages(stages, 9n * 4096n, LOOK);
    assert.deepEqual([page.gpa, page.hpa, page.references.length], [9 * PAGE, undefined, 24]);
    assert.match(page.fault!.reason, /^The EPT PTE of the second stage at hp:0x[0-9a-f]+ is not present: gp:0x9000/);
    assert.equal(page.references.at(-1)!.why, page.fault!.reason);
    assert.equal(walkSecond(stages, 9 * PAGE, 'read').hpa, undefined);
    // A table of the guest's that is not there.
    clear(nestedEntry(1));
    const table = walkStages(stages, 8n * 4096n, LOOK);
    assert.deepEqual([table.gpa, table.fault!.tables], [undefined, 'nested']);
    assert.deepEqual(table.references.at(-1)!.locates!.what, 'PDE');
    assert.equal(walkStages(stages, 1n << 47n, LOOK).fault!.tables, 'guest');
  });

  it('rights are those of both stages', () => {
    const { memory, second, paging, nestedEntry } = world('EPT', 3, 0);
    const stages = { paging, memory, second };
    const asUser = walkStages(stages, 0x5000n, { access: 'read', user: true });
    assert.deepEqual([asUser.fault!.tables, asUser.fault!.errorCode], ['guest', 5]);
    assert.match(
      walkStages(stages, 0x5000n, { access: 'write', user: false }).fault!.reason,
      /PTE at gp:0x28 is read-only/,
    );
    const at = memory.base + nestedEntry(5);
    memory.view.setUint8(at, memory.view.getUint8(at) & ~EPT.X);
    const fetch = walkStages(stages, 0x5000n, { access: 'execute', user: false });
    assert.match(fetch.fault!.reason, /does not allow fetches/);
    assert.equal(walkStages(stages, 0x5000n, LOOK).fault, undefined);
  });
});
