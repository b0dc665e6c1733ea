/** A driver for virtio devices on the PCI bus, as the specification asks for it (VIRTIO 1.1 section 3.1). */
import { PciHost } from '../../../emulator/devices/pci';
import { SystemBus } from '../../../emulator/devices/system-bus';
import { VirtioPci } from '../../../emulator/devices/virtio-pci';
import type { VirtioKind } from '../../../emulator/devices/virtio-pci';
import { TestClock, TestLine, TestMemory } from './support';

const SLOT = 4;
const REGISTERS = 0xe000_0000;
const MSIX = 0xe010_0000;
export const NOTIFY = REGISTERS + 0x3000;
/** Of queue n at n * 4000h: descriptors, available ring, used ring. */
const RINGS = 0x1_0000;
const QUEUE_SIZE = 8;

export interface Buffer {
  gpa: number;
  bytes: number;
  write?: boolean;
}

export class Driver {
  readonly clock = new TestClock();
  readonly memory = new TestMemory();
  readonly line = new TestLine();
  readonly messages: [address: number, data: number][] = [];
  readonly reports: string[] = [];
  readonly bus = new SystemBus((what) => this.reports.push(what));
  readonly device: VirtioPci;
  private free = 0;

  constructor(kind: VirtioKind) {
    const lines = Array.from({ length: 4 }, () => new TestLine());
    lines[3] = this.line; // INTA of slot 4
    const pci = new PciHost({
      decoder: this.bus,
      isaIrq: () => new TestLine(),
      pirq: (n) => lines[n]!,
      resetPulse: () => {},
      shadow: () => {},
    });
    this.bus.attach(pci);
    this.device = new VirtioPci(kind, SLOT, {
      clock: this.clock,
      memory: this.memory,
      sendMsi: (address, data) => this.messages.push([address, data]),
      unsupported: (what) => this.reports.push(what),
    });
    pci.add(this.device.fn);
    this.config(0x14, 4, MSIX);
    this.config(0x20, 4, REGISTERS);
    this.config(0x04, 2, 6);
  }

  config(offset: number, bytes: 1 | 2 | 4, value: number): void {
    this.bus.writePort(0xcf8, 4, 0x8000_0000 + (SLOT << 11) + (offset & 0xfc));
    this.bus.writePort(0xcfc + (offset & 3), bytes, value);
  }
  readConfig(offset: number, bytes: 1 | 2 | 4): number {
    this.bus.writePort(0xcf8, 4, 0x8000_0000 + (SLOT << 11) + (offset & 0xfc));
    return this.bus.readPort(0xcfc + (offset & 3), bytes);
  }
  set(offset: number, bytes: 1 | 2 | 4, value: number): void {
    this.bus.writeMmio(REGISTERS + offset, bytes, value);
  }
  get(offset: number, bytes: 1 | 2 | 4): number {
    return this.bus.readMmio(REGISTERS + offset, bytes);
  }
  get status(): number {
    return this.get(0x14, 1);
  }

  start(queues = 1): this {
    this.set(0x14, 1, 0);
    for (const bits of [1, 3]) this.set(0x14, 1, bits);
    this.set(0x08, 4, 0);
    this.set(0x00, 4, 0);
    this.set(0x0c, 4, this.get(0x04, 4));
    this.set(0x08, 4, 1);
    this.set(0x0c, 4, 1);
    this.set(0x14, 1, 11);
    for (let queue = 0; queue < queues; queue++) this.setUp(queue);
    this.set(0x14, 1, 15);
    return this;
  }
  setUp(queue: number): void {
    this.set(0x16, 2, queue);
    this.set(0x18, 2, QUEUE_SIZE);
    this.set(0x1a, 2, queue + 1);
    const at = RINGS + queue * 0x4000;
    [0x20, 0x28, 0x30].forEach((register, i) => this.set(register, 4, at + i * 0x1000));
    this.set(0x1c, 2, 1);
  }

  descriptor(queue: number, index: number, gpa: number, bytes: number, flags: number, next = 0): void {
    this.writeDescriptor(RINGS + queue * 0x4000 + index * 16, gpa, bytes, flags, next);
  }
  writeDescriptor(at: number, gpa: number, bytes: number, flags: number, next: number): void {
    const { view } = this.memory;
    view.setBigUint64(at, BigInt(gpa), true);
    view.setUint32(at + 8, bytes, true);
    view.setUint16(at + 12, flags, true);
    view.setUint16(at + 14, next, true);
  }
  /** Makes `head` available; the device is told. */
  offer(queue: number, head: number): void {
    const ring = RINGS + queue * 0x4000 + 0x1000;
    const { view } = this.memory;
    const index = view.getUint16(ring + 2, true);
    view.setUint16(ring + 4 + (index % QUEUE_SIZE) * 2, head, true);
    view.setUint16(ring + 2, index + 1, true);
    this.bus.writeMmio(NOTIFY + queue * 4, 2, queue);
  }
  /** Chains the buffers, offers them, waits. Bytes that the device says it wrote, or undefined: nothing came back. */
  request(queue: number, ...buffers: Buffer[]): number | undefined {
    const before = this.used(queue);
    const first = this.free;
    buffers.forEach(({ gpa, bytes, write }, i) => {
      const last = i === buffers.length - 1;
      this.descriptor(queue, first + i, gpa, bytes, (write ? 2 : 0) | (last ? 0 : 1), first + i + 1);
    });
    this.offer(queue, first);
    this.wait();
    if (this.used(queue) === before) return undefined;
    const ring = RINGS + queue * 0x4000 + 0x2000;
    return this.memory.view.getUint32(ring + 4 + (before % QUEUE_SIZE) * 8 + 4, true);
  }
  used(queue: number): number {
    return this.memory.view.getUint16(RINGS + queue * 0x4000 + 0x2002, true);
  }
  wait(): void {
    while (this.device.deadline() < Infinity) {
      this.clock.ns = this.device.deadline();
      this.device.tick();
    }
  }

  readonly msix = {
    capability: 0x98,
    enable: (masked = false): void => this.config(0x9a, 2, masked ? 0xc000 : 0x8000),
    entry: (vector: number, address: number, data: number, masked = false): void =>
      [address, 0, data, masked ? 1 : 0].forEach((value, i) =>
        this.bus.writeMmio(MSIX + vector * 16 + i * 4, 4, value),
      ),
    pending: (): number => this.bus.readMmio(MSIX + 0x800, 4),
  };
}
