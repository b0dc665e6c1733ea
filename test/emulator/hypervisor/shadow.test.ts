/**
 * Shadow paging against an independent walker: whatever a guest does to its tables, an access by the shadow reaches the
 * byte that the guest's tables name, with the rights that they give, and nothing stays behind that is stale.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { FrameAllocator, RUN_FRAMES } from '../../../emulator/hypervisor/frames';
import { checkShadow } from '../../../emulator/hypervisor/shadow/check';
import { ShadowPaging } from '../../../emulator/hypervisor/shadow/shadow-paging';
import type { ShadowTables } from '../../../emulator/hypervisor/shadow/tables';
import * as layout from '../../../emulator/execution/layout';
import { formatOf } from '../../../emulator/mmu/guest-paging';
import type { PagingContext } from '../../../emulator/mmu/guest-paging';
import { PAGE_BYTES, PhysicalMemory } from '../../../emulator/mmu/physical-memory';
import { RIGHTS } from '../../../emulator/mmu/walk';

const MIB = 1 << 20;
const GUEST_PAGES = 512;
const HOST_BYTES = 16 * MIB;
type Access = 'read' | 'write' | 'execute';

/** SDM vol. 3A 4.3 to 4.5 once more, in the simplest words: no large pages above 4 KiB but where PS is set at level 2. */
function independentWalk(guest: PhysicalMemory, context: PagingContext, gva: number, access: Access, user: boolean): number | 'fault' {
  const wide = context.format.entryBytes === 8;
  const shifts = context.format.name === '4-level' ? [39, 30, 21, 12] : wide ? [30, 21, 12] : [22, 12];
  let table = context.root;
  let [write, forUser, execute] = [true, true, true];
  for (const shift of shifts) {
    const index = Math.floor(gva / 2 ** shift) % (shift === 30 && shifts.length === 3 ? 4 : wide ? 512 : 1024);
    let entry: bigint;
    if (shift === 30 && shifts.length === 3) entry = BigInt(context.pdptes[index * 2] >>> 0) | 6n;
    else {
      const bytes = guest.readBytes(table + index * (wide ? 8 : 4), wide ? 8 : 4);
      const view = new DataView(bytes.buffer);
      // Where there is no RAM the bus reads as ones.
      if (bytes.length === 0) entry = wide ? 2n ** 64n - 1n : 2n ** 32n - 1n;
      else entry = wide ? view.getBigUint64(0, true) : BigInt(view.getUint32(0, true));
    }
    if (!(entry & 1n)) return 'fault';
    const large = (entry & 0x80n) !== 0n && (shift === 21 || shift === 22);
    if (wide && entry & 0x000f_ff00_0000_0000n) return 'fault';
    if ((entry & 0x80n) !== 0n && (shift === 39 || shift === 30)) return 'fault';
    if (large && entry & (wide ? 0x1f_e000n : 0x20_0000n)) return 'fault';
    write &&= (entry & 2n) !== 0n;
    forUser &&= (entry & 4n) !== 0n;
    execute &&= !(entry >> 63n);
    if (shift > 12 && !large) {
      table = Number(entry & 0xff_ffff_f000n);
      continue;
    }
    const allowed = access === 'write' ? write || (!user && !context.writeProtect) : access === 'execute' ? execute : true;
    if (!allowed || (user && !forUser)) return 'fault';
    // PSE-36 keeps bits 39:32 in 20:13.
    const high = !wide && large ? Number((entry >> 13n) & 0xffn) * 2 ** 32 : 0;
    const base = Number(entry & (wide ? 0xff_ffff_f000n : 0xffff_f000n));
    return (large ? Math.floor(base / 2 ** shift) * 2 ** shift : base) + high + (gva % 2 ** shift);
  }
  return 'fault';
} // prettier-ignore

