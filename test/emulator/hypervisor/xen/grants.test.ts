/** Grant tables: refusals by rule, both versions, both widths of structures, and random operations against a model. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { GrantMappings } from '../../../../emulator/hypervisor/xen/grants/mappings';
import { grantTableOp } from '../../../../emulator/hypervisor/xen/grants/operation';
import type { GrantContext } from '../../../../emulator/hypervisor/xen/grants/operation';
import { GNTST } from '../../../../emulator/hypervisor/xen/grants/status';
import type { GrantStatus } from '../../../../emulator/hypervisor/xen/grants/status';
import { GrantTable } from '../../../../emulator/hypervisor/xen/grants/table';
import { FakeCaller, FakeDomain, FakeFrames, PAGE_TABLE, errnoOf } from './fake-domain';

const FRAMES = 16;
const SHARED = 64;
const DOMID_SELF = 0x7ff0;
const OP = { map: 0, unmap: 1, setup: 2, transfer: 4, copy: 5, query: 6, setVersion: 8, statusFrames: 9, getVersion: 10, swap: 11 } as const; // prettier-ignore
const GTF = { permit: 1, transitive: 3, readonly: 4, reading: 8, writing: 16, subPage: 256 } as const;
const MAP = { device: 1, host: 2, readonly: 4 } as const;
const AT = 0x2000n;

function setUp({ word = 8 as 4 | 8, version = 1 as 1 | 2 } = {}) {
  const memory = new FakeFrames(FRAMES * 3 + SHARED);
  const domains = [0, 1, 2].map((id) => new FakeDomain({ id, word, memory, first: id * FRAMES, frames: FRAMES, privileged: id === 0 })); // prettier-ignore
  const free = Array.from({ length: SHARED }, (_, i) => FRAMES * 3 + i);
  const shared = { take: () => free.shift(), give: (mfn: number) => void free.push(mfn) };
  const refused: string[] = [];
  const tableOf = (id: number): GrantTable | undefined => tables[id];
  const tables: GrantTable[] = domains.map((domain) => new GrantTable(domain, shared, tableOf));
  const mappings = domains.map((domain) => new GrantMappings(domain, tableOf));
  const callers = domains.map((domain) => new FakeCaller(domain));
  const context = (id: number): GrantContext => ({ domain: domains[id]!, table: tables[id]!, mappings: mappings[id]!, tableOf, refused: (why) => refused.push(why) }); // prettier-ignore
  const op = (id: number, command: number, count = 1): number => grantTableOp(context(id), callers[id]!, command, AT, count); // prettier-ignore
  for (const table of tables) {
    table.grow(1);
    table.setVersion(version);
  }
  /** As a guest's kernel does it: the flags last. `frame` counts from the domain's first. */
  const grant = (id: number, ref: number, { flags = GTF.permit as number, to = 0, frame = 5, more = [] as [offset: number, bytes: 2 | 4, value: number][] } = {}): void => {
    const mfn = tables[id]!.grow(1)[0]!;
    const at = ref * (version === 1 ? 8 : 16);
    memory.write(mfn, at + 2, 2, to);
    if (version === 1) memory.write(mfn, at + 4, 4, domains[id]!.first + frame);
    else memory.write64(mfn, at + 8, BigInt(domains[id]!.first + frame));
    for (const [offset, bytes, value] of more) memory.write(mfn, at + offset, bytes, value);
    memory.write(mfn, at, 2, flags);
  }; // prettier-ignore
  const uses = (id: number, ref: number): number => {
    const [mfn, at] = version === 1 ? [tables[id]!.grow(1)[0]!, ref * 8] : [tables[id]!.status[0]!, ref * 2];
    return memory.read(mfn, at, 2) & (GTF.reading | GTF.writing);
  };
  const map = (id: number, from: number, ref: number, { flags = MAP.host as number, address = 0x5000n } = {}) => {
    const caller = callers[id]!;
    caller.write64(AT, address);
    caller.write(AT + 8n, 4, flags);
    caller.write(AT + 12n, 4, ref);
    caller.write(AT + 16n, 2, from);
    op(id, OP.map);
    return { status: signed(caller.read(AT + 18n, 2)), handle: caller.read(AT + 20n, 4), bus: caller.read64(AT + 24n) };
  };
  const unmap = (id: number, handle: number, address = 0x5000n, bus = 0n): number => {
    const caller = callers[id]!;
    caller.write64(AT, address);
    caller.write64(AT + 8n, bus);
    caller.write(AT + 16n, 4, handle);
    op(id, OP.unmap);
    return signed(caller.read(AT + 20n, 2));
  };
  type End = { grant?: number; frame?: number; domain: number; offset: number };
  const copy = (id: number, source: End, target: End, bytes: number): number => {
    const caller = callers[id]!;
    const [w, end] = [BigInt(word), BigInt(2 * word)];
    for (const [at, one] of [[AT, source], [AT + end, target]] as const) {
      if (word === 8) caller.write64(at, BigInt(one.grant ?? one.frame!));
      else caller.write(at, 4, one.grant ?? one.frame!);
      caller.write(at + w, 2, one.domain);
      caller.write(at + w + 2n, 2, one.offset);
    }
    caller.write(AT + 2n * end, 2, bytes);
    caller.write(AT + 2n * end + 2n, 2, (source.grant === undefined ? 0 : 1) | (target.grant === undefined ? 0 : 2));
    op(id, OP.copy);
    return signed(caller.read(AT + 2n * end + 4n, 2));
  }; // prettier-ignore
  return { memory, domains, tables, mappings, callers, refused, free, op, grant, uses, map, unmap, copy };
}
const signed = (value: number): number => (value << 16) >> 16;

