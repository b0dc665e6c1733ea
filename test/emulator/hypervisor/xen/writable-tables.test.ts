/** A guest's writes to its page tables as if they were memory: each goes the way of a hypercall, or is the guest's page fault. */
import assert from 'node:assert/strict';
import { GPR } from '../../../../emulator/x86/registers';
import { BASE, pvGuests } from './pv-guest';
import type { PvGuest } from './pv-guest';

/** mov [rdi], rax; mov [rdi], eax; jmp $ */
const WRITES = { 8: [0x48, 0x89, 0x07, 0xeb, 0xfe], 4: [0x89, 0x07, 0xeb, 0xfe] } as const;
const FORGED = 0x1234_5067_1234_5067n;
/** From the root on: L3, L2, and two L1s. */
const FIRST_L1 = 3n;

describe('writes to page tables', () => {
  const rows: readonly [what: string, bytes: 4 | 8, offset: bigint, value: bigint, done: boolean][] = [
    ['an entry is cleared', 8, 0xff8n, 0n, true],
    ['half of an entry is cleared', 4, 0xff8n, 0n, true],
    ['one that would cross into the next table', 8, 0xffcn, FORGED, false],
    ['one that would cross into the next entry', 8, 0x7fcn, FORGED, false],
  ];
  for (const [what, bytes, offset, value, done] of rows)
    it(`${what}: it is ${done ? 'done' : 'refused, and nothing has happened'}`, () => {
      const [{ machine, domain, cpu, frame }] = pvGuests([8], { code: WRITES[bytes] }).guests as [PvGuest];
      const root = domain.space.guestFrame(domain.vcpuStates[0]!.kernelRoot)!;
      const table = BASE[8] + (root + FIRST_L1) * 4096n;
      const tables = [table, table + 4096n].map(frame);
      const content = (): string => tables.map((mfn) => Buffer.from(domain.memory.readBytes(mfn, 0, 4096)).toString('hex')).join(); // prettier-ignore
      for (const mfn of tables) assert.equal(domain.pages.describe(mfn).type, 'L1');
      const before = content();
      const old = domain.memory.read64(tables[0]!, 0xff8);
      cpu.state.setGpr(GPR.RDI, table + offset);
      cpu.state.setGpr(GPR.RAX, value);
      const { kind } = machine.run(1);
      // Its kernel has registered no handler of #PF.
      if (!done) return assert.deepEqual([kind, content() === before], ['crash', true]);
      assert.equal(kind, 'limit');
      assert.equal(domain.memory.read64(tables[0]!, 0xff8), bytes === 8 ? 0n : (old >> 32n) << 32n);
    });
});

describe('entries above a table', () => {
  for (const [name, bit] of [['PWT', 3n], ['PCD', 4n], ['PS', 7n], ['G', 8n]] as const)
    it(`with ${name} are refused at every level`, () => {
      const [{ domain }] = pvGuests([8]).guests as [PvGuest];
      let mfn = domain.vcpuStates[0]!.kernelRoot;
      for (const shift of [39n, 30n, 21n]) {
        const offset = Number((BASE[8] >> shift) & 511n) * 8;
        const entry = domain.memory.read64(mfn, offset);
        assert.throws(() => domain.tables.exchange(mfn, offset, entry | (1n << bit)));
        assert.equal(domain.memory.read64(mfn, offset), entry);
        mfn = Number((entry >> 12n) & 0xff_ffffn);
      }
    }); // prettier-ignore
});
