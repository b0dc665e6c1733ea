/** What wakes a guest of AMD-V that has halted, and what interrupts it (APM vol. 2 15.21.1, 15.21.4). */
import assert from 'node:assert/strict';
import { arrival } from '../../../emulator/cpu/arrivals';
import { ACTIVITY, Turns } from '../../../emulator/cpu/turns';
import { Vmcb } from '../../../emulator/cpu/svm-state';
import { VM_MODE } from '../../../emulator/cpu/vm-mode';
import { EFER, RFLAGS } from '../../../emulator/x86/registers';
import { CONTROL, STATE, V_INTR } from '../../../emulator/x86/vmcb';
import { Bench } from './fixture';

const VMCB = 0x1000n;
const priority = (level: bigint): bigint => level << V_INTR.PRIORITY_SHIFT;

describe('a halted guest of AMD-V', () => {
  const open = RFLAGS.IF;
  const rows: readonly [what: string, word: bigint, flags: number, wakes: boolean][] = [
    ['has no virtual interrupt', priority(15n), open, false],
    ['is closed to it', V_INTR.IRQ | priority(15n), 0, false],
    ['is open to it', V_INTR.IRQ | priority(6n) | 5n, open, true],
    ['holds it back by its TPR', V_INTR.IRQ | priority(5n) | 5n, open, false],
    ['has a TPR that does not count', V_INTR.IRQ | V_INTR.IGNORE_TPR | 15n, open, true],
    ['has closed its own GIF', V_INTR.IRQ | priority(15n) | V_INTR.VGIF_ENABLE, open, false],
    ['has opened its own GIF', V_INTR.IRQ | priority(15n) | V_INTR.VGIF_ENABLE | V_INTR.VGIF, open, true],
  ];
  for (const [what, word, flags, wakes] of rows)
    it(`${what}: ${wakes ? 'it wakes' : 'it sleeps on'}`, () => {
      const { cpu, state, physical } = new Bench('epyc');
      new Vmcb(physical, Number(VMCB)).write(CONTROL.V_INTR, word);
      state.setSystem('vmcs', VMCB);
      state.setSystem('vm_mode', VM_MODE.svmGuest);
      cpu.svm!.recover();
      state.rflags = flags | 2;
      cpu.halt();
      assert.equal(state.system('activity'), ACTIVITY.halted);
      assert.equal(new Turns([cpu], () => {}).anyCanRun, wakes);
    });
});

/** APM vol. 3, VMRUN and the like: #UD while EFER.SVME is clear or outside protected mode, then #GP above level 0. */
describe('instructions of AMD-V', () => {
  const rows: readonly [code: string, name: string, enabled: boolean, cpl: number, outcome: string][] = [
    ['0f01d8', 'VMRUN', false, 0, '#UD'],
    ['0f01d8', 'VMRUN', false, 3, '#UD'],
    ['0f01d8', 'VMRUN', true, 3, '#GP(0)'],
    ['0f01dd', 'CLGI', false, 3, '#UD'],
    ['0f01dd', 'CLGI', true, 0, 'ok'],
    ['0f01d9', 'VMMCALL', true, 3, '#UD'],
    ['0f01df', 'INVLPGA', false, 3, '#UD'],
  ];
  for (const [code, name, enabled, cpl, outcome] of rows)
    it(`${name} at level ${cpl}, SVME ${Number(enabled)}: ${outcome}`, () => {
      const b = new Bench('epyc').protect(cpl);
      if (enabled) b.state.setSystem('efer', BigInt(EFER.SVME));
      assert.equal(b.execute(code), outcome);
    });
});

describe('a physical interrupt while a guest of AMD-V runs', () => {
  const VECTOR = 0x51;
  type Outcome = 'leaves' | "is the guest's" | 'waits' | 'a virtual one is delivered';
  const rows: readonly [intercepted: boolean, masking: boolean, host: boolean, guest: boolean, virtual: boolean, outcome: Outcome][] = [
    [true, false, true, false, false, 'waits'],
    [true, false, false, true, false, 'leaves'],
    [true, true, true, false, false, 'leaves'],
    [true, true, false, true, false, 'waits'],
    [false, false, true, false, false, 'waits'],
    [false, false, false, true, false, "is the guest's"],
    [false, true, true, false, false, "is the guest's"],
    [false, true, false, true, false, 'waits'],
    // Physical ones take precedence.
    [false, true, true, true, true, "is the guest's"],
    [true, true, true, true, true, 'leaves'],
    [true, true, false, true, true, 'a virtual one is delivered'],
  ]; // prettier-ignore
  for (const [intercepted, masking, host, guest, virtual, outcome] of rows) {
    const flags = `IF of the host ${Number(host)}, of the guest ${Number(guest)}`;
    it(`INTR ${intercepted ? 'intercepted' : 'not intercepted'}, V_INTR_MASKING ${Number(masking)}, ${flags}${virtual ? ', and a virtual one' : ''}: it ${outcome}`, () => {
      const { cpu, state, physical } = new Bench('epyc');
      const vmcb = new Vmcb(physical, Number(VMCB));
      vmcb.write(CONTROL.INTERCEPT_MISC1, intercepted ? 1 : 0);
      const word = virtual ? V_INTR.IRQ | priority(15n) | (0x77n << V_INTR.VECTOR_SHIFT) : 0n;
      vmcb.write(CONTROL.V_INTR, word | (masking ? V_INTR.MASKING : 0n));
      const HOST = 0x2000;
      new Vmcb(physical, HOST).write(STATE.RFLAGS, host ? RFLAGS.IF | 2 : 2);
      state.setSystem('vm_hsave', BigInt(HOST));
      state.setSystem('vmcs', VMCB);
      state.setSystem('vm_mode', VM_MODE.svmGuest);
      cpu.svm!.recover();
      state.rflags = guest ? RFLAGS.IF | 2 : 2;
      cpu.halt();
      Object.assign(cpu.interrupts, { pending: () => true, acknowledge: () => VECTOR });
      assert.equal(new Turns([cpu], () => {}).anyCanRun, outcome !== 'waits', 'it wakes who is halted');
      const exit = cpu.overseer!.due();
      const event = exit ? undefined : arrival(cpu);
      const seen: Outcome = exit ? 'leaves' : !event ? 'waits' : event.vector === VECTOR ? "is the guest's" : 'a virtual one is delivered';
      assert.equal(seen, outcome);
    }); // prettier-ignore
  }
});
