/**
 * Three Debian Linux guests under three techniques at once. One is made to triple-fault, one to loop with interrupts off; the
 * third does its work, and ends in the very state in which it ends alone. Needs scripts/fetch-guests.mjs.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { busyboxOf, initramfs, kernelOf } from '../../scripts/initramfs';
import { outcomeOf } from '../../debug-adapter/cli/outcome';
import type { Outcome } from '../../debug-adapter/cli/outcome';
import { Run } from '../../debug-adapter/cli/run';
import { parseScript } from '../../debug-adapter/cli/script';
import { createMachine, Domains } from '../../emulator/index';
import type { BootInput, Domain, Machine } from '../../emulator/index';
import { vmlinuxOf } from '../../scripts/vmlinux';
import { guest } from './support/run';

const CONFIG = { memory: 96 << 20, cpus: 1 };
const MOST = 8_000_000_000;
const SLICE = 5_000_000;
const WORK = 'expect ringside#\nsend sha256sum /bin/busybox; uname -a; cat /proc/meminfo | head -3\\n\nexpect ringside#\nsend poweroff -f\\n';
/** Linux without a root file system panics, reboots at once, and does so by a triple fault. */
const FAULT = 'panic=-1 reboot=t';
/** What the one says that is then made to loop: interrupts are on, the kernel is on its way. */
const HANGS_AT = /Memory: \d+K/;
const CLI_AND_JUMP_TO_ITSELF = Uint8Array.of(0xfa, 0xeb, 0xfe);

function conversation(machine: Machine, script: string, until?: RegExp): { run: Run; text: () => string } {
  let text = '';
  const host = {
    write: (bytes: Uint8Array) => void (text += Buffer.from(bytes).toString('latin1')),
    warn: () => {},
    interrupted: () => false,
  };
  const options = { until, fail: undefined, input: undefined, maxInstructions: MOST };
  return { run: new Run(machine, options, parseScript('script', script), host), text: () => text };
} // prettier-ignore

describe('three Linux guests under three techniques at once', () => {
  const kernel = 'linux-image-amd64';
  const busybox = 'busybox-static';
  let input: (append: string, withPrograms?: boolean) => BootInput;
  before(function () {
    if (!existsSync(guest(kernel)) || !existsSync(guest(busybox))) this.skip();
    // Unpacked, for PVH: three that unpack themselves would take most of the time.
    const image = vmlinuxOf(kernelOf(guest(kernel)));
    const bytes = initramfs({ busybox: busyboxOf(guest(busybox)) });
    input = (append, withPrograms = true) => ({
      name: 'vmlinux',
      kernel: image,
      append: `console=ttyS0 ${append}`,
      ...(withPrograms ? { initrd: { name: 'initrd', bytes } } : {}),
    });
  });

  it('one triple-faults, one hangs, the third ends as it does alone', async () => {
    const alone = createMachine({ ...CONFIG, technique: 'vt-x' });
    alone.boot(input(''));
    const expected = conversation(alone, WORK);
    assert.equal((await expected.run.toTheEnd()).stop, 'power-off');

    const domains = new Domains([
      { ...CONFIG, name: 'works', technique: 'vt-x' },
      { ...CONFIG, name: 'faults', technique: 'amd-v' },
      { ...CONFIG, name: 'hangs', technique: 'binary-translation', cap: 30 },
    ]);
    const [works, faults, hangs] = domains.all;
    const talks = new Map<Domain, ReturnType<typeof conversation>>();
    domains.boot(works.id, input(''));
    domains.boot(faults.id, input(FAULT, false));
    domains.boot(hangs.id, input(''));
    talks.set(works, conversation(works.machine, WORK));
    talks.set(faults, conversation(faults.machine, ''));
    talks.set(hangs, conversation(hangs.machine, '', HANGS_AT));
    const outcomes = new Map<Domain, Outcome>();
    let hungAt = 0;
    while (!outcomes.has(works) || !outcomes.has(faults) || hungAt === 0) {
      for (const [domain, { run }] of talks) if (!outcomes.has(domain)) run.type();
      const stop = domains.run(SLICE);
      const outcome = outcomeOf(stop);
      const domain = domains.all.find(({ id }) => id === stop.domain);
      if (domain && outcome) outcomes.set(domain, outcome);
      for (const { run } of talks.values()) run.flush();
      const { machine } = hangs;
      if (talks.get(hangs)!.run.ended && hungAt === 0) {
        // In the kernel's driver of the serial port, at the last letter.
        machine.inspect.writeVirtual(0, machine.inspect.pc(0), CLI_AND_JUMP_TO_ITSELF);
        hungAt = machine.instructions;
      }
      assert.ok(domains.instructions < MOST, [...talks.values()].map(({ text }) => text().slice(-500)).join('\n---\n'));
    }

    assert.equal(outcomes.get(faults)!.stop, 'triple-fault');
    assert.equal(outcomes.get(works)!.stop, 'power-off');
    assert.equal(works.machine.instructions, alone.instructions);
    assert.equal(works.machine.stateHash(), alone.stateHash());
    domains.run(SLICE);
    assert.ok(hangs.machine.instructions > hungAt + SLICE / 10);
    assert.equal(hangs.machine.inspect.registers(0).get('if'), 0n);
    assert.deepEqual(domains.list().map(({ state }) => state === 'dead'), [true, true, false]); // prettier-ignore

    const sha256 = createHash('sha256').update(readFileSync(busyboxOf(guest(busybox)))).digest('hex'); // prettier-ignore
    assert.match(talks.get(works)!.text(), new RegExp(`${sha256}  /bin/busybox`));
    assert.match(talks.get(faults)!.text(), /Kernel panic - not syncing: VFS: Unable to mount root fs/);
    assert.equal(talks.get(works)!.text(), expected.text());
  }).timeout(1_800_000);
});
