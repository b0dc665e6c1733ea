/** Domains without processors: memory by frames, and a log of what the parts of the Xen ABI did to them. */
import assert from 'node:assert/strict';
import { EventChannels } from '../../../../emulator/hypervisor/xen/events/channels';
import { HypercallError } from '../../../../emulator/hypervisor/xen/ports';
import type { Caller, FramePlace, MachineFrames, XenDomain } from '../../../../emulator/hypervisor/xen/ports';

const PAGE_BYTES = 4096;
const EFAULT = 14;

export class FakeFrames implements MachineFrames {
  private readonly view: DataView;
  private readonly data: Uint8Array;
  constructor(readonly frames: number) {
    this.data = new Uint8Array(frames * PAGE_BYTES);
    this.view = new DataView(this.data.buffer);
  }
  at(mfn: number, offset: number, bytes: number): number {
    assert(mfn >= 0 && mfn < this.frames && offset >= 0 && offset + bytes <= PAGE_BYTES, `${bytes} bytes at ${offset} of ${mfn}`); // prettier-ignore
    return mfn * PAGE_BYTES + offset;
  }
  read(mfn: number, offset: number, bytes: 1 | 2 | 4): number {
    const at = this.at(mfn, offset, bytes);
    return bytes === 4 ? this.view.getUint32(at, true) : bytes === 2 ? this.view.getUint16(at, true) : this.data[at]!;
  }
  read64(mfn: number, offset: number): bigint {
    return this.view.getBigUint64(this.at(mfn, offset, 8), true);
  }
  write(mfn: number, offset: number, bytes: 1 | 2 | 4, value: number): void {
    const at = this.at(mfn, offset, bytes);
    if (bytes === 4) this.view.setUint32(at, value, true);
    else if (bytes === 2) this.view.setUint16(at, value, true);
    else this.data[at] = value;
  }
  write64(mfn: number, offset: number, value: bigint): void {
    this.view.setBigUint64(this.at(mfn, offset, 8), value, true);
  }
  readBytes(mfn: number, offset: number, bytes: number): Uint8Array {
    const at = this.at(mfn, offset, bytes);
    return this.data.slice(at, at + bytes);
  }
  writeBytes(mfn: number, offset: number, data: Uint8Array): void {
    this.data.set(data, this.at(mfn, offset, data.length));
  }
}

export interface FakeOptions {
  id?: number;
  privileged?: boolean;
  word?: 4 | 8;
  vcpus?: number;
  memory?: FakeFrames;
  /** Frames of its reservation: the first is shared_info. */
  first?: number;
  frames?: number;
}

/** Frames that are no writable pages, for refusals. */
export const PAGE_TABLE = 1;

export class FakeDomain implements XenDomain {
  readonly id: number;
  readonly privileged: boolean;
  readonly word: 4 | 8;
  readonly vcpus: number;
  readonly memory: FakeFrames;
  readonly first: number;
  readonly frames: number;
  time = 0;
  /** Users of frames, by frame: writable + read-only. */
  readonly users = new Map<number, number>();
  readonly kicks: number[] = [];
  /** What was mapped where, by address. */
  readonly mappings = new Map<bigint, { mfn: number; writable: boolean }>();

