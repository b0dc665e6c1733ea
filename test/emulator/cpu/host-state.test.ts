/** What entries and exits load of a hypervisor on the processor and of its guests: PDPTEs, PAT, debug control (SDM vol. 3C 28.5; APM vol. 2 15.5, 15.6). */
import assert from 'node:assert/strict';
import { ACTIVITY } from '../../../emulator/cpu/turns';
import { GuestExit } from '../../../emulator/cpu/ports';
import { saveGuest, Vmcb } from '../../../emulator/cpu/svm-state';
import { Vmcs } from '../../../emulator/cpu/vmcs-region';
import { CR0, CR4, EFER } from '../../../emulator/x86/registers';
import { CONTROL, EXIT, MISC2, STATE } from '../../../emulator/x86/vmcb';
import { Bench, RAM_BYTES } from './fixture';

const [SAVE_AREA, HOST_TABLE] = [0x1_2000n, 0x1_4000];
const GUESTS = [
  { block: 0x1_0000n, table: 0x1_5000, entry: 0x2_0001n },
  { block: 0x1_1000n, table: 0x1_6000, entry: 0x3_0001n },
] as const;
const RESERVED = 1n << 1n;
const PAE = { cr0: BigInt((CR0.PE | CR0.PG | CR0.ET) >>> 0), cr4: BigInt(CR4.PAE) };
const [HOST_PAT, GUEST_PAT] = [0x0007_0406_0007_0406n, 0x0606_0606_0606_0606n];

class Host extends Bench {
  constructor(pae = false) {
    super('epyc');
    this.protect();
    const { state } = this;
    state.setSystem('efer', BigInt(EFER.SVME));
    state.setSystem('vm_hsave', SAVE_AREA);
    state.setSystem('pat', HOST_PAT);
    this.put(HOST_TABLE, 8, 0x1n);
    if (pae) {
      state.setSystem('cr3', BigInt(HOST_TABLE));
      state.setSystem('cr0', PAE.cr0);
      state.setSystem('cr4', PAE.cr4);
    }
    for (const [i, { block, table, entry }] of GUESTS.entries()) {
      this.put(table, 8, entry);
      const vmcb = new Vmcb(this.physical, Number(block));
      saveGuest(vmcb, state);
      vmcb.write(STATE.CR0, PAE.cr0);
      vmcb.write(STATE.CR4, PAE.cr4);
      vmcb.write(STATE.CR3, table);
      vmcb.write(STATE.DR6, 0xffff_0ff0n);
      vmcb.write(STATE.DR7, 0x400n);
      vmcb.write(CONTROL.GUEST_ASID, i + 1);
      vmcb.write(CONTROL.INTERCEPT_MISC2, 1 << MISC2.indexOf('vmrun'));
    }
  }
  run(guest: 0 | 1): void {
    this.cpu.svm!.run(GUESTS[guest].block, this.state.rip);
  }
  leave(): void {
    this.cpu.overseer!.leave(new GuestExit({ reason: 'hlt' }));
  }
  vmcb(guest: 0 | 1): Vmcb {
    return new Vmcb(this.physical, Number(GUESTS[guest].block));
  }
}

describe('VMRUN and #VMEXIT', () => {
  it('two PAE guests in turns: each has its own PDPTEs, as they are in memory by then', () => {
    const b = new Host();
    const first = (): bigint => b.state.system('pdpte0');
    for (const [guest, change] of [[0, 0n], [1, 0n], [0, 0x1000n], [1, 0x2000n], [0, 0x3000n]] as const) {
      const { table, entry } = GUESTS[guest];
      b.put(table, 8, entry + change);
      b.run(guest);
      assert.equal(first(), entry + change);
      b.leave();
      assert.equal(b.cpu.overseer, undefined);
    }
  }); // prettier-ignore

  it('PDPTEs with reserved bits: VMRUN is refused, and the host goes on', () => {
    const b = new Host();
    b.put(GUESTS[0].table, 8, GUESTS[0].entry | RESERVED);
    b.run(0);
    assert.equal(BigInt.asIntN(64, b.vmcb(0).read(CONTROL.EXITCODE)), BigInt(EXIT.INVALID));
    assert.deepEqual([b.cpu.overseer, b.state.system('cr3'), b.state.system('activity')], [undefined, 0n, ACTIVITY.active]); // prettier-ignore
  });

  const LOST: readonly [what: string, lose: (b: Host) => void][] = [
    ['its PDPTEs have reserved bits', (b) => b.put(HOST_TABLE, 8, 1n | RESERVED)],
    ['its save area is moved to where there is no memory', (b) => b.state.setSystem('vm_hsave', BigInt(RAM_BYTES))],
  ];
  for (const [what, lose] of LOST)
    it(`a host is lost while its guest runs, as ${what}: the processor shuts down`, () => {
      const b = new Host(true);
      b.run(0);
      lose(b);
      b.leave();
      assert.equal(b.state.system('activity'), ACTIVITY.shutdown);
      assert.equal(b.unsupported.length, 1);
    });

  for (const nested of [true, false])
    it(`${nested ? 'under' : 'without'} nested paging the guest's PAT is ${nested ? 'its own' : 'the host’s'}; debug control never is its own`, () => {
      const b = new Host(true);
      const vmcb = b.vmcb(0);
      vmcb.write(STATE.G_PAT, GUEST_PAT);
      vmcb.write(STATE.DBGCTL, 2);
      if (nested) {
        vmcb.write(CONTROL.NP_ENABLE, 1);
        // One large page of 1 GiB over all of it.
        b.put(0x1_8000, 8, 0x1_9007);
        b.put(0x1_9000, 8, 0x87);
        vmcb.write(CONTROL.N_CR3, 0x1_8000);
      }
      b.run(0);
      assert.equal(b.state.system('pat'), nested ? GUEST_PAT : HOST_PAT);
      assert.equal(b.state.system('debugctl'), 0n);
      b.leave();
      assert.equal(b.state.system('pat'), HOST_PAT);
    });
});

describe('an exit under VT-x', () => {
  it('PDPTEs of the host with reserved bits: VMX abort 2, and the processor shuts down', () => {
    const b = new Bench('haswell').protect();
    const vmcs = new Vmcs(b.physical, 0x1_0000);
    vmcs.format();
    vmcs.write('HOST_CR0', PAE.cr0);
    vmcs.write('HOST_CR4', PAE.cr4);
    vmcs.write('HOST_CR3', HOST_TABLE);
    vmcs.write('HOST_CS', 8);
    b.put(HOST_TABLE, 8, 1n | RESERVED);
    (b.cpu.vmx as unknown as { toHost(vmcs: Vmcs): void }).toHost(vmcs);
    assert.equal(b.get(0x1_0004, 4), 2);
    assert.equal(b.state.system('activity'), ACTIVITY.shutdown);
  });
});