const FORMATS = {
  '2-level': formatOf(true, false, false, { nxe: false, pse: true, gigabytePages: false }),
  PAE: formatOf(true, true, false, { nxe: true, pse: false, gigabytePages: false }),
  '4-level': formatOf(true, true, true, { nxe: true, pse: false, gigabytePages: false }),
};
/** Few addresses, so that tables are shared, mapped twice, and turned into data. */
const ADDRESSES = [0, 0x1000, 0x2000, 0x20_0000, 0x20_1000, 0x40_0000, 0x4000_0000, 0x8000_1000];
const TABLE_PAGES = 12;

/** One for all, one after the other: thousands of memories are a matter of minutes to the garbage collector. */
const pages = Math.ceil(layout.memoryBytes(1, HOST_BYTES) / 0x1_0000);
const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });

class Fixture {
  readonly host: PhysicalMemory;
  readonly guest: PhysicalMemory;
  readonly shadow: ShadowPaging;
  readonly context: PagingContext;
  private tables: ShadowTables;

  constructor(readonly name: keyof typeof FORMATS, writeProtect: boolean) {
    new Uint8Array(memory.buffer, layout.RAM, HOST_BYTES).fill(0);
    this.host = new PhysicalMemory(memory, HOST_BYTES);
    this.host.setKind(0, HOST_BYTES - 1, 'ram');
    const allocator = new FrameAllocator(this.host);
    const frames = allocator.reserve('guest', RUN_FRAMES).takeRuns(GUEST_PAGES);
    // Scattered, as runs of frames alone would not show every mistake.
    frames.reverse();
    this.guest = new PhysicalMemory(memory, GUEST_PAGES * PAGE_BYTES, { host: this.host, frames });
    this.shadow = new ShadowPaging(this.host, this.guest, allocator.reserve('tables', 64), () => {});
    const pdptes = new Int32Array(8);
    if (name === 'PAE') for (let i = 0; i < 3; i++) pdptes[i * 2] = (i + 1) * PAGE_BYTES + 1;
    this.context = { format: FORMATS[name], root: 0, pdptes, writeProtect, smep: false, smap: false };
    this.tables = this.shadow.enter(this.context);
  } // prettier-ignore

  /** As the processor and the hypervisor do together. */
  access(gva: number, access: Access, user: boolean): number | 'fault' | 'mmio' | 'table' {
    this.tables = this.shadow.enter(this.context);
    for (let tries = 0; tries < 8; tries++) {
      const hpa = this.processor(gva, access, user);
      if (hpa !== 'fault') return this.guest.gpaOf(this.host.base + hpa);
      const outcome = this.shadow.fault(this.context, BigInt(gva), access, user ? RIGHTS.user : RIGHTS.supervisor);
      if (outcome.kind === 'guest-fault') return 'fault';
      if (outcome.kind === 'mmio') return 'mmio';
      if (outcome.kind === 'table-write') return 'table';
    }
    return assert.fail('no progress');
  }
  /** What the processor finds in the shadow: CR0.WP is always set there. */
  private processor(gva: number, access: Access, user: boolean): number | 'fault' {
    const context = {
      ...this.context,
      root: this.tables.hpa,
      pdptes: new Int32Array(new BigUint64Array(this.tables.form === 'PAE' ? [...this.tables.pdptes] : []).buffer),
      format: FORMATS[this.tables.form],
      writeProtect: true,
    };
    return independentWalk(this.host, context, gva, access, user);
  }
  write(gpa: number, value: bigint): void {
    const bytes = new Uint8Array(this.context.format.entryBytes);
    const view = new DataView(bytes.buffer);
    if (bytes.length === 8) view.setBigUint64(0, value, true);
    else view.setUint32(0, Number(value & 0xffff_ffffn), true);
    this.guest.writeBytes(gpa, bytes);
  }
  check(): void {
    const violations = checkShadow(this.shadow, this.host, this.guest);
    assert.deepEqual(violations.map((v) => `${v.gva.toString(16)}: ${v.rule}`), []);
  } // prettier-ignore
}

