import assert from 'node:assert/strict';
import { Host } from '../../../../emulator/hypervisor/host';
import { HostFrames } from '../../../../emulator/hypervisor/xen/machine-frames';
import { HypercallError } from '../../../../emulator/hypervisor/xen/ports';
import type { MachineFrames } from '../../../../emulator/hypervisor/xen/ports';

const MIB = 0x10_0000;

describe('machine frames', () => {
  it('are read and written within their bounds, and writes to code are told', () => {
    const { physical } = new Host({ domains: [{ memory: 2 * MIB, cpus: 1 }] });
    const frames: MachineFrames = new HostFrames(physical);
    frames.write64(3, 8, 0x1122_3344_5566_7788n);
    assert.equal(frames.read(3, 8, 4), 0x5566_7788);
    assert.equal(frames.read(3, 14, 2), 0x1122);
    assert.equal(frames.read64(3, 8), 0x1122_3344_5566_7788n);
    frames.writeBytes(3, 4094, Uint8Array.of(1, 2));
    assert.deepEqual([...frames.readBytes(3, 4093, 3)], [0, 1, 2]);
    assert.throws(() => frames.read(3, 4094, 4), /no 4 bytes at 4094 of frame 3/);
    assert.throws(() => frames.readBytes(frames.frames, 0, 1), /no 1 bytes/);
    const told: number[] = [];
    physical.onCodeWrite = (hpa, bytes) => told.push(hpa, bytes);
    physical.markCode(3 * 4096);
    frames.write(3, 16, 1, 9);
    assert.deepEqual(told, [3 * 4096 + 16, 1]);
  });
  it('refusals carry a number for the guest and a sentence for people', () => {
    const error = new HypercallError(14, 'the argument at gv:0x1000 is not mapped');
    assert.equal(error.errno, 14);
    assert.match(error.message, /not mapped/);
  });
});
