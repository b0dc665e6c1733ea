/**
 * The PCI transport of virtio devices (modern interface only). Source: Virtual I/O Device (VIRTIO) 1.1, sections 2.1 to
 * 2.6, 4.1. A kind of device (virtio-block.ts and so on) says what lies in its configuration and serves its queues.
 *
 * A notification is served a little later, in guest time. Not emulated: the legacy interface, packed rings, event indices,
 * shared memory regions, SR-IOV.
 */
import type { Clock, Device, GuestMemory, Inspection, Unsupported } from './bus';
import { Msix } from './msix';
import type { MsixSaved } from './msix';
import { PciFunction } from './pci-function';
import { capabilities } from './virtio-capabilities';
import { CommonConfig } from './virtio-common';
import type { CommonState } from './virtio-common';
import { BadQueue, VirtQueue } from './virtio-queue';
import type { Chain } from './virtio-queue';

const VENDOR = 0x1af4;
const FIRST_DEVICE = 0x1040;
const SERVE_NS = 20_000;
/** 1 GB/s: what a queue has moved keeps it busy for so long. */
const NS_PER_BYTE = 1;
/** Of one queue at once: then the machine goes on. What is read can be the queue itself, so that it never gets empty. */
const MOST_BYTES = 16 << 20;
const ISR = { QUEUE: 1, CONFIG: 2 } as const;
const STATUS = { DRIVER_OK: 4, NEEDS_RESET: 0x40 } as const;
const AREA = { COMMON: 0, ISR: 1, DEVICE: 2, NOTIFY: 3 } as const;
const AREA_BYTES = 0x1000;
export const MSIX_BAR = 1;
export const REGISTERS_BAR = 4;

/** What a kind of device does with a queue. */
export interface QueueAccess {
  /** The next request; undefined: none. */
  take(): Chain | undefined;
  giveBack(chain: Chain): void;
}

export interface VirtioKind {
  readonly name: string;
  /** Section 5: 2 block, 3 console, 4 entropy. */
  readonly type: number;
  readonly classCode: number;
  readonly queues: number;
  /** Bits 0 to 23. */
  readonly features: number;
  /** Device configuration. */
  config(): Uint8Array;
  writeConfig?(offset: number, byte: number): void;
  /** Serves requests; returns the bytes moved. */
  serve(queue: number, access: QueueAccess): number;
  reset(): void;
  save(): unknown;
  restore(saved: unknown): void;
  inspect?(): Inspection;
}

export interface VirtioHost {
  clock: Clock;
  memory: GuestMemory;
  sendMsi(address: number, data: number): void;
  unsupported: Unsupported;
}

interface Saved {
  common: CommonState;
  msix: MsixSaved;
  isr: number;
  /** Queues that were notified, and when they are served; -1: none. */
  waiting: number[];
  dueNs: number;
  busyUntilNs: number;
  kind: unknown;
}

export class VirtioPci implements Device<Saved> {
  readonly name: string;
  readonly fn: PciFunction;
  private readonly common: CommonConfig;
  private readonly msix: Msix;
  private isr = 0;
  private waiting = new Set<number>();
  private dueNs = -1;
  private busyUntilNs = 0;

  constructor(
    private readonly kind: VirtioKind,
    slot: number,
    private readonly host: VirtioHost,
  ) {
    this.name = `virtio.${kind.name}`;
    this.common = new CommonConfig(kind.queues, kind.features, {
      resetDevice: () => this.resetDevice(),
      started: () => this.started(),
    });
    const layout = capabilities(REGISTERS_BAR, AREA_BYTES);
    this.msix = new Msix(kind.queues + 1, () => this.fn.read(layout.msixAt + 2, 2), (address, data) => host.sendMsi(address, data));
    this.fn = new PciFunction({
      name: this.name, slot, function: 0, vendor: VENDOR, device: FIRST_DEVICE + kind.type, revision: 1,
      classCode: kind.classCode, subsystem: { vendor: VENDOR, device: 0x1100 }, interruptPin: 1,
      defaults: [...layout.defaults, [layout.msixAt, this.msix.capability(0, MSIX_BAR)]],
      writable: [...layout.writable, [layout.msixAt, Msix.WRITABLE]],
      bars: [
        undefined, this.msix.bar, undefined, undefined,
        {
          kind: 'memory64', bytes: 4 * AREA_BYTES, prefetchable: true,
          read: (offset, bytes) => this.read(offset, bytes),
          write: (offset, bytes, value) => this.write(offset, bytes, value),
        },
      ],
      onConfigWrite: (offset, bytes) => this.configWritten(offset, bytes, layout.windowAt),
      onConfigRead: (offset) => {
        if (offset >= layout.windowAt + 16 && offset < layout.windowAt + 20) this.window(layout.windowAt, false);
      },
    });
    this.reset();
  } // prettier-ignore

  /** A queue has something to do besides what the driver said: input came. */
  kick(queue: number): void {
    if (!(this.common.status & STATUS.DRIVER_OK)) return;
    this.waiting.add(queue);
    if (this.dueNs < 0) this.dueNs = Math.max(this.host.clock.now() + SERVE_NS, this.busyUntilNs);
  }

