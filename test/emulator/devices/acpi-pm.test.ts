import assert from 'node:assert/strict';
import { AcpiPm, PM_TIMER_HZ } from '../../../emulator/devices/acpi-pm';
import { nsOfTick } from '../../../emulator/devices/clock';
import { TestClock, TestLine } from './support';

function bench() {
  const clock = new TestClock();
  const sci = new TestLine();
  const events: string[] = [];
  const pm = new AcpiPm(0x600, clock, sci, () => events.push('off'), (what) => events.push(what)); // prettier-ignore
  pm.reset();
  return { clock, sci, events, pm };
}

describe('acpi power management', () => {
  it('counts 3.579545 MHz in 24 bits', () => {
    const { clock, pm } = bench();
    clock.ns = 1_000_000_000;
    assert.equal(pm.readPort(0x608, 4), 3_579_545);
    clock.ns = nsOfTick(0x100_0005, PM_TIMER_HZ);
    assert.equal(pm.readPort(0x608, 4), 5);
  });
  it('interrupts when bit 23 changes, until the status is cleared', () => {
    const { clock, pm, sci } = bench();
    pm.writePort(0x602, 2, 1);
    assert.equal(pm.deadline(), nsOfTick(0x80_0000, PM_TIMER_HZ));
    clock.ns = pm.deadline();
    pm.tick();
    assert.equal(sci.level, true);
    assert.equal(pm.deadline(), Infinity);
    pm.writePort(0x600, 2, 1);
    assert.equal(sci.level, false);
    assert.equal(pm.deadline(), nsOfTick(0x100_0000, PM_TIMER_HZ));
  });
  it('is always in ACPI mode', () => {
    const { pm } = bench();
    pm.writePort(0x604, 2, 0);
    assert.equal(pm.readPort(0x604, 2), 1);
  });
  it('switches off in S5, and names other states', () => {
    const { pm, events } = bench();
    pm.writePort(0x604, 2, (5 << 10) | 0x2000);
    pm.writePort(0x604, 2, (1 << 10) | 0x2000);
    assert.deepEqual(events, ['off', 'ACPI sleep with SLP_TYP 1']);
    pm.writePort(0x604, 1, 0);
    pm.writePort(0x605, 1, 0x34);
    assert.deepEqual(events.slice(2), ['off'], 'by bytes, too');
  });
  it('tells the power button', () => {
    const { pm, sci } = bench();
    pm.writePort(0x603, 1, 1);
    pm.pressPowerButton();
    assert.equal(sci.level, true);
    assert.equal(pm.readPort(0x600, 4), 0x0100_0100);
    pm.writePort(0x601, 1, 1);
    assert.equal(sci.level, false);
  });
});
