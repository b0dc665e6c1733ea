/**
 * The common configuration of a virtio device: features, status, the set-up of its queues.
 * Source: VIRTIO 1.1 sections 2.1, 2.2 and 4.1.4.3.
 */
import { MAX_QUEUE_SIZE, NO_VECTOR, newQueue } from './virtio-queue';
import type { QueueState } from './virtio-queue';

const STATUS = { DRIVER_OK: 4, FEATURES_OK: 8, NEEDS_RESET: 0x40 } as const;
/** Feature bits of every device. */
const INDIRECT_DESCRIPTORS = 1 << 28;
const VERSION_1 = 1 << 0; // bit 32

export interface CommonState {
  deviceSelect: number;
  driverSelect: number;
  /** Bits 0-31 and 32-63 that the driver accepted. */
  driverFeatures: [number, number];
  configVector: number;
  status: number;
  queueSelect: number;
  queues: QueueState[];
}

export interface CommonHost {
  /** The driver wrote 0 to the status. */
  resetDevice(): void;
  /** DRIVER_OK. */
  started(): void;
}

interface Field {
  at: number;
  bytes: 1 | 2 | 4;
  get(): number;
  set?(value: number): void;
}

export class CommonConfig {
  private s: CommonState;
  private readonly offered: readonly [number, number];
  private readonly fields: readonly Field[];

  constructor(
    private readonly queues: number,
    features: number,
    private readonly host: CommonHost,
  ) {
    this.offered = [(features | INDIRECT_DESCRIPTORS) >>> 0, VERSION_1];
    this.s = this.fresh();
    this.fields = this.layout();
  }

  private fresh(): CommonState {
    return {
      deviceSelect: 0, driverSelect: 0, driverFeatures: [0, 0], configVector: NO_VECTOR, status: 0, queueSelect: 0,
      queues: Array.from({ length: this.queues }, newQueue),
    }; // prettier-ignore
  }
  reset(): void {
    this.s = this.fresh();
  }
  save(): CommonState {
    return structuredClone(this.s);
  }
  restore(saved: CommonState): void {
    this.s = structuredClone(saved);
  }

  get state(): Readonly<CommonState> {
    return this.s;
  }
  get status(): number {
    return this.s.status;
  }
  needsReset(): void {
    this.s.status |= STATUS.NEEDS_RESET;
  }
  /** The state itself: a queue goes on where it is. */
  queue(index: number): QueueState | undefined {
    return this.s.queues[index];
  }

  read(offset: number, bytes: number): number {
    let value = 0;
    for (let i = bytes - 1; i >= 0; i--) {
      const field = this.fieldAt(offset + i);
      value = (value << 8) | (field ? (field.get() >>> ((offset + i - field.at) * 8)) & 0xff : 0);
    }
    return value >>> 0;
  }
  /** Drivers use the width of the field (section 4.1.3.1); what is narrower changes a part, what is wider is cut. */
  write(offset: number, bytes: number, value: number): void {
    const field = this.fieldAt(offset);
    if (!field?.set) return;
    const shift = (offset - field.at) * 8;
    const width = Math.min(bytes * 8, field.bytes * 8 - shift);
    const mask = (width === 32 ? 0xffff_ffff : (1 << width) - 1) << shift;
    field.set(((field.get() & ~mask) | ((value << shift) & mask)) >>> 0);
  }
  private fieldAt(offset: number): Field | undefined {
    return this.fields.find(({ at, bytes }) => offset >= at && offset < at + bytes);
  }

  private get selected(): QueueState | undefined {
    return this.s.queues[this.s.queueSelect];
  }

  private layout(): Field[] {
    const address = (at: number, area: 'descriptors' | 'driver' | 'device'): Field[] =>
      ([0, 1] as const).map((half) => ({
        at: at + half * 4,
        bytes: 4,
        get: () => this.selected?.[area][half] ?? 0,
        set: (value) => this.configure((queue) => (queue[area][half] = value)),
      }));
    return [
      { at: 0x00, bytes: 4, get: () => this.s.deviceSelect, set: (v) => (this.s.deviceSelect = v) },
      { at: 0x04, bytes: 4, get: () => this.offered[this.s.deviceSelect] ?? 0 },
      { at: 0x08, bytes: 4, get: () => this.s.driverSelect, set: (v) => (this.s.driverSelect = v) },
      { at: 0x0c, bytes: 4, get: () => this.s.driverFeatures[this.s.driverSelect] ?? 0, set: (v) => this.accept(v) },
      { at: 0x10, bytes: 2, get: () => this.s.configVector, set: (v) => (this.s.configVector = this.vector(v)) },
      { at: 0x12, bytes: 2, get: () => this.queues },
      { at: 0x14, bytes: 1, get: () => this.s.status, set: (v) => this.setStatus(v) },
      { at: 0x15, bytes: 1, get: () => 0 }, // configuration generation: it never changes under a driver's hands
      { at: 0x16, bytes: 2, get: () => this.s.queueSelect, set: (v) => (this.s.queueSelect = v) },
      { at: 0x18, bytes: 2, get: () => this.selected?.size ?? 0, set: (v) => this.resize(v) },
      {
        at: 0x1a, bytes: 2, get: () => this.selected?.vector ?? NO_VECTOR,
        set: (v) => this.selected && (this.selected.vector = this.vector(v)),
      },
      { at: 0x1c, bytes: 2, get: () => (this.selected?.enabled ? 1 : 0), set: (v) => this.enable(v) },
      { at: 0x1e, bytes: 2, get: () => (this.selected ? this.s.queueSelect : 0) },
      ...address(0x20, 'descriptors'), ...address(0x28, 'driver'), ...address(0x30, 'device'),
    ]; // prettier-ignore
  }

  private vector(value: number): number {
    return value <= this.queues ? value : NO_VECTOR;
  }
  private accept(value: number): void {
    const half = this.s.driverSelect;
    if ((half === 0 || half === 1) && !(this.s.status & STATUS.FEATURES_OK)) this.s.driverFeatures[half] = value;
  }
  /** A queue that runs is not rearranged. */
  private configure(change: (queue: QueueState) => void): void {
    if (this.selected && !this.selected.enabled) change(this.selected);
  }
  private resize(size: number): void {
    // A power of two, at most what was offered (section 2.6).
    if (size > 0 && size <= MAX_QUEUE_SIZE && (size & (size - 1)) === 0) this.configure((queue) => (queue.size = size));
  }
  private enable(value: number): void {
    if (value === 1) this.configure((queue) => (queue.enabled = true));
  }

  private setStatus(value: number): void {
    if (value === 0) {
      this.reset();
      return this.host.resetDevice();
    }
    const [low, high] = this.s.driverFeatures;
    const [offeredLow, offeredHigh] = this.offered;
    // Features that are not offered, or no VERSION_1: FEATURES_OK does not stay (section 2.2.2, 6.1).
    const sane = (low & ~offeredLow) === 0 && (high & ~offeredHigh) === 0 && (high & VERSION_1) !== 0;
    const started = (value & ~this.s.status & STATUS.DRIVER_OK) !== 0;
    this.s.status = (sane ? value : value & ~STATUS.FEATURES_OK) | (this.s.status & STATUS.NEEDS_RESET);
    if (started) this.host.started();
  }
}