  reset(): void {
    this.msix.reset();
    this.common.reset();
    this.resetDevice();
  }
  private resetDevice(): void {
    this.waiting.clear();
    Object.assign(this, { isr: 0, dueNs: -1, busyUntilNs: 0 });
    this.fn?.setInterrupt(false);
    this.kind.reset();
  }
  /** Input may have come before the driver did. */
  private started(): void {
    for (let queue = 0; queue < this.kind.queues; queue++) this.kick(queue);
  }

  save(): Saved {
    const { isr, dueNs, busyUntilNs } = this;
    const waiting = [...this.waiting].sort((a, b) => a - b);
    return { common: this.common.save(), msix: this.msix.save(), isr, waiting, dueNs, busyUntilNs, kind: this.kind.save() }; // prettier-ignore
  }
  restore({ common, msix, isr, waiting, dueNs, busyUntilNs, kind }: Saved): void {
    this.common.restore(common);
    this.msix.restore(msix);
    this.waiting = new Set(waiting);
    Object.assign(this, { isr, dueNs, busyUntilNs });
    this.kind.restore(kind);
  }

  deadline(): number {
    return this.dueNs < 0 ? Infinity : this.dueNs;
  }
  tick(): void {
    if (this.dueNs < 0 || this.host.clock.now() < this.dueNs) return;
    this.dueNs = -1;
    const queues = [...this.waiting].sort((a, b) => a - b);
    this.waiting.clear();
    const served = queues.map((queue) => this.serve(queue));
    this.busyUntilNs = this.host.clock.now() + served.reduce((sum, { bytes }) => sum + bytes, 0) * NS_PER_BYTE;
    queues.forEach((queue, i) => served[i]!.more && this.kick(queue));
  }

  inspect(): Inspection {
    const { status, driverFeatures } = this.common.state;
    return { status, features: driverFeatures[0], isr: this.isr, ...this.kind.inspect?.() };
  }

  /** `bytes` that were moved; `more`: it had to stop before the queue was empty. */
  private serve(index: number): { bytes: number; more: boolean } {
    const state = this.common.queue(index);
    if (!state?.enabled || !this.fn.busMaster || this.common.status & STATUS.NEEDS_RESET)
      return { bytes: 0, more: false };
    const queue = new VirtQueue(state, this.host.memory);
    let wanted = false;
    let [bytes, requests, asked, more] = [0, 0, 0, false];
    const take = (): Chain | undefined => {
      more = requests >= state.size || asked >= MOST_BYTES;
      const chain = more ? undefined : queue.take();
      requests++;
      asked += chain ? chain.readableBytes + chain.writableBytes : 0;
      return chain;
    };
    try {
      bytes = this.kind.serve(index, {
        take,
        giveBack: (chain) => {
          wanted = queue.giveBack(chain) || wanted;
        },
      });
    } catch (error) {
      if (!(error instanceof BadQueue)) throw error;
      this.host.unsupported(`${this.name}: the driver's queue ${index} is damaged: ${error.message}`);
      this.common.needsReset();
      this.interrupt(ISR.CONFIG, this.common.state.configVector);
    }
    if (wanted) this.interrupt(ISR.QUEUE, state.vector);
    return { bytes, more: more && queue.waits };
  }

  private interrupt(cause: number, vector: number): void {
    if (this.msix.enabled) return this.msix.fire(vector);
    this.isr |= cause;
    this.fn.setInterrupt(true);
  }

  private read(offset: number, bytes: number): number {
    const at = offset % AREA_BYTES;
    switch (Math.floor(offset / AREA_BYTES)) {
      case AREA.COMMON:
        return this.common.read(at, bytes);
      case AREA.ISR: {
        if (at !== 0) return 0;
        const { isr } = this;
        this.isr = 0;
        this.fn.setInterrupt(false);
        return isr;
      }
      case AREA.DEVICE: {
        const config = this.kind.config();
        let value = 0;
        for (let i = bytes - 1; i >= 0; i--) value = (value << 8) | (config[at + i] ?? 0);
        return value >>> 0;
      }
      default:
        return 0;
    }
  }

  private write(offset: number, bytes: number, value: number): void {
    const at = offset % AREA_BYTES;
    const area = Math.floor(offset / AREA_BYTES);
    if (area === AREA.COMMON) this.common.write(at, bytes, value);
    else if (area === AREA.NOTIFY && at >> 2 < this.kind.queues) this.kick(at >> 2);
    else if (area === AREA.DEVICE)
      for (let i = 0; i < bytes; i++) this.kind.writeConfig?.(at + i, (value >>> (i * 8)) & 0xff);
  }

  private configWritten(offset: number, bytes: number, windowAt: number): void {
    if (offset + bytes > windowAt + 16 && offset < windowAt + 20) this.window(windowAt, true);
    this.msix.deliver();
  }

  /** The configuration-space window into the registers (section 4.1.4.9), for those who cannot reach the BAR. */
  private window(at: number, writes: boolean): void {
    const bar = this.fn.read(at + 4, 1);
    const offset = this.fn.read(at + 8, 4);
    const bytes = this.fn.read(at + 12, 4);
    if (bar !== REGISTERS_BAR || ![1, 2, 4].includes(bytes) || offset % bytes || offset >= 4 * AREA_BYTES) return;
    if (writes) return this.write(offset, bytes, this.fn.read(at + 16, bytes as 1 | 2 | 4));
    const value = this.read(offset, bytes);
    this.fn.poke(
      at + 16,
      Array.from({ length: bytes }, (_, i) => (value >>> (i * 8)) & 0xff),
    );
  }
}
