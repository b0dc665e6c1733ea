/** A paravirtualised domain: its frames and what they are used as, its virtual processors, what it shares with the hypervisor. */
import type { Cpu } from '../../cpu/cpu';
import { NS_PER_INSTRUCTION } from '../../util/time';
import type { Guest } from '../guest';
import type { Host } from '../host';
import { SHARED_INFO, TIME_INFO, TSC_STABLE, VCPU_INFO } from './abi';
import type { SHUTDOWN } from './abi';
import { DescriptorRules } from './descriptors';
import { ERRNO, refuse } from './errno';
import { ForeignMappings } from './foreign';
import type { SavedForeign } from './foreign';
import { HostFrames } from './machine-frames';
import { entryFrame, isPresent, PageTableRules, PDPTE_LOADED } from './page-tables';
import { HypercallError } from './ports';
import type { FramePlace, XenDomain } from './ports';
import { ReservedSpace } from './reserved-space';
import { hexFrame, TYPE, TypedPages } from './typed-pages';
import type { SavedPages } from './typed-pages';
import { TypeHistory } from './type-history';
import { newVcpu } from './vcpu';
import type { VcpuState } from './vcpu';

/** Seconds since 1970 at which guests' wall clocks start, as the bare machine's does. */
const WALLCLOCK_SECONDS = 1_704_067_200;
/** ns = (ticks << shift) * mul >> 32, for ticks of NS_PER_INSTRUCTION. */
const TIME_SHIFT = 4;
const TIME_MUL = (NS_PER_INSTRUCTION / 2 ** TIME_SHIFT) * 2 ** 32;

/** What the domain is told from outside. */
export interface DomainWiring {
  now(): number;
  deadlineMoved(): void;
  /** Somebody may go on. */
  kick(): void;
  /** Another paravirtualised domain of the host. */
  peer(domid: number): PvDomain | undefined;
}

/** Plain data. */
export interface SavedDomain {
  pages: SavedPages;
  vcpus: VcpuState[];
  free: number[];
  frameCount: number;
  mostFrames: number;
  ended?: (typeof SHUTDOWN)[number] | undefined;
  space: Uint8Array;
  foreign: SavedForeign;
}

export class PvDomain implements XenDomain {
  readonly memory: HostFrames;
  readonly pages: TypedPages;
  readonly tables: PageTableRules;
  readonly descriptors: DescriptorRules;
  readonly space: ReservedSpace;
  /** How its frames came to be what they are. */
  readonly history: TypeHistory;
  /** Frames of others that its page tables map. */
  readonly foreign: ForeignMappings;
  vcpuStates: VcpuState[] = [];
  readonly sharedInfo: number;
  /** Of its reservation, frames that it gave back: it can have them again. */
  free: number[] = [];
  /** Of its reservation. */
  frameCount = 0;
  /** What whoever built it lets it have of that (domctl max_mem). */
  mostFrames = Infinity;
  /** It runs no more, and why: what it has shut itself down for. */
  ended?: (typeof SHUTDOWN)[number] | undefined;
  /** The virtual processor that runs, or ran last. */
  current = 0;

  constructor(
    readonly host: Host,
    readonly guest: Guest,
    readonly word: 4 | 8,
    readonly vcpus: number,
    private readonly wiring: DomainWiring,
  ) {
    this.memory = new HostFrames(host.physical);
    this.pages = new TypedPages(this.memory);
    this.history = new TypeHistory(() => guest.instructions);
    this.pages.onChange = (mfn, from, to) => this.history.note(mfn, from, to);
    this.descriptors = new DescriptorRules(this.memory, word);
    this.space = new ReservedSpace(this.memory, guest.frames, word);
    this.foreign = new ForeignMappings((domid) => wiring.peer(domid)?.pages, () => this.flush()); // prettier-ignore
    this.tables = new PageTableRules(this.pages, word, this.descriptors, this.space.entries, this.foreign);
    this.pages.onWritableGone = () => this.flush();
    this.pages.onFree = (mfn) => this.freed(mfn);
    const shared = (this.sharedInfo = this.share());
    this.vcpuStates = Array.from({ length: vcpus }, (_, i) =>
      newVcpu(word, { mfn: shared, offset: i * VCPU_INFO[word].bytes }),
    );
    for (const vcpu of this.vcpuStates) this.memory.write(vcpu.info.mfn, vcpu.info.offset + VCPU_INFO[word].mask, 1, 1);
    this.writeWallclock();
    for (let i = 0; i < vcpus; i++) this.writeTime(i);
  }

