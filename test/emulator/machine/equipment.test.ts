/** Disks and virtio devices on a board: whatever a guest does to them, nothing throws, and a restored copy goes on alike. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { DiskInput } from '../../../emulator/machine/api';
import { Board } from '../../../emulator/machine/board';
import type { BoardSaved } from '../../../emulator/machine/board';
import { powerOnSelfTest } from '../../../emulator/machine/firmware/post';
import { TestClock, TestMemory, checkPlain, contentOf } from '../devices/support';

const MIB = 1 << 20;
const disk = (name: string, connector: DiskInput['interface'], media: DiskInput['media'] = 'disk'): DiskInput => ({
  name,
  content: contentOf(Uint8Array.from({ length: 64 * 512 }, (_, i) => i >> 9)),
  interface: connector,
  media,
  readOnly: false,
});
const DISKS = [disk('a', 'ide'), disk('b', 'ide', 'cdrom'), disk('c', 'virtio')];

function bench() {
  const clock = new TestClock();
  const memory = new TestMemory(MIB);
  const quiet = (): void => {};
  const board = new Board(
    { memoryBytes: 64 * MIB, cpus: 1 },
    {
      clock, memory, onConsole: quiet, unsupported: quiet, powerOff: quiet, resetRequested: quiet, debugExit: quiet,
      a20: quiet, cpuAttention: quiet,
    },
  ); // prettier-ignore
  board.plug({ disks: DISKS, console: 'virtio' });
  board.powerOn();
  powerOnSelfTest(board.bus);
  return { clock, memory, board };
}
type Bench = ReturnType<typeof bench>;

/** Values that mean something somewhere: commands, small numbers, addresses of memory. */
const value = fc.oneof(
  fc.constantFrom(0, 1, 2, 3, 4, 8, 9, 0x0f, 0x20, 0x30, 0xa0, 0xc4, 0xc8, 0xca, 0xe0, 0xec, 0xef, 0x1000, 0x8000),
  fc.nat(0xff),
  fc.nat(0xffff_ffff),
);
const port = fc.oneof(
  fc.nat(7).map((n) => 0x1f0 + n), fc.nat(7).map((n) => 0x170 + n), fc.constantFrom(0x3f6, 0x376, 0xcf8, 0xcfc),
  fc.nat(15).map((n) => 0xc000 + n),
); // prettier-ignore
/** Registers and MSI-X tables of the virtio devices, as pci-setup.ts places them. */
const gpa = fc.tuple(fc.nat(7), fc.nat(15), fc.nat(0x3f)).map(([device, page, at]) => 0xe000_0000 + device * 0x4000 + page * 0x400 + at); // prettier-ignore
const op = fc.tuple(fc.nat(11), port, gpa, fc.constantFrom(1 as const, 2 as const, 4 as const), value);
type Op = [kind: number, port: number, gpa: number, bytes: 1 | 2 | 4, raw: number];

/** Of entropy source, console, disk. */
const REGISTERS = [0xe000_4000, 0xe000_c000, 0xe001_4000];
const RING = 0x1000;

/** What no random sequence comes upon: a driver that has agreed with the device, and requests in one of its queues. */
function startDriver(board: Board, memory: TestMemory, base: number, queue: number): void {
  const set = (offset: number, bytes: 1 | 2 | 4, to: number): void => board.bus.writeMmio(base + offset, bytes, to);
  for (const status of [0, 1, 3]) set(0x14, 1, status);
  set(8, 4, 1);
  set(0xc, 4, 1);
  set(0x14, 1, 11);
  set(0x16, 2, queue);
  set(0x18, 2, 4);
  [0x20, 0x28, 0x30].forEach((register, i) => set(register, 4, RING + i * 0x100));
  set(0x1c, 2, 1);
  set(0x14, 1, 15);
  const descriptors = [
    [0x2000, 16, 1, 1],
    [0x2100, 512, 3, 2],
    [0x2400, 1, 2, 0],
    [0x2500, 64, 2, 0],
  ] as const;
  descriptors.forEach(([gpa, bytes, flags, next], i) => {
    [gpa, 0, bytes, flags | (next << 16)].forEach((word, n) =>
      memory.view.setUint32(RING + i * 16 + n * 4, word, true),
    );
  });
  memory.view.setUint32(RING + 0x100, 0x0002_0000, true); // two requests are available
  memory.view.setUint32(RING + 0x104, 0x0003_0000, true);
  set(0x3000 + queue * 4, 2, queue);
}

