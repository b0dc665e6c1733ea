/**
 * Guest RAM: a window of the linear memory in which generated code works, and what every page of it is.
 * Whatever is not RAM here belongs to devices: the caller goes to the bus. Devices' names are unknown to this file.
 *
 * Layout as on a PC: RAM from 0 up to `LOW_RAM_LIMIT` at most, what remains from 4 GiB on; the VGA window is a hole. A host's RAM is
 * plain instead: no device of its own lies in it.
 */
import * as layout from '../execution/layout';
import { assert } from '../util/assert';

export const PAGE_BYTES = 4096;
const FOUR_GIB = 0x1_0000_0000;
const A20_BYTES = 0x10_0000;
/** Below 4 GiB the last GiB belongs to PCI, the APICs and firmware. */
export const LOW_RAM_LIMIT = 0xc000_0000;

/** What is known of one page of RAM; a combination of bits. */
export const PAGE = {
  /** Decoded code lies here: writes must be seen, so the page never enters a write TLB. */
  CODE: 1,
  /** Writes are dropped. */
  ROM: 4,
  /** Not RAM after all: accesses go to the bus. */
  HOLE: 8,
  /** May be in a write TLB: a hint, so that marking code can skip the search. */
  WRITE_CACHED: 16,
  /** A hypervisor follows what is written here (a guest's page tables): the page never enters a write TLB. */
  FOLLOWED: 32,
} as const;

/** Whoever keeps translations to RAM: each processor's TLB. */
export interface TranslationCache {
  /** What lies at an address changed (A20, holes): all translations are void. */
  remapped(): void;
  /** A page that may be in a write TLB must leave it: linear-memory address of the page. */
  protected(hostPage: number): void;
}

/** RAM whose pages lie scattered in another's: a guest's in its host's. Which frame holds a page is plain data. */
export interface Backing {
  readonly host: PhysicalMemory;
  /** Host frame numbers, by page of this RAM (from 4 GiB on its pages follow those below the PCI hole). */
  readonly frames: Int32Array;
}

/** Added to the gpa of what is no RAM, where a number must name it among host-physical addresses. */
const NOT_RAM = 2 ** 44;

export class PhysicalMemory {
  readonly view: DataView;
  readonly data: Uint8Array;
  /** The linear memory as 32-bit words: index is a linear-memory address divided by 4. */
  readonly words: Int32Array;
  /** Bits of PAGE, by page of RAM; of a backed one they are its host's. */
  readonly pages: Uint8Array;
  /** Where linear memory holds the first byte; of a backed one, of its host's. */
  readonly base: number;
  private frames: Int32Array | undefined;
  /** Bytes of RAM that the linear memory holds: of its host, where this one is backed. */
  readonly hostSize: number;
  /** Backed: page of this RAM by host frame, -1 for others' frames. */
  private pageOfFrame: Int32Array | undefined;
  /** Bytes of RAM below the PCI hole, and from 4 GiB on. */
  readonly lowBytes: number;
  readonly highBytes: number;
  private a20Open = true;
  /** Flash below 4 GiB: no RAM, data is read from the bus, but code runs from it. */
  rom: { readonly gpa: number; readonly bytes: Uint8Array } | undefined;

  /** Asked for a page marked CODE: whether decoded code lies in these bytes, or close by. */
  holdsCode: (gpa: number, bytes: number) => boolean = () => true;
  /** Called after a write to a page marked CODE by anybody but generated code: gpa of the first byte, length. */
  onCodeWrite: (gpa: number, bytes: number) => void = () => {};
  /** Called after a write to a page marked FOLLOWED by whoever sees this memory: gpa of the first byte, length. */
  onFollowedWrite: (gpa: number, bytes: number) => void = () => {};
  /** Of a backed one, its host's: whoever follows any RAM there. */
  private readonly observers: TranslationCache[];
  /** Those of them that follow this RAM. */
  private readonly own: TranslationCache[] = [];

  /**
   * `size`: bytes of RAM, a multiple of the page size. `where`: its place in `memory`, or the frames that hold it. `plain`: from 0 to
   * `size` without a hole.
   */
  constructor(
    memory: WebAssembly.Memory,
    readonly size: number,
    where: number | Backing = layout.RAM,
    plain = false,
  ) {
    const backing = typeof where === 'number' ? undefined : where;
    this.hostSize = backing ? backing.host.size : size;
    this.base = typeof where === 'number' ? where : where.host.base;
    assert(
      size % PAGE_BYTES === 0 && this.base % PAGE_BYTES === 0,
      `RAM of ${size} bytes at ${this.base} is not whole pages`,
    );
    assert(
      backing || this.base + size <= memory.buffer.byteLength,
      `RAM of ${size} bytes does not fit the linear memory`,
    );
    this.observers = backing ? backing.host.observers : [];
    this.view = new DataView(memory.buffer);
    this.data = new Uint8Array(memory.buffer);
    this.words = new Int32Array(memory.buffer);
    this.lowBytes = plain ? size : Math.min(size, LOW_RAM_LIMIT);
    this.highBytes = size - this.lowBytes;
    this.pages = backing ? backing.host.pages : new Uint8Array(size / PAGE_BYTES);
    if (backing) this.back(backing);
    if (!plain) this.setKind(0xa_0000, 0xb_ffff, 'hole');
  }