  get id(): number {
    return this.guest.index;
  }
  /** Domain 0: back ends speak as it besides, whether it is there or not. */
  get privileged(): boolean {
    return this.id === 0;
  }
  now(): number {
    return this.wiring.now();
  }
  deadlineMoved(): void {
    this.wiring.deadlineMoved();
  }
  kick(): void {
    this.wiring.kick();
  }
  owns(mfn: number): boolean {
    return this.pages.owns(mfn);
  }
  vcpuInfo(vcpu: number): FramePlace {
    return this.vcpuStates[vcpu].info;
  }
  getFrame(mfn: number, writable: boolean): void {
    if (writable) this.pages.getAs(mfn, TYPE.writable);
    else this.pages.get(mfn);
  }
  putFrame(mfn: number, writable: boolean): void {
    if (writable) this.pages.putAs(mfn);
    else this.pages.put(mfn);
  }
  setMapping(where: { address: bigint; pte: boolean }, mapping: { mfn: number; writable: boolean; available?: number } | { expected: number }): FramePlace {
    const { mfn, offset } = where.pte ? this.entryAt(where.address) : this.entryFor(where.address);
    if (this.pages.usedAs(mfn) !== TYPE.l1) refuse('EINVAL', `frame ${hexFrame(mfn)} is no L1 page table`);
    const old = this.memory.read64(mfn, offset);
    if ('expected' in mapping) {
      if (!isPresent(old) || entryFrame(old) !== mapping.expected) refuse('EINVAL', `the entry does not map frame ${hexFrame(mapping.expected)}`);
      this.tables.put(mfn, offset, 0n);
      this.flush();
      return { mfn, offset };
    }
    // What was there is the guest's own and goes as if it had cleared it.
    this.tables.exchange(mfn, offset, 0n);
    const rights = (mapping.writable ? 0x67n : 0x65n) & (this.word === 8 ? 0xfffn : 0xffbn);
    this.tables.put(mfn, offset, (BigInt(mapping.mfn) << 12n) | (BigInt(mapping.available ?? 0) << 9n) | rights);
    return { mfn, offset };
  } // prettier-ignore
  clearMapping({ mfn, offset }: FramePlace, expected: number): void {
    if (!this.owns(mfn) || this.pages.usedAs(mfn) !== TYPE.l1) return;
    const old = this.memory.read64(mfn, offset);
    if (!isPresent(old) || entryFrame(old) !== expected) return;
    this.tables.put(mfn, offset, 0n);
    this.flush();
  }

  /** A frame of the hypervisor's that the domain may map, and can never give back. Filled with zeros. */
  share(): number {
    const mfn = this.space.frame();
    this.pages.own(mfn);
    this.pages.get(mfn);
    return mfn;
  }
  unshare(mfn: number): void {
    this.pages.put(mfn);
    this.pages.disown(mfn);
  }
  /** Of its own reservation, and not given back before. */
  isReturnable(mfn: number): boolean {
    return this.owns(mfn) && !this.space.has(mfn) && !this.pages.isReleased(mfn);
  }
  /** Back to where it came from. Translations that reach it may be cached. */
  private freed(mfn: number): void {
    this.flush();
    this.space.setGuestFrame(mfn, undefined);
    if (this.space.has(mfn)) this.space.giveFrame(mfn);
    else this.free.push(mfn);
  }

  // --- Tables

