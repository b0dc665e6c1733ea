/** The slow path and the TLB in front of it: crossings, devices, watched pages, code pages, alignment, invalidation. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { GuestFault } from '../../../emulator/cpu/ports';
import * as layout from '../../../emulator/execution/layout';
import { table, translate } from '../../../emulator/mmu/inspect';
import { mappings } from '../../../emulator/mmu/runs';
import { PAGE } from '../../../emulator/mmu/physical-memory';
import { CR0, CR4, RFLAGS, SEG } from '../../../emulator/x86/registers';
import { Bench, show, TABLES } from '../cpu/fixture';

const fault = (action: () => unknown): string => {
  try {
    action();
    return 'ok';
  } catch (f) {
    if (!(f instanceof GuestFault)) throw f;
    return show(f) + (f.address === undefined ? '' : ` ${f.address.toString(16)}`);
  }
};
/** 64-bit, with a page table for the first 2 MiB: entry n maps page n with `flags` (default 7). */
const paged = (cpl = 0, flags: Record<number, number> = {}): Bench => {
  const b = new Bench().long(cpl);
  b.put(TABLES + 0x2000, 8, TABLES + 0x3007);
  for (let i = 0; i < 512; i++) b.put(TABLES + 0x3000 + i * 8, 8, flags[i] === 0 ? 0 : i * 4096 + (flags[i] ?? 7));
  b.cpu.flushTlb('all');
  return b;
};
const isCached = (b: Bench, gva: number, write: boolean): boolean => {
  const { tlb, context } = b.cpu.mmu;
  return tlb.lookup(write ? tlb.writeTable(context) : tlb.readTable(context), gva, 0) >= 0;
};

describe('access', () => {
  it('round trip of every size at every offset around a page border', () => {
    const b = paged();
    fc.assert(
      fc.property(
        fc.constantFrom(1, 2, 4, 8),
        fc.integer({ min: 0x5ff0, max: 0x6010 }),
        fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
        (bytes, at, value) => {
          const want = BigInt.asUintN(bytes * 8, value);
          b.cpu.mmu.storeSlow(BigInt(at), bytes, value);
          assert.equal(b.cpu.mmu.loadSlow(BigInt(at), bytes), want);
          for (let i = 0; i < bytes; i++) assert.equal(b.get(at + i, 1), Number((want >> BigInt(i * 8)) & 0xffn));
        },
      ),
    );
  });
  it('a crossing store that faults on its second page writes nothing', () => {
    const b = paged(3, { 6: 5 });
    b.put(0x5ffe, 2, 0xabcd);
    assert.equal(
      fault(() => b.cpu.mmu.storeSlow(0x5ffen, 4, 0n)),
      '#PF(7) 6000',
    );
    assert.equal(b.get(0x5ffe, 2), 0xabcd);
  });
  it('faults name the first byte that fails', () => {
    const b = paged(3, { 5: 0 });
    assert.equal(
      fault(() => b.cpu.mmu.loadSlow(0x5123n, 4)),
      '#PF(4) 5123',
    );
    assert.equal(
      fault(() => b.cpu.mmu.loadSlow(0x4ffen, 4)),
      '#PF(4) 5000',
    );
    assert.equal(
      fault(() => b.cpu.mmu.loadSlow(0x4ffen, 4, true)),
      '#PF(6) 5000',
    );
  });
  it('addresses that are not canonical: #GP, on the stack #SS, also when only the end is', () => {
    const b = paged();
    assert.equal(
      fault(() => b.cpu.mmu.loadSlow(0x8000_0000_0000n, 1)),
      '#GP(0)',
    );
    assert.equal(
      fault(() => b.cpu.mmu.storeSlow(0x8000_0000_0000n, 1, 0n, true)),
      '#SS(0)',
    );
    assert.equal(
      fault(() => b.cpu.mmu.loadSlow(0x7fff_ffff_ffffn, 2)),
      '#GP(0)',
    );
  });
  it('outside 64-bit mode linear addresses wrap at 4 GiB', () => {
    const b = new Bench().protect();
    b.put(0, 4, 0x0403_0201);
    b.bus.readMmio = () => 0x99;
    assert.equal(b.cpu.mmu.loadSlow(0xffff_ffffn, 4), 0x03_0201_99n);
  });
  it('devices: 1, 2 and 4 bytes as they are, 8 as two 4s, never in the TLB', () => {
    const b = new Bench().protect();
    assert.equal(b.cpu.mmu.loadSlow(0xa_0000n, 8), 0x1122_3344_1122_3344n);
    b.cpu.mmu.storeSlow(0xfee0_0000n, 2, 0x1_2345n);
    b.cpu.mmu.storeSlow(0xfee0_0010n, 8, 0x8877_6655_4433_2211n);
    assert.deepEqual(b.bus.log, [
      'read a0000 4',
      'read a0004 4',
      'write fee00000 2 2345',
      'write fee00010 4 44332211',
      'write fee00014 4 88776655',
    ]);
    assert.equal(isCached(b, 0xa_0000, false), false);
  });
  it('ROM drops writes', () => {
    const b = new Bench().protect();
    b.physical.setKind(0xf_0000, 0xf_ffff, 'rom');
    b.put(0xf_0000, 1, 0x55);
    b.cpu.mmu.storeSlow(0xf_0000n, 1, 0x66n);
    assert.equal(b.cpu.mmu.loadSlow(0xf_0000n, 1), 0x55n);
    assert.equal(isCached(b, 0xf_0000, true), false);
    b.physical.setKind(0xf_0000, 0xf_ffff, 'ram');
  });
  it('a closed A20 gate folds the second megabyte onto the first', () => {
    const b = new Bench().protect();
    b.put(0x5000, 1, 0x11);
    b.put(0x10_5000, 1, 0x22);
    assert.equal(b.cpu.mmu.loadSlow(0x10_5000n, 1), 0x22n);
    b.physical.a20 = false;
    assert.equal(isCached(b, 0x10_5000, false), false);
    assert.equal(b.cpu.mmu.loadSlow(0x10_5000n, 1), 0x11n);
    b.physical.a20 = true;
    assert.equal(b.cpu.mmu.loadSlow(0x10_5000n, 1), 0x22n);
  });
  it('alignment check: level 3 with AM and AC only', () => {
    for (const [cpl, am, ac, want] of [[3, 1, 1, '#AC(0)'], [3, 0, 1, 'ok'], [3, 1, 0, 'ok'], [0, 1, 1, 'ok']] as const) {
      const b = paged(cpl);
      b.state.setSystem('cr0', b.state.system('cr0') | (am ? BigInt(CR0.AM) : 0n));
      b.state.systemFlags |= ac ? RFLAGS.AC : 0;
      b.cpu.modeChanged();
      assert.equal(fault(() => b.cpu.mmu.loadSlow(0x6001n, 4)), want);
      assert.equal(fault(() => b.cpu.mmu.loadSlow(0x6004n, 4)), 'ok');
      assert.equal(isCached(b, 0x6000, false), want === 'ok');
    } // prettier-ignore
  });
  it('SMAP: explicit supervisor access to user pages needs AC; implicit access never may', () => {
    const b = paged(0);
    b.state.setSystem('cr4', b.state.system('cr4') | BigInt(CR4.SMAP));
    b.cpu.modeChanged();
    b.cpu.flushTlb('all');
    assert.equal(
      fault(() => b.cpu.read(0x6000n, 1)),
      '#PF(1) 6000',
    );
    b.state.systemFlags |= RFLAGS.AC;
    b.cpu.modeChanged();
    assert.equal(
      fault(() => b.cpu.read(0x6000n, 1)),
      'ok',
    );
    assert.equal(
      fault(() => b.cpu.read(0x6000n, 1, true)),
      '#PF(1) 6000',
    );
  });
  it('SMEP and NX: the fetch names itself in the error code', () => {
    const b = paged(0);
    assert.equal(
      fault(() => b.cpu.mmu.fetch(0x6000n)),
      'ok',
    );
    b.state.setSystem('cr4', b.state.system('cr4') | BigInt(CR4.SMEP));
    b.cpu.refresh();
    assert.equal(
      fault(() => b.cpu.mmu.fetch(0x6000n)),
      '#PF(11) 6000',
    );
  });
});

