import assert from 'node:assert/strict';
import type * as vscode from 'vscode';
import { reset, terminals } from './support/fake-vscode';
import { SerialTerminals } from '../../extension/terminal';

/** A session that records what it is asked, and has sent `said` so far. */
function session(id: string, said = '') {
  const asked: [command: string, args: unknown][] = [];
  const customRequest = (command: string, args: unknown): Promise<unknown> => {
    asked.push([command, args]);
    return Promise.resolve(command === 'ringside/console' ? { attached: true, text: said } : { bytes: 1 });
  };
  return {
    id,
    name: 'guest',
    configuration: { type: 'ringside', name: 'guest', request: 'launch' },
    customRequest,
    asked,
  };
}

const says = (from: { id: string }, text: string): vscode.DebugSessionCustomEvent =>
  ({ session: from, event: 'ringside/console', body: { text } }) as unknown as vscode.DebugSessionCustomEvent;

/** All that the last terminal has shown since now. */
function watch(): { text: string } {
  const seen = { text: '' };
  terminals.at(-1)!.pty.onDidWrite((text) => (seen.text += text));
  return seen;
}

/** The note that the guest is silent goes when it speaks. */
const CLEARED = '\x1b[2J\x1b[3J\x1b[H';

describe('serial terminal', () => {
  beforeEach(reset);

  it('shows what came before it was opened, and what comes later', async () => {
    const all = new SerialTerminals();
    const guest = session('1', 'early ');
    await all.open(guest);
    const seen = watch();
    all.receive(says(guest, 'before '));
    terminals[0]!.pty.open();
    all.receive(says(guest, 'after'));
    assert.match(seen.text, /early before after$/);
    assert.deepEqual(guest.asked[0], ['ringside/console', { attach: true }]);
    assert.equal(terminals[0]!.shown, true);
  });

  const LINES: [sent: string[], shown: string][] = [
    [['a\nb'], 'a\r\nb'],
    [['a\r\nb'], 'a\r\nb'],
    [['a\r', '\nb'], 'a\r\nb'],
    [['a\r', '', '\nb'], 'a\r\nb'],
    [['a', '\nb'], 'a\r\nb'],
    [['\n\n'], '\r\n\r\n'],
    [['\x1b[2Ja\rb'], '\x1b[2Ja\rb'],
  ];
  for (const [sent, shown] of LINES) {
    it(`line ends ${JSON.stringify(sent)}`, async () => {
      const all = new SerialTerminals();
      const guest = session('1');
      await all.open(guest);
      terminals[0]!.pty.open();
      const seen = watch();
      for (const text of sent) all.receive(says(guest, text));
      assert.equal(seen.text.replace(CLEARED, ''), shown);
    });
  }

  it('sends what is typed to its own guest only', async () => {
    const all = new SerialTerminals();
    const [one, two] = [session('1'), session('2')];
    await all.open(one);
    await all.open(two);
    assert.equal(terminals.length, 2, 'a running guest keeps its terminal');
    terminals[1]!.pty.handleInput('x\r');
    assert.deepEqual(two.asked.at(-1), ['ringside/consoleInput', { text: 'x\r' }]);
    assert.equal(one.asked.length, 1);
  });

  it('keeps the last words, and serves the next session of the same name', async () => {
    const all = new SerialTerminals();
    const first = session('1');
    await all.open(first);
    terminals[0]!.pty.open();
    const seen = watch();
    all.ended(first);
    assert.match(seen.text, /The guest has ended/);
    await all.open(session('2', 'again'));
    assert.equal(terminals.length, 1);
    assert.match(seen.text, /again$/);
  });

  const SERIAL = /serial port \(0x3f8\)/;
  const SILENT: [launch: object, says: RegExp, not: RegExp][] = [
    [{ kernel: '/k/myos.bin' }, SERIAL, /Linux/],
    [{ kernel: '/k/vmlinuz-6.1' }, /console=ttyS0/, SERIAL],
    [{ kernel: '/k/image', append: 'quiet console=ttyS0' }, /console=ttyS0/, SERIAL],
    [{ kernel: '/k/vmlinuz-6.1', technique: 'paravirtual' }, /yet\.$/m, /Linux|Guest Screen/],
  ];
  for (const [launch, text, not] of SILENT)
    it(`says that the guest is silent, until it speaks: ${JSON.stringify(launch)}`, async () => {
      const all = new SerialTerminals();
      const guest = session('1', '');
      Object.assign(guest.configuration, launch);
      await all.open(guest);
      const seen = watch();
      terminals[0]!.pty.open();
      assert.match(seen.text, /has not written to its console yet/);
      assert.match(seen.text.replaceAll('\x1b[22m', '').replaceAll('\x1b[0m', ''), text);
      assert.doesNotMatch(seen.text, not);
      all.receive(says(guest, 'Linux version'));
      assert.ok(seen.text.endsWith(`${CLEARED}Linux version`));
      all.receive(says(guest, ' 6.1'));
      assert.ok(seen.text.endsWith('Linux version 6.1'));
    });

  it('comes back with all that was said when it was closed', async () => {
    const all = new SerialTerminals();
    const guest = session('1', 'all of it');
    await all.open(guest);
    await all.open(guest);
    assert.equal(terminals.length, 1, 'one that is there is shown');
    terminals[0]!.pty.close();
    await all.open(guest);
    const seen = watch();
    terminals[1]!.pty.open();
    assert.match(seen.text, /all of it$/);
  });

  it('gives the console back when it is closed', async () => {
    const all = new SerialTerminals();
    const guest = session('1');
    await all.open(guest);
    terminals[0]!.pty.close();
    assert.deepEqual(guest.asked.at(-1), ['ringside/console', { attach: false }]);
    all.receive(says(guest, 'nobody listens'));
    await all.open(session('2'));
    assert.equal(terminals.length, 2);
  });
});