  constructor(options: FakeOptions = {}) {
    this.id = options.id ?? 1;
    this.privileged = options.privileged ?? this.id === 0;
    this.word = options.word ?? 8;
    this.vcpus = options.vcpus ?? 1;
    this.frames = options.frames ?? 16;
    this.first = options.first ?? 0;
    this.memory = options.memory ?? new FakeFrames(this.first + this.frames);
  }
  now(): number {
    return this.time;
  }
  owns(mfn: number): boolean {
    return Number.isInteger(mfn) && mfn >= this.first && mfn < this.first + this.frames;
  }
  get sharedInfo(): number {
    return this.first;
  }
  vcpuInfo(vcpu: number): FramePlace {
    return { mfn: this.sharedInfo, offset: vcpu * 64 };
  }
  kick(vcpu: number): void {
    this.kicks.push(vcpu);
  }
  deadlineMoved(): void {}
  getFrame(mfn: number, writable: boolean): void {
    if (!this.owns(mfn)) throw new HypercallError(22, `frame ${mfn} is not of domain ${this.id}`);
    if (writable && mfn === this.first + PAGE_TABLE) throw new HypercallError(22, `frame ${mfn} is a page table`);
    this.users.set(mfn, (this.users.get(mfn) ?? 0) + 1);
  }
  putFrame(mfn: number): void {
    const users = this.users.get(mfn) ?? 0;
    assert(users > 0, `frame ${mfn} has no user to leave`);
    if (users === 1) this.users.delete(mfn);
    else this.users.set(mfn, users - 1);
  }
  setMapping(where: { address: bigint; pte: boolean }, mapping: { mfn: number; writable: boolean } | { expected: number }): FramePlace {
    if (where.address === 0n) throw new HypercallError(22, 'no table maps address 0');
    if ('mfn' in mapping) this.mappings.set(where.address, { ...mapping });
    else {
      if (this.mappings.get(where.address)?.mfn !== mapping.expected)
        throw new HypercallError(22, `${where.address} does not map ${mapping.expected}`);
      this.mappings.delete(where.address);
    }
    return { mfn: this.first, offset: Number(where.address) };
  } // prettier-ignore
  clearMapping({ offset }: FramePlace, expected: number): void {
    if (this.mappings.get(BigInt(offset))?.mfn === expected) this.mappings.delete(BigInt(offset));
  }
}

/** Linear addresses are offsets in the domain's own frames. */
export class FakeCaller implements Caller {
  constructor(
    readonly domain: FakeDomain,
    readonly vcpu = 0,
  ) {}
  private place(gva: bigint, bytes: number): [mfn: number, offset: number] {
    const mfn = this.domain.first + Number(gva / 4096n);
    const offset = Number(gva % 4096n);
    if (gva < 0n || !this.domain.owns(mfn) || offset + bytes > PAGE_BYTES)
      throw new HypercallError(EFAULT, `${bytes} bytes at gv:0x${gva.toString(16)} are not the guest's`);
    return [mfn, offset];
  }
  readBytes(gva: bigint, bytes: number): Uint8Array {
    return this.domain.memory.readBytes(...this.place(gva, bytes), bytes);
  }
  writeBytes(gva: bigint, data: Uint8Array): void {
    this.domain.memory.writeBytes(...this.place(gva, data.length), data);
  }
  read(gva: bigint, bytes: 1 | 2 | 4): number {
    return this.domain.memory.read(...this.place(gva, bytes), bytes);
  }
  read64(gva: bigint): bigint {
    return this.domain.memory.read64(...this.place(gva, 8));
  }
  write(gva: bigint, bytes: 1 | 2 | 4, value: number): void {
    this.domain.memory.write(...this.place(gva, bytes), bytes, value);
  }
  write64(gva: bigint, value: bigint): void {
    this.domain.memory.write64(...this.place(gva, 8), value);
  }
}

/** Several domains in one memory, with event channels between them. */
export class FakeHost {
  readonly memory: FakeFrames;
  readonly domains: FakeDomain[];
  readonly channels: EventChannels[];
  /** The first frame that is nobody's. */
  readonly shared: number;
  constructor(options: FakeOptions[], { frames = 16, shared = 0 } = {}) {
    this.shared = frames * options.length;
    this.memory = new FakeFrames(this.shared + shared);
    this.domains = options.map((one, i) => new FakeDomain({ id: i, ...one, memory: this.memory, first: i * frames, frames })); // prettier-ignore
    this.channels = this.domains.map((domain) => new EventChannels(domain, (id) => this.channels[id]));
  }
}

/** The errno of a refusal; 0: there was none. */
export function errnoOf(action: () => unknown): number {
  try {
    action();
    return 0;
  } catch (error) {
    if (error instanceof HypercallError) return error.errno;
    throw error;
  }
}