describe('TLB', () => {
  it('a read fills the read table, a write both; a read does not make a clean page writable', () => {
    const b = paged();
    b.cpu.mmu.loadSlow(0x6000n, 1);
    assert.deepEqual([isCached(b, 0x6000, false), isCached(b, 0x6000, true)], [true, false]);
    assert.equal(b.get(TABLES + 0x3000 + 6 * 8, 1), 0x27, 'accessed, not dirty');
    b.cpu.mmu.storeSlow(0x6000n, 1, 0n);
    assert.equal(isCached(b, 0x6000, true), true);
    assert.equal(b.get(TABLES + 0x3000 + 6 * 8, 1), 0x67, 'dirty');
  });
  it('contexts do not see each other', () => {
    const b = paged(0, { 6: 3 });
    b.cpu.mmu.loadSlow(0x6000n, 1);
    b.state.setSegment(SEG.SS, { ...b.state.segment(SEG.SS), attributes: 0xc0f3 });
    b.cpu.modeChanged();
    assert.equal(
      fault(() => b.cpu.read(0x6000n, 1)),
      '#PF(5) 6000',
    );
  });
  it('INVLPG forgets one small page', () => {
    const b = paged();
    b.cpu.mmu.loadSlow(0x5000n, 1);
    b.cpu.mmu.loadSlow(0x6000n, 1);
    b.cpu.flushTlb(0x6123n);
    assert.deepEqual([isCached(b, 0x5000, false), isCached(b, 0x6000, false)], [true, false]);
  });
  it('INVLPG forgets all of a large page', () => {
    const b = new Bench().long();
    b.cpu.mmu.loadSlow(0x5000n, 1);
    b.cpu.mmu.loadSlow(0x15_0000n, 1);
    b.cpu.flushTlb(0x1000n);
    assert.deepEqual([isCached(b, 0x5000, false), isCached(b, 0x15_0000, false)], [false, false]);
  });
  it('a flush forgets everything, by slots or by tables', () => {
    for (const pages of [3, 600]) {
      const b = paged();
      for (let i = 0; i < pages; i++) b.cpu.mmu.loadSlow(BigInt((i % 500) * 4096), 1);
      let told = 0;
      b.cpu.mmu.tlb.onFlush = () => told++;
      b.cpu.flushTlb('all');
      assert.equal(told, 1);
      const words = new Int32Array(b.state.memory.buffer, layout.TLB, layout.TLB_BYTES / 4);
      for (let i = 0; i < words.length; i += 4) assert.equal(words[i], -1);
    }
  });
  it('a page that comes to hold code leaves the write tables, and writes to it are told', () => {
    const b = paged();
    b.cpu.mmu.storeSlow(0x6000n, 1, 0n);
    b.physical.markCode(0x6000);
    assert.deepEqual([isCached(b, 0x6000, false), isCached(b, 0x6000, true)], [true, false]);
    const told: string[] = [];
    b.physical.onCodeWrite = (gpa, bytes) => void told.push(`${gpa.toString(16)} ${bytes}`);
    b.cpu.mmu.storeSlow(0x6010n, 4, 0n);
    b.physical.writeBytes(0x5ff8, new Uint8Array(16));
    assert.deepEqual(told, ['6010 4', '6000 8']);
    assert.equal(isCached(b, 0x6000, true), false);
    b.physical.clearCode(0x6000);
    b.cpu.mmu.storeSlow(0x6010n, 4, 0n);
    assert.equal(isCached(b, 0x6000, true), true);
    assert.equal(b.physical.flags(0x6000) & PAGE.CODE, 0);
  });
  it('watched addresses: every access is seen, also at the end of a crossing one, with old and new values', () => {
    const b = paged();
    b.cpu.mmu.storeSlow(0x6000n, 4, 0x11n);
    const seen: string[] = [];
    b.cpu.mmu.watches.set('test', [
      { gva: 0x6000n, bytes: 2, read: true, write: true, hit: (gva, bytes, write, old, now) => void seen.push(`${gva.toString(16)} ${bytes} ${write} ${old.toString(16)} ${now.toString(16)}`) },
    ]); // prettier-ignore
    b.cpu.flushTlb('all');
    b.cpu.write(0x6000n, 4, 0x22n);
    b.cpu.write(0x6002n, 4, 0x33n);
    b.cpu.read(0x5ffen, 4);
    assert.deepEqual(seen, ['6000 4 true 11 22', '5ffe 4 false 220000 220000']);
    assert.equal(isCached(b, 0x6000, false), false);
  });
});