function play({ clock, memory, board }: Bench, list: Op[]): unknown[] {
  const seen: unknown[] = [];
  for (const [kind, p, g, bytes, raw] of list) {
    const part = bytes === 4 ? raw : raw % 2 ** (bytes * 8);
    if (kind < 3) board.bus.writePort(p, bytes, part);
    else if (kind < 4) seen.push(board.bus.readPort(p, bytes));
    else if (kind < 6) board.bus.writeMmio(g, bytes, part);
    else if (kind < 7) seen.push(board.bus.readMmio(g, bytes));
    else if (kind < 8) memory.view.setUint32((g & 0xfff) + 0x1000 * (p & 1), raw, true);
    else if (kind < 9) {
      clock.ns = Math.min(board.nextDeadline(), clock.ns + 1_000_000);
      board.tick();
    } else if (kind < 10) board.typeConsole(Uint8Array.of(raw & 0xff));
    else startDriver(board, memory, REGISTERS[raw % 3]!, p & 1);
    seen.push(board.nextDeadline());
  }
  return seen;
}

describe('equipment', () => {
  it('survives anything, and restores to the same future', () => {
    const ops = fc.array(op, { maxLength: 120 });
    fc.assert(
      fc.property(ops, ops, (before, after) => {
        const a = bench();
        play(a, before);
        const saved = structuredClone(a.board.save()) as BoardSaved;
        checkPlain(saved);
        const b = bench();
        b.clock.ns = a.clock.ns;
        b.memory.data.set(a.memory.data);
        b.board.restore(saved);
        assert.deepEqual(b.board.save(), saved);
        a.board.parts.forEach((part) => part.inspect?.());
        assert.deepEqual(a.board.save(), saved, 'inspecting changes nothing');
        assert.deepEqual(play(b, after), play(a, after));
        assert.deepEqual(b.board.save(), a.board.save());
        assert.deepEqual(b.memory.data, a.memory.data);
      }),
      { numRuns: 80 },
    );
  });

  it('is exchanged between two boots', () => {
    const { board } = bench();
    const devices = (): string[] => Object.keys(board.save().devices).filter((name) => name.startsWith('virtio'));
    assert.deepEqual(devices(), ['virtio.entropy', 'virtio.console', 'virtio.disk2']);
    board.plug({ disks: [disk('d', 'virtio')] });
    board.powerOn();
    assert.deepEqual(devices(), ['virtio.entropy', 'virtio.disk0']);
    assert.deepEqual(board.sockets.paths, ['/pci@i0cf8/scsi@4/disk@0,0']);
    assert.equal(board.bus.readPort(0x1f7, 1), 0, 'no IDE disk is left');
  });
  it('names disks as SeaBIOS does', () => {
    const { board } = bench();
    assert.deepEqual(board.sockets.paths, [
      '/pci@i0cf8/ide@1,1/drive@0/disk@0',
      '/pci@i0cf8/ide@1,1/drive@0/disk@1',
      '/pci@i0cf8/scsi@4/disk@0,0',
    ]);
  });

  const refusals: [disks: DiskInput[], message: RegExp][] = [
    [Array.from({ length: 5 }, (_, i) => disk(`d${i}`, 'ide')), /^d4: .* takes 4 ide disks; .*if=virtio/],
    [Array.from({ length: 17 }, (_, i) => disk(`d${i}`, 'virtio')), /^d16: .* takes 16 virtio disks/],
    [[disk('e', 'virtio', 'cdrom')], /^e: a CD-ROM needs if=ide/],
    [[{ ...disk('f', 'ide'), content: contentOf(new Uint8Array(0)) }], /^f: the disk image is empty/],
  ];
  for (const [disks, message] of refusals)
    it(`refuses ${message.source}`, () => {
      assert.throws(() => bench().board.plug({ disks }), { name: 'UserError', message });
    });
});
