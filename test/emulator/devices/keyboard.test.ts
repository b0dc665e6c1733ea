import assert from 'node:assert/strict';
import { KeyboardController } from '../../../emulator/devices/keyboard';
import { TestLine } from './support';

function bench() {
  const irq1 = new TestLine();
  const irq12 = new TestLine();
  const events: string[] = [];
  const chip = new KeyboardController({
    irq1,
    irq12,
    a20: (level) => events.push(`a20 ${level ? 1 : 0}`),
    resetPulse: () => events.push('reset'),
    unsupported: (what) => events.push(what),
  });
  chip.reset();
  events.length = 0;
  const command = (byte: number, ...data: number[]): void => {
    chip.writePort(0x64, 1, byte);
    for (const d of data) chip.writePort(0x60, 1, d);
  };
  const data = (byte: number): void => chip.writePort(0x60, 1, byte);
  /** All bytes that wait, with `m` before those of the mouse. */
  const drain = (): string => {
    const bytes: string[] = [];
    for (let status = chip.readPort(0x64); status & 1; status = chip.readPort(0x64)) {
      bytes.push((status & 0x20 ? 'm' : '') + chip.readPort(0x60).toString(16).padStart(2, '0'));
    }
    return bytes.join(' ');
  };
  return { chip, irq1, irq12, events, command, data, drain };
}

describe('keyboard controller', () => {
  const rows: { name: string; does: (b: ReturnType<typeof bench>) => void; says: string; events?: string[] }[] = [
    { name: 'self test', does: (b) => b.command(0xaa), says: '55' },
    { name: 'interface tests', does: (b) => (b.command(0xab), b.command(0xa9)), says: '00 00' },
    { name: 'command byte', does: (b) => (b.command(0x60, 0x47), b.command(0x20)), says: '47' },
    { name: 'controller RAM', does: (b) => (b.command(0x65, 0x99), b.command(0x25)), says: '99' },
    { name: 'output port', does: (b) => b.command(0xd0), says: 'cf' },
    { name: 'output port with a byte waiting', does: (b) => (b.command(0xd2, 0x5a), b.command(0xd0)), says: '5a df' },
    { name: 'A20 off and on', does: (b) => (b.command(0xd1, 0xdd), b.command(0xdf), b.command(0xdd)), says: '', events: ['a20 0', 'a20 1', 'a20 0'] },
    { name: 'pulse FEh resets', does: (b) => b.command(0xfe), says: '', events: ['reset'] },
    { name: 'pulse FFh does nothing', does: (b) => b.command(0xff), says: '' },
    { name: 'unknown command', does: (b) => b.command(0xc1), says: '', events: ['8042 command 0xc1'] },
    { name: 'keyboard identifies itself, translated', does: (b) => b.data(0xf2), says: 'fa ab 41' },
    { name: 'keyboard identifies itself, raw', does: (b) => (b.command(0x60, 0x00), b.data(0xf2)), says: 'fa ab 83' },
    { name: 'keyboard resets', does: (b) => b.data(0xff), says: 'fa aa' },
    { name: 'keyboard echoes', does: (b) => b.data(0xee), says: 'ee' },
    { name: 'keyboard takes LEDs', does: (b) => (b.data(0xed), b.data(0x07)), says: 'fa fa' },
    { name: 'a command ends a parameter', does: (b) => (b.data(0xed), b.data(0xf4)), says: 'fa fa' },
    { name: 'keyboard refuses what it lacks', does: (b) => (b.data(0xe1), b.data(0xf0), b.data(0x03)), says: 'fe fa fe' },
    { name: 'mouse resets', does: (b) => b.command(0xd4, 0xff), says: 'mfa maa m00' },
    { name: 'mouse status', does: (b) => b.command(0xd4, 0xe9), says: 'mfa m00 m02 m64' },
    { name: 'mouse sample rate', does: (b) => (b.command(0xd4, 0xf3), b.command(0xd4, 0x28), b.command(0xd4, 0xe9)), says: 'mfa mfa mfa m00 m02 m28' },
    { name: 'looped back to the mouse', does: (b) => b.command(0xd3, 0x77), says: 'm77' },
  ]; // prettier-ignore
  for (const { name, does, says, events } of rows) {
    it(name, () => {
      const b = bench();
      does(b);
      assert.equal(b.drain(), says);
      assert.deepEqual(b.events, events ?? []);
    });
  }

  it('translates set 2 to set 1: press and release', () => {
    const b = bench();
    b.command(0x60, 0x45);
    b.chip.typeText('aB\n');
    assert.equal(b.drain(), '1e 9e 2a 30 b0 aa 1c 9c');
    b.chip.press('ArrowUp', true);
    b.chip.press('ArrowUp', false);
    b.chip.press('F7', true);
    assert.equal(b.drain(), 'e0 48 e0 c8 41');
    b.command(0x60, 0x05);
    b.chip.typeText('a');
    assert.equal(b.drain(), '1c f0 1c');
  });
  it('types the whole US keyboard without a gap', () => {
    const b = bench();
    b.command(0x60, 0x45);
    b.chip.typeText(Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('').slice(0, 30));
    assert.deepEqual(b.events, []);
    b.drain();
    b.chip.typeText('é');
    assert.deepEqual(b.events, ['keyboard: no key types "é"']);
  }); // prettier-ignore
  it('interrupts for each byte anew', () => {
    const b = bench();
    b.command(0x60, 0x47);
    b.chip.typeText('xy');
    assert.equal(b.irq1.rises, 1);
    b.drain();
    assert.equal(b.irq1.rises, 4);
    b.command(0xd4, 0xf4);
    b.drain();
    b.chip.moveMouse(3, -2, 1);
    assert.equal(b.drain(), 'm29 m03 mfe');
    assert.equal(b.irq12.rises, 4);
  });
  it('holds keys back while the keyboard is off', () => {
    const b = bench();
    b.command(0x60, 0x45);
    b.command(0xad);
    b.chip.typeText('q');
    assert.equal(b.drain(), '');
    b.command(0xae);
    assert.equal(b.drain(), '10 90');
  });
});