describe('Xen grant tables', () => {
  type Setup = ReturnType<typeof setUp>;
  const rows: [name: string, status: GrantStatus, action: (s: Setup) => number, version?: 2][] = [
    ['a page that is granted', 'okay', (s) => s.map(0, 1, 9).status],
    ['no grant', 'general_error', (s) => s.map(0, 1, 100).status],
    ['a number beyond the table', 'bad_gntref', (s) => s.map(0, 1, 0xffff_ffff).status],
    ['a domain that is not there', 'bad_domain', (s) => s.map(0, 77, 9).status],
    ["another's grant", 'general_error', (s) => s.map(2, 1, 9).status],
    ['neither host nor device', 'bad_gntref', (s) => s.map(0, 1, 9, { flags: 0 }).status],
    ['writing what is to be read', 'general_error', (s) => (s.grant(1, 9, { flags: 5 }), s.map(0, 1, 9).status)],
    ['reading what is to be read', 'okay', (s) => (s.grant(1, 9, { flags: 5 }), s.map(0, 1, 9, { flags: MAP.host | MAP.readonly }).status)],
    ["a page that is not the granter's", 'general_error', (s) => (s.grant(1, 9, { frame: 20 }), s.map(0, 1, 9).status)],
    ['a page table, to write', 'general_error', (s) => (s.grant(1, 9, { frame: PAGE_TABLE }), s.map(0, 1, 9).status)],
    ['an address that no table maps', 'bad_virt_addr', (s) => s.map(0, 1, 9, { address: 0n }).status],
    ['a handle that is not there', 'bad_handle', (s) => s.unmap(0, 3)],
    ['a handle twice', 'bad_handle', (s) => (s.map(0, 1, 9), s.unmap(0, 0), s.unmap(0, 0))],
    ['another address than it was mapped at', 'bad_virt_addr', (s) => (s.map(0, 1, 9), s.unmap(0, 0, 0x6000n))],
    ['another bus address', 'bad_dev_addr', (s) => (s.map(0, 1, 9, { flags: MAP.device }), s.unmap(0, 0, 0n, 0x1000n))],
    ['a device mapping', 'okay', (s) => s.unmap(0, 0, 0n, s.map(0, 1, 9, { flags: MAP.device }).bus)],
    ['a copy across the end of a page', 'bad_copy_arg', (s) => s.copy(0, { grant: 9, domain: 1, offset: 4000 }, { frame: 3, domain: DOMID_SELF, offset: 0 }, 200)],
    ['a copy into a foreign frame', 'bad_page', (s) => s.copy(0, { grant: 9, domain: 1, offset: 0 }, { frame: 20, domain: DOMID_SELF, offset: 0 }, 200)],
    ["a copy into another's frame by its number", 'permission_denied', (s) => s.copy(0, { grant: 9, domain: 1, offset: 0 }, { frame: 20, domain: 1, offset: 0 }, 200)],
    ['a part of a page, mapped', 'general_error', (s) => (s.grant(1, 9, { flags: GTF.permit | GTF.subPage, more: [[4, 2, 100], [6, 2, 50]] }), s.map(0, 1, 9).status), 2],
    ['a copy within a part', 'okay', (s) => (s.grant(1, 9, { flags: GTF.permit | GTF.subPage, more: [[4, 2, 100], [6, 2, 50]] }), s.copy(0, { grant: 9, domain: 1, offset: 100 }, { frame: 3, domain: DOMID_SELF, offset: 0 }, 50)), 2],
    ['a copy beyond a part', 'general_error', (s) => (s.grant(1, 9, { flags: GTF.permit | GTF.subPage, more: [[4, 2, 100], [6, 2, 50]] }), s.copy(0, { grant: 9, domain: 1, offset: 100 }, { frame: 3, domain: DOMID_SELF, offset: 0 }, 51)), 2],
    ['a part beyond its page', 'general_error', (s) => (s.grant(1, 9, { flags: GTF.permit | GTF.subPage, more: [[4, 2, 4090], [6, 2, 50]] }), s.copy(0, { grant: 9, domain: 1, offset: 0 }, { frame: 3, domain: DOMID_SELF, offset: 0 }, 1)), 2],
    ['a grant of a grant', 'okay', (s) => (s.grant(2, 4, { to: 1 }), s.grant(1, 9, { flags: GTF.transitive, more: [[4, 2, 2], [8, 4, 4]] }), s.copy(0, { grant: 9, domain: 1, offset: 0 }, { frame: 3, domain: DOMID_SELF, offset: 0 }, 8)), 2],
    ['a grant of a grant for somebody else', 'general_error', (s) => (s.grant(2, 4, { to: 0 }), s.grant(1, 9, { flags: GTF.transitive, more: [[4, 2, 2], [8, 4, 4]] }), s.copy(0, { grant: 9, domain: 1, offset: 0 }, { frame: 3, domain: DOMID_SELF, offset: 0 }, 8)), 2],
    ['a grant of itself', 'general_error', (s) => (s.grant(1, 9, { flags: GTF.transitive, more: [[4, 2, 1], [8, 4, 9]] }), s.copy(0, { grant: 9, domain: 1, offset: 0 }, { frame: 3, domain: DOMID_SELF, offset: 0 }, 8)), 2],
  ]; // prettier-ignore
  for (const [name, status, action, version] of rows)
    for (const word of [4, 8] as const)
      it(`${name}: ${status} (${word * 8} bits)`, () => {
        const s = setUp({ word, version: version ?? 1 });
        s.grant(1, 9);
        assert.equal(action(s), GNTST[status]);
        assert.equal(s.refused.length > 0, status !== 'okay');
      });

  for (const version of [1, 2] as const)
    it(`version ${version}: who uses a grant shows in the table and in the view, and keeps the page`, () => {
      const s = setUp({ version });
      s.grant(1, 9);
      assert.equal(s.uses(1, 9), 0);
      const { handle, bus } = s.map(0, 1, 9);
      assert.deepEqual([s.uses(1, 9), bus], [GTF.reading | GTF.writing, BigInt(FRAMES + 5) * 4096n]);
      const reader = s.map(0, 1, 9, { flags: MAP.host | MAP.readonly, address: 0x6000n });
      assert.deepEqual(s.tables[1]!.inspect().grants, [{ ref: 9, what: 'the page', grantee: 0, frame: FRAMES + 5, uses: [{ domain: 0, how: 'mapping', writable: true }, { domain: 0, how: 'mapping', writable: false }] }]);
      s.grant(1, 9, { frame: 7 }); // too late
      assert.equal(s.domains[1]!.users.get(FRAMES + 5), 2);
      assert.equal(s.unmap(0, handle), 0);
      assert.equal(s.uses(1, 9), GTF.reading);
      assert.equal(s.unmap(0, reader.handle, 0x6000n), 0);
      assert.deepEqual([s.uses(1, 9), [...s.domains[1]!.users], [...s.domains[0]!.mappings]], [0, [], []]);
    }); // prettier-ignore

  it('a table grows on demand, tells its frames, and changes its version while nothing is in use', () => {
    const s = setUp();
    const [caller] = s.callers;
    const setup = (count: number): number => {
      caller!.write(AT, 2, DOMID_SELF);
      caller!.write(AT + 4n, 4, count);
      caller!.write64(AT + 16n, 0x3000n);
      s.op(0, OP.setup);
      return signed(caller!.read(AT + 8n, 2));
    };
    assert.equal(setup(2), 0);
    assert.deepEqual([caller!.read64(0x3000n), caller!.read64(0x3008n)].map(Number), s.tables[0]!.inspect().frames);
    assert.equal(setup(65), GNTST.general_error);
    s.tables[0]!.prepare(1, 2, 3);
    caller!.write(AT, 4, 2);
    assert.equal(s.op(0, OP.setVersion), 0);
    assert.deepEqual(s.tables[0]!.inspect().grants.map(({ ref, grantee, frame }) => [ref, grantee, frame]), [[1, 2, 3]]);
    s.grant(1, 9);
    s.map(0, 1, 9);
    s.callers[1]!.write(AT, 4, 2);
    assert.equal(errnoOf(() => s.op(1, OP.setVersion)), 16);
    assert.equal(errnoOf(() => s.op(1, OP.map, 5000)), 22);
    assert.equal(errnoOf(() => s.op(1, 99)), 38);
  }); // prettier-ignore

  it('a copy is whole, in both widths', () => {
    for (const word of [4, 8] as const) {
      const s = setUp({ word });
      s.grant(1, 9);
      const data = Uint8Array.from({ length: 100 }, (_, i) => i);
      s.memory.writeBytes(FRAMES + 5, 30, data);
      assert.equal(s.copy(0, { grant: 9, domain: 1, offset: 30 }, { frame: 3, domain: DOMID_SELF, offset: 7 }, 100), 0);
      assert.deepEqual(s.memory.readBytes(3, 7, 100), data);
      assert.deepEqual([s.uses(1, 9), [...s.domains[1]!.users], [...s.domains[0]!.users]], [0, [], []]);
    }
  });

  it('a domain that ends takes its pages along, wherever they are mapped', () => {
    const s = setUp();
    s.grant(1, 9);
    s.grant(1, 10, { to: 2 });
    const { handle } = s.map(0, 1, 9);
    s.map(2, 1, 10);
    s.mappings[0]!.restore(structuredClone(s.mappings[0]!.save()));
    for (const mappings of s.mappings) mappings.revoke(1);
    assert.equal(s.tables[1]!.inUse, false);
    assert.deepEqual([...s.domains[0]!.mappings, ...s.domains[2]!.mappings, ...s.domains[1]!.users], []);
    assert.equal(s.unmap(0, handle), GNTST.bad_handle);
  });

  const op = fc.record({
    kind: fc.constantFrom('map', 'unmap', 'end', 'copy', 'grant', 'save'),
    by: fc.constantFrom(0, 2),
    ref: fc.nat(3),
    handle: fc.nat(4),
    flags: fc.constantFrom(GTF.permit, GTF.permit | GTF.readonly, 0),
    readonly: fc.boolean(),
  });
  it('random operations end as in the model: counts of frames, flags, holders', () => {
    fc.assert(
      fc.property(fc.array(op, { maxLength: 80 }), fc.constantFrom(1 as const, 2 as const), (steps, version) => {
        const s = setUp({ version });
        const granted = new Map<number, { flags: number; to: number }>();
        const held: { by: number; handle: number; ref: number; writable: boolean }[] = [];
        for (const { kind, by, ref, handle, flags, readonly } of steps) {
          const users = held.filter((one) => one.ref === ref);
          if (kind === 'grant' && users.length === 0) {
            s.grant(1, ref, { flags, to: by, frame: 4 + ref });
            granted.set(ref, { flags, to: by });
          } else if (kind === 'map' || kind === 'copy') {
            const entry = granted.get(ref);
            const writable = kind === 'map' && !readonly;
            const allowed = entry !== undefined && entry.flags !== 0 && entry.to === by && !(writable && entry.flags & GTF.readonly);
            const mine = held.filter((one) => one.by === by).map((one) => one.handle);
            let free = 0;
            while (mine.includes(free)) free++;
            const result = kind === 'map' ? s.map(by, 1, ref, { flags: MAP.host | (readonly ? MAP.readonly : 0), address: BigInt(0x5000 + free * 0x1000) })
              : { status: s.copy(by, { grant: ref, domain: 1, offset: 0 }, { frame: s.domains[by]!.first + 3, domain: DOMID_SELF, offset: 0 }, 64), handle: -1 };
            assert.equal(result.status === 0, allowed);
            if (allowed && kind === 'map') {
              assert.equal(result.handle, free);
              held.push({ by, handle: free, ref, writable });
            }
          } else if (kind === 'unmap') {
            const at = held.findIndex((one) => one.by === by && one.handle === handle);
            assert.equal(s.unmap(by, handle, BigInt(0x5000 + handle * 0x1000)) === 0, at >= 0);
            if (at >= 0) held.splice(at, 1);
          } else if (kind === 'end') {
            s.mappings[by]!.dissolve();
            s.domains[by]!.mappings.clear();
            held.splice(0, held.length, ...held.filter((one) => one.by !== by));
          } else if (kind === 'save') {
            s.tables[1]!.restore(structuredClone(s.tables[1]!.save()));
            s.mappings[by]!.restore(structuredClone(s.mappings[by]!.save()));
          }
        }
        for (const ref of [0, 1, 2, 3]) {
          const users = held.filter((one) => one.ref === ref);
          assert.equal(s.domains[1]!.users.get(FRAMES + 4 + ref) ?? 0, users.length);
          assert.equal(s.uses(1, ref), (users.length > 0 ? GTF.reading : 0) | (users.some(({ writable }) => writable) ? GTF.writing : 0));
        }
        assert.equal(s.tables[1]!.inUse, held.length > 0);
      }),
      { numRuns: 200 },
    );
  }); // prettier-ignore
});