/** A table entry: mostly sensible, sometimes nonsense. */
const entry = fc
  .record({
    page: fc.integer({ min: 0, max: GUEST_PAGES + 2 }),
    table: fc.integer({ min: 0, max: TABLE_PAGES - 1 }),
    toTable: fc.boolean(),
    bits: fc.constantFrom(0, 1, 3, 5, 7, 7, 7, 0x67, 0x87, 0x83, 0x27),
    noExecute: fc.boolean(),
  })
  .map(({ page, table, toTable, bits, noExecute }) => {
    const target = BigInt(toTable ? table : page) * 4096n;
    return (bits & 0x80 ? target & ~0x1f_ffffn : target) | BigInt(bits) | (noExecute ? 1n << 63n : 0n);
  });
const action = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('edit' as const), table: fc.nat(TABLE_PAGES - 1), index: fc.constantFrom(0, 1, 2, 3, 256, 511), entry }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('access' as const), gva: fc.constantFrom(...ADDRESSES), access: fc.constantFrom<Access>('read', 'write', 'execute'), user: fc.boolean() }) },
); // prettier-ignore

describe('shadow paging', () => {
  for (const name of ['2-level', 'PAE', '4-level'] as const)
    it(`agrees with an independent walker through random edits, ${name}`, () => {
      let walks = 0;
      fc.assert(
        fc.property(fc.boolean(), fc.array(action, { minLength: 60, maxLength: 160 }), (writeProtect, actions) => {
          const fixture = new Fixture(name, writeProtect);
          for (const [i, act] of actions.entries()) {
            if (act.kind === 'edit') {
              fixture.write(act.table * PAGE_BYTES + act.index * fixture.context.format.entryBytes, act.entry);
              continue;
            }
            const expected = independentWalk(fixture.guest, fixture.context, act.gva, act.access, act.user);
            const got = fixture.access(act.gva, act.access, act.user);
            walks++;
            if (expected === 'fault') assert.equal(got, 'fault');
            else if (!fixture.guest.isRam(expected)) assert.equal(got, 'mmio');
            else if (got === 'table') assert.ok(act.access === 'write' && fixture.shadow.isTable(expected));
            else assert.equal(got, expected);
            if (i % 16 === 0) fixture.check();
          }
          fixture.check();
        }),
        { numRuns: 640 },
      );
      // 100,000 in the three formats.
      assert.ok(walks > 33_334, `${walks} walks`);
    }).timeout(120_000);

  it('a corrupted leaf is found and named', () => {
    const fixture = new Fixture('4-level', true);
    for (let level = 0; level < 3; level++) fixture.write(level * PAGE_BYTES, BigInt((level + 1) * PAGE_BYTES + 7));
    fixture.write(3 * PAGE_BYTES + 8, 0x2_0000n | 5n);
    assert.equal(fixture.access(0x1000, 'read', true), 0x2_0000);
    fixture.check();
    const [space] = fixture.shadow.all;
    const [{ word }] = space.tables.leaves();
    const seed = (change: () => void, rule: RegExp): void => {
      const before = [fixture.host.words[word], fixture.host.words[word + 1]];
      change();
      const [violation] = checkShadow(fixture.shadow, fixture.host, fixture.guest);
      assert.match(violation.rule, rule);
      assert.deepEqual([violation.gva, violation.hpa], [0x1000n, word * 4 - fixture.host.base]);
      [fixture.host.words[word], fixture.host.words[word + 1]] = before;
    };
    seed(() => (fixture.host.words[word] |= 2), /^It is writable; the guest's entries are not/);
    seed(() => (fixture.host.words[word] += PAGE_BYTES), /^It maps hp:0x[0-9a-f]+; the guest's gp:0x20000 lies at/);
    // A guest table changed behind everybody's back: what is stale is found.
    const host = fixture.guest.hostAddress(3 * PAGE_BYTES + 8);
    seed(() => (fixture.host.words[host >>> 2] = 0), /^The guest does not map it/);
  });
});