  private back({ host, frames }: Backing): void {
    assert(frames.length * PAGE_BYTES === this.size, `${frames.length} frames for RAM of ${this.size} bytes`);
    this.frames = frames;
    const pageOfFrame = (this.pageOfFrame = new Int32Array(host.pages.length).fill(-1));
    frames.forEach((frame, page) => (pageOfFrame[frame] = page));
    this.holdsCode = (gpa, bytes) => host.holdsCode(this.hpa(gpa), bytes);
    this.onCodeWrite = (gpa, bytes) => host.onCodeWrite(this.hpa(gpa), bytes);
  }
  /** Host-physical address of the byte: its own, where this RAM is not backed. What is no RAM has one that no RAM has. */
  hpa(gpa: number): number {
    if (!this.frames) return gpa;
    const offset = this.offset(gpa);
    return offset < 0 ? NOT_RAM + gpa : offset;
  }
  /** Linear-memory addresses of all pages, in guest-physical order. */
  *hostPages(): Generator<number> {
    for (let page = 0; page < this.size / PAGE_BYTES; page++) yield this.base + this.frameOf(page) * PAGE_BYTES;
  }
  /** All of RAM, in guest-physical order: for snapshots. */
  image(): Uint8Array {
    const out = new Uint8Array(this.size);
    let at = 0;
    for (const host of this.hostPages()) out.set(this.data.subarray(host, host + PAGE_BYTES), at++ * PAGE_BYTES);
    return out;
  }
  setImage(image: Uint8Array): void {
    let at = 0;
    for (const host of this.hostPages()) this.data.set(image.subarray(at, (at += PAGE_BYTES)), host);
  }
  private frameOf(page: number): number {
    return this.frames ? this.frames[page] : page;
  }

  /** All of RAM 0, as after power-on. What is 0 already is not written: the host need not provide pages for it. */
  clear(): void {
    const { words } = this;
    for (const host of this.hostPages()) {
      const page = host >>> 2;
      let any = 0;
      for (let i = page; i < page + (PAGE_BYTES >>> 2); i++) any |= words[i];
      if (any !== 0) words.fill(0, page, page + (PAGE_BYTES >>> 2));
    }
  }

  observe(cache: TranslationCache): void {
    this.observers.push(cache);
    this.own.push(cache);
  }
  /** This RAM is no more: its host forgets who kept translations to it. */
  forsake(): void {
    for (const cache of this.own.splice(0)) this.observers.splice(this.observers.indexOf(cache), 1);
  }

  get a20(): boolean {
    return this.a20Open;
  }
  /** The gate of address line 20: closed, bit 20 of every physical address is 0. */
  set a20(open: boolean) {
    if (open === this.a20Open) return;
    this.a20Open = open;
    for (const cache of this.observers) cache.remapped();
  }

  /** Offset in RAM (its host's, where it is backed), or -1 for what is not RAM. */
  private offset(gpa: number): number {
    if (!this.a20Open && Math.floor(gpa / A20_BYTES) % 2 === 1) gpa -= A20_BYTES;
    let offset = -1;
    if (gpa < this.lowBytes) offset = gpa;
    else if (gpa >= FOUR_GIB && gpa < FOUR_GIB + this.highBytes) offset = this.lowBytes + (gpa - FOUR_GIB);
    if (offset < 0) return -1;
    const { frames } = this;
    if (frames) offset = frames[Math.floor(offset / PAGE_BYTES)] * PAGE_BYTES + (offset % PAGE_BYTES);
    return this.pages[Math.floor(offset / PAGE_BYTES)] & PAGE.HOLE ? -1 : offset;
  }
  isRam(gpa: number): boolean {
    return this.offset(gpa) >= 0;
  }
  /** Address in the linear memory, good up to the end of the page; -1: not RAM. */
  hostAddress(gpa: number): number {
    if (!this.frames && this.a20Open && gpa < this.lowBytes)
      return this.pages[gpa >>> 12] & PAGE.HOLE ? -1 : this.base + gpa;
    const offset = this.offset(gpa);
    return offset < 0 ? -1 : this.base + offset;
  }
  /** Whether its pages lie in another's RAM. */
  get backed(): boolean {
    return this.frames !== undefined;
  }
  /** Whether an address in the linear memory belongs to this RAM. */
  holds(host: number): boolean {
    const offset = host - this.base;
    return this.pageOfFrame
      ? this.pageOfFrame[Math.floor(offset / PAGE_BYTES)] >= 0
      : offset >= 0 && offset < this.size;
  }
  /** The reverse: gpa of an address in the linear memory. */
  gpaOf(host: number): number {
    const offset = host - this.base;
    if (this.pageOfFrame) return this.gpaOfFrame(Math.floor(offset / PAGE_BYTES)) + (offset % PAGE_BYTES);
    assert(offset >= 0 && offset < this.size, `linear-memory address ${host} is not RAM`);
    return offset < this.lowBytes ? offset : FOUR_GIB + (offset - this.lowBytes);
  }
  /** gpa of the page that a host frame holds. */
  private gpaOfFrame(frame: number): number {
    const offset = this.pageOfFrame![frame] * PAGE_BYTES;
    assert(offset >= 0, `host frame ${frame} holds no page of this RAM`);
    return offset < this.lowBytes ? offset : FOUR_GIB + (offset - this.lowBytes);
  }
  /** Bits of PAGE; HOLE for what is not RAM. */
  flags(gpa: number): number {
    const offset = this.offset(gpa);
    return offset < 0 ? PAGE.HOLE : this.pages[Math.floor(offset / PAGE_BYTES)];
  }

