/** Disks of a whole machine: state, snapshots, what is written back. The guest is a boot sector that works the ports itself. */
import assert from 'node:assert/strict';
import { createMachine } from '../../../emulator/index';
import type { BootInput, DiskInput, Machine } from '../../../emulator/machine/api';
import { contentOf } from '../devices/support';

const MIB = 1 << 20;
/**
 * WRITE SECTORS of sector 5 by polling, then debug exit:
 * 1F2h 1, 1F3h 5, 1F4h 0, 1F5h 0, 1F6h E0h, 1F7h 30h; wait for DRQ; 256 words of AX; wait for BSY to go; out F4h.
 */
const out = (port: number, value: number): number[] => [0xba, port & 0xff, port >> 8, 0xb0, value, 0xee]; // mov dx; mov al; out
const waitFor = (mask: number, jump: number): number[] => [0xba, 0xf7, 0x01, 0xec, 0xa8, mask, jump, 0xfb]; // in al; test; jcc
const CODE = [
  ...[0x01, 0x05, 0x00, 0x00, 0xe0, 0x30].flatMap((value, i) => out(0x1f2 + i, value)),
  ...waitFor(0x08, 0x74),
  ...[0xb9, 0x00, 0x01, 0xba, 0xf0, 0x01, 0xb8, 0x34, 0x12, 0xef, 0xe2, 0xfd], // mov cx, 256; mov dx; mov ax; out; loop
  ...waitFor(0x80, 0x75),
  ...out(0xf4, 0),
];

function boot(machine: Machine, disks: DiskInput[]): Machine {
  const kernel = new Uint8Array(512);
  kernel.set(CODE);
  kernel.set([0x55, 0xaa], 510);
  machine.boot({ name: 'writer', kernel, disks } satisfies BootInput);
  return machine;
}
const disk = (bytes: number, connector: DiskInput['interface'] = 'ide'): DiskInput => ({
  name: 'd', content: contentOf(new Uint8Array(bytes)), interface: connector, media: 'disk', readOnly: false,
}); // prettier-ignore
const make = (): Machine => createMachine({ memory: 4 * MIB, cpus: 1 });
const ran = (disks: DiskInput[]): Machine => {
  const machine = boot(make(), disks);
  assert.equal(machine.run(1_000_000).kind, 'debug-exit');
  return machine;
};

describe('disks of a machine', () => {
  it('hold what the guest wrote, which is part of the state', () => {
    const machine = ran([disk(64 * 1024)]);
    const [change, ...others] = machine.diskChanges(0);
    assert.deepEqual([change!.offset, others.length], [0, 0]);
    assert.deepEqual([...change!.bytes.slice(5 * 512 - 1, 5 * 512 + 3)], [0, 0x34, 0x12, 0x34]);
    assert.equal(ran([disk(64 * 1024)]).stateHash(), machine.stateHash());
  });
  it('begin anew with each boot', () => {
    const machine = ran([disk(64 * 1024)]);
    boot(machine, [disk(64 * 1024)]);
    assert.deepEqual(machine.diskChanges(0), []);
  });
  it('are in snapshots, which want the same disks', () => {
    const machine = boot(make(), [disk(64 * 1024)]);
    machine.run(300);
    const saved = machine.save();
    machine.run(1_000_000);
    const copy = boot(make(), [disk(64 * 1024)]);
    copy.restore(structuredClone(saved));
    copy.run(1_000_000);
    assert.equal(copy.stateHash(), machine.stateHash());
    assert.deepEqual(copy.diskChanges(0), machine.diskChanges(0));
    for (const disks of [[], [disk(32 * 1024)], [disk(64 * 1024, 'virtio')]])
      assert.throws(() => boot(make(), disks).restore(saved), { name: 'UserError', message: /other equipment .*; boot with the same/ }); // prettier-ignore
  });
});
