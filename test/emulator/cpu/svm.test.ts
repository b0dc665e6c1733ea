/** What wakes a guest of AMD-V that has halted: a virtual interrupt that it is open to (APM vol. 2 15.21.4). */
import assert from 'node:assert/strict';
import { ACTIVITY, Turns } from '../../../emulator/cpu/turns';
import { Vmcb } from '../../../emulator/cpu/svm-state';
import { VM_MODE } from '../../../emulator/cpu/vm-mode';
import { RFLAGS } from '../../../emulator/x86/registers';
import { CONTROL, V_INTR } from '../../../emulator/x86/vmcb';
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