describe('inspector', () => {
  it('shows every step and says why an access fails', () => {
    const b = paged(3, { 6: 3, 7: 5, 8: 0 });
    const ask = (gva: bigint, access: 'read' | 'write' | 'execute' = 'read', user = true) =>
      translate(b.cpu.mmu.paging, b.physical, gva, { access, user });
    const good = ask(0x5123n);
    assert.deepEqual(good.steps.map((s) => s.name), ['PML4E', 'PDPTE', 'PDE', 'PTE']);
    assert.deepEqual([good.gpa, good.pageBytes, good.rights], [0x5123, 4096, { write: true, user: true, execute: true }]);
    assert.match(ask(0x6000n).fault!.reason, /PTE at gp:0x103030 allows supervisor access only/);
    assert.match(ask(0x7000n, 'write').fault!.reason, /PTE at gp:0x103038 is read-only/);
    assert.match(ask(0x8000n).fault!.reason, /PTE at gp:0x103040 is not present/);
    assert.match(ask(0x8000_0000_0000n).fault!.reason, /not canonical/);
    assert.equal(ask(0x7000n, 'write').fault!.errorCode, 7);
  }); // prettier-ignore
  it('lists mappings as runs of pages mapped alike', () => {
    const b = paged(0, { 6: 0, 7: 5, 8: 5 });
    const runs = mappings(b.cpu.mmu.paging, b.physical, 0n, 10).map((m) => [m.gva, m.gpa, m.size, m.write]);
    assert.deepEqual(runs, [[0n, 0, 0x6000n, true], [0x7000n, 0x7000, 0x2000n, false], [0x9000n, 0x9000, 0x1f_7000n, true]]);
    assert.equal(mappings(b.cpu.mmu.paging, b.physical, 0x8000n, 1)[0].gva, 0x8000n);
    assert.equal(mappings(b.cpu.mmu.paging, b.physical, 0x8000n, 1).length, 1);
  }); // prettier-ignore
  it('lists a table', () => {
    const b = paged();
    const root = table(b.cpu.mmu.paging, b.physical);
    assert.deepEqual([root.level, root.entries.length, root.entries[0].target], [4, 1, TABLES + 0x1000]);
    const leaf = table(b.cpu.mmu.paging, b.physical, { gpa: TABLES + 0x3000, level: 1 });
    assert.deepEqual([leaf.entries.length, leaf.entries[5].gva, leaf.entries[5].name], [512, 0x5000n, 'PTE']);
  });
});