  private entryAt(address: bigint): FramePlace {
    const mfn = Number(address >> 12n);
    if (!this.owns(mfn)) refuse('EINVAL', `frame ${hexFrame(mfn)} is none of the domain's`);
    return { mfn, offset: Number(address & 0xff8n) };
  }
  /** Where the last-level entry for a linear address lies in the tables in force. HypercallError: there is no table. */
  entryFor(gva: bigint, vcpu = this.current): FramePlace {
    const { kernelRoot, userRoot, inKernel } = this.vcpuStates[vcpu];
    let mfn = this.word === 4 || inKernel ? kernelRoot : userRoot;
    for (const shift of this.word === 8 ? [39n, 30n, 21n] : [30n, 21n]) {
      const entry = this.memory.read64(mfn, Number((gva >> shift) & (shift === 30n && this.word === 4 ? 3n : 511n)) * 8);
      if (!isPresent(entry)) refuse('EINVAL', `gv:0x${gva.toString(16)} has no page table (entry 0x${entry.toString(16)})`);
      mfn = entryFrame(entry);
      if (!this.owns(mfn)) refuse('EINVAL', `gv:0x${gva.toString(16)} belongs to the hypervisor`);
    }
    return { mfn, offset: Number((gva >> 12n) & 511n) * 8 };
  } // prettier-ignore
  /** Translations that a processor of the domain may keep are void. */
  flush(): void {
    for (const cpu of this.guest.cpus) cpu.flushTlb('all');
  }
  /** The root that the virtual processor is on is in force on it. */
  loadRoot(cpu: Cpu): void {
    const { state } = cpu;
    const { kernelRoot, userRoot, inKernel } = this.vcpuStates[cpu.apicId];
    const root = this.word === 4 || inKernel ? kernelRoot : userRoot;
    state.setSystem('cr3', BigInt(root) << 12n);
    if (this.word === 4) this.loadPdptes(cpu, root);
    cpu.pagingChanged('all');
  }
  /** `look` sees the address space of the kernel. */
  onKernelRoot(cpu: Cpu, look: () => void): void {
    const vcpu = this.vcpuStates[cpu.apicId];
    if (vcpu.inKernel) return look();
    vcpu.inKernel = true;
    this.loadRoot(cpu);
    try {
      look();
    } finally {
      vcpu.inKernel = false;
      this.loadRoot(cpu);
    }
  }
  private loadPdptes({ state }: Cpu, root: number): void {
    for (const i of [0, 1, 2, 3] as const) state.setSystem(`pdpte${i}`, this.memory.read64(root, i * 8) & PDPTE_LOADED);
  }

  // --- Time

  writeTime(vcpu: number): void {
    const { mfn, offset } = this.vcpuStates[vcpu].info;
    this.memory.writeBytes(mfn, offset + VCPU_INFO[this.word].time, this.timeInfo());
  }
  /** struct vcpu_time_info. Ticks and ns go alike, so that it never has to be written again. */
  timeInfo(): Uint8Array {
    const bytes = new Uint8Array(TIME_INFO.bytes);
    const view = new DataView(bytes.buffer);
    view.setUint32(TIME_INFO.version, 2, true);
    view.setUint32(TIME_INFO.mul, TIME_MUL, true);
    view.setInt8(TIME_INFO.shift, TIME_SHIFT);
    view.setUint8(TIME_INFO.flags, TSC_STABLE);
    return bytes;
  }
  private writeWallclock(): void {
    const { wallclock, wallclockHigh } = SHARED_INFO[this.word];
    this.memory.write(this.sharedInfo, wallclock, 4, 2);
    this.memory.write(this.sharedInfo, wallclock + 4, 4, WALLCLOCK_SECONDS);
    this.memory.write(this.sharedInfo, wallclock + 8, 4, 0);
    this.memory.write(this.sharedInfo, wallclockHigh, 4, 0);
  }

  // --- Upcalls

  upcallPending(vcpu: number): boolean {
    const { mfn, offset } = this.vcpuStates[vcpu].info;
    return this.memory.read(mfn, offset + VCPU_INFO[this.word].pending, 1) !== 0;
  }
  upcallMasked(vcpu: number): boolean {
    const { mfn, offset } = this.vcpuStates[vcpu].info;
    return this.memory.read(mfn, offset + VCPU_INFO[this.word].mask, 1) !== 0;
  }
  maskUpcalls(vcpu: number, masked: boolean): void {
    const { mfn, offset } = this.vcpuStates[vcpu].info;
    this.memory.write(mfn, offset + VCPU_INFO[this.word].mask, 1, masked ? 1 : 0);
  }

  // --- State

  save(): SavedDomain {
    return {
      pages: this.pages.save(),
      vcpus: structuredClone(this.vcpuStates),
      free: [...this.free],
      frameCount: this.frameCount,
      mostFrames: this.mostFrames,
      ended: this.ended,
      space: this.space.save(),
      foreign: this.foreign.save(),
    };
  }
  restore({ pages, vcpus, free, frameCount, mostFrames, ended, space, foreign }: SavedDomain): void {
    this.pages.restore(pages);
    this.vcpuStates = structuredClone(vcpus);
    this.free = [...free];
    this.frameCount = frameCount;
    this.mostFrames = mostFrames;
    this.ended = ended;
    this.space.restore(space);
    this.foreign.restore(foreign);
    this.flush();
  }
}

/** Why a hypercall was refused, as the guest sees it. */
export const errnoOf = (refused: unknown): number => {
  if (refused instanceof HypercallError) return refused.errno;
  throw refused;
};
export { ERRNO };