  /** Inclusive range, whole pages, in RAM below 4 GiB; what lies beyond RAM is left alone. */
  setKind(firstGpa: number, lastGpa: number, kind: 'ram' | 'rom' | 'hole'): void {
    const bits = kind === 'ram' ? 0 : kind === 'rom' ? PAGE.ROM : PAGE.HOLE;
    const last = Math.min(lastGpa, this.lowBytes - 1);
    for (let page = Math.floor(firstGpa / PAGE_BYTES); page * PAGE_BYTES <= last; page++)
      this.pages[this.frameOf(page)] = (this.pages[this.frameOf(page)] & ~(PAGE.ROM | PAGE.HOLE)) | bits;
    for (const cache of this.observers) cache.remapped();
  }

  /** From now on writes to this page are reported. */
  markCode(gpa: number): void {
    this.mark(gpa, PAGE.CODE);
  }
  /** No decoded code is left in the page. Writes may be cached again. */
  clearCode(gpa: number): void {
    const offset = this.offset(gpa);
    if (offset >= 0) this.pages[Math.floor(offset / PAGE_BYTES)] &= ~PAGE.CODE;
  }
  /** From now on, or no longer, writes to this page are reported to `onFollowedWrite`. */
  follow(gpa: number, on: boolean): void {
    const offset = this.offset(gpa);
    if (on) this.mark(gpa, PAGE.FOLLOWED);
    else if (offset >= 0) this.pages[Math.floor(offset / PAGE_BYTES)] &= ~PAGE.FOLLOWED;
  }
  private mark(gpa: number, bit: number): void {
    const offset = this.offset(gpa);
    if (offset < 0) return;
    const page = Math.floor(offset / PAGE_BYTES);
    const flags = this.pages[page];
    this.pages[page] = (flags | bit) & ~PAGE.WRITE_CACHED;
    if (flags & PAGE.WRITE_CACHED) for (const cache of this.observers) cache.protected(this.base + page * PAGE_BYTES);
  }
  noteWriteCached(host: number): void {
    this.pages[Math.floor((host - this.base) / PAGE_BYTES)] |= PAGE.WRITE_CACHED;
  }

  /** What would be executed where there is no RAM: flash, or the ones of an empty bus. */
  codeOutsideRam(gpa: number, bytes: number): Uint8Array {
    const { rom } = this;
    if (rom && gpa >= rom.gpa && gpa < rom.gpa + rom.bytes.length) return rom.bytes.subarray(gpa - rom.gpa, gpa - rom.gpa + bytes);
    return new Uint8Array(bytes).fill(0xff);
  } // prettier-ignore

  /** RAM only: bytes up to the first that is not RAM. For DMA, loaders and the inspector. */
  readBytes(gpa: number, bytes: number): Uint8Array {
    const out = new Uint8Array(bytes);
    let done = 0;
    while (done < bytes) {
      const host = this.hostAddress(gpa + done);
      if (host < 0) return out.slice(0, done);
      const n = Math.min(bytes - done, PAGE_BYTES - ((gpa + done) % PAGE_BYTES));
      out.set(this.data.subarray(host, host + n), done);
      done += n;
    }
    return out;
  }
  /** Returns how many bytes were written: stops at what is not RAM. `force` also writes ROM (loaders, the user). */
  writeBytes(gpa: number, data: Uint8Array, force = false): number {
    let done = 0;
    while (done < data.length) {
      const at = gpa + done;
      const host = this.hostAddress(at);
      if (host < 0) break;
      const n = Math.min(data.length - done, PAGE_BYTES - (at % PAGE_BYTES));
      const flags = this.flags(at);
      if (force || !(flags & PAGE.ROM)) this.data.set(data.subarray(done, done + n), host);
      if (flags & PAGE.CODE) this.onCodeWrite(at, n);
      if (flags & PAGE.FOLLOWED) this.onFollowedWrite(at, n);
      done += n;
    }
    return done;
  }
}
