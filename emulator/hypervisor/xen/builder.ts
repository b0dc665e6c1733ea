/**
 * The domain builder: puts a paravirtualised kernel into a domain's memory with everything that its ABI promises it at its first
 * instruction. The layout is that of Xen's toolstack (xen.h, "Domain start"): from the kernel's base on lie kernel, module, list of
 * frames, start info, store and console pages, page tables, a stack, and at least 512 KiB more, up to a multiple of 4 MiB.
 */
import { ENTRY } from '../../mmu/guest-paging';
import { PAGE_BYTES } from '../../mmu/physical-memory';
import { UserError } from '../../util/assert';
import { SIF } from './abi';
import type { PvDomain } from './domain';
import { hypercallPage } from './hypercall-page';
import type { PvImage } from './image';
import { inReserved } from './reserved-space';
import { MAX_COMMAND_LINE, startInfoPage } from './start-info';
import { TYPE } from './typed-pages';

const PADDING = 0x8_0000;
const MAPPED_TO = 0x40_0000;
const RIGHTS = {
  8: ENTRY.P | ENTRY.W | ENTRY.U | ENTRY.A | ENTRY.D,
  4: ENTRY.P | ENTRY.W | ENTRY.A | ENTRY.D,
} as const;
const TABLE = { 8: ENTRY.P | ENTRY.W | ENTRY.U | ENTRY.A | ENTRY.D, 4: ENTRY.P | ENTRY.W | ENTRY.A | ENTRY.D } as const;
/** Levels above the first: lowest address bit that each resolves. */
const SHIFTS = { 8: [39n, 30n, 21n], 4: [30n, 21n] } as const;
const TOP_GIB = 0xc000_0000n;

export interface BuildInput {
  image: PvImage;
  /** `list`: it is one of several files (module-list.ts). */
  module?: { bytes: Uint8Array; list: boolean };
  commandLine: string;
  /** The domain's machine frames, by its own numbers. */
  frames: Int32Array;
  ports: { store: number; console: number };
}
export interface Built {
  entry: bigint;
  stack: bigint;
  startInfo: bigint;
  /** Frame of the root table. */
  root: number;
  storeMfn: number;
  consoleMfn: number;
}

export class DomainBuilder {
  private readonly word: 4 | 8;
  /** Next page of the guest's own numbering that is free. */
  private next = 0;
  private tables = new Map<string, number>();
  private tablePfns: number[] = [];

  constructor(
    private readonly domain: PvDomain,
    private readonly input: BuildInput,
  ) {
    this.word = domain.word;
  }

  /** UserError: the kernel does not fit. The root is in use afterwards. */
  build(): Built {
    const { domain, input } = this;
    const { image, frames } = input;
    frames.forEach((mfn, pfn) => {
      domain.pages.own(mfn);
      domain.space.setGuestFrame(mfn, BigInt(pfn));
    });
    this.placeKernel();
    const module = image.unmappedModule ? 0 : this.placeModule();
    const p2mPages = Math.ceil((frames.length * this.word) / PAGE_BYTES);
    let p2m = image.p2mBase === undefined ? this.take(p2mPages) : 0;
    const [startInfo, store, console] = [this.take(1), this.take(1), this.take(1)];
    const pt = this.next;
    const { tables, end } = this.planTables(p2mPages);
    this.checkPlace('base', image.virtBase, end - image.virtBase);
    if (image.p2mBase !== undefined) this.checkPlace('list of frames', image.p2mBase, BigInt(p2mPages * PAGE_BYTES));
    this.take(tables);
    const stack = this.take(1);
    this.next = Number((end - image.virtBase) / BigInt(PAGE_BYTES));
    this.fits(this.next);
    if (image.p2mBase !== undefined) p2m = this.take(p2mPages);
    const unmapped = image.unmappedModule ? this.placeModule() : 0;
    const list = new Uint8Array(p2mPages * PAGE_BYTES);
    const view = new DataView(list.buffer);
    frames.forEach((mfn, pfn) => this.word === 8 ? view.setBigUint64(pfn * 8, BigInt(mfn), true) : view.setUint32(pfn * 4, mfn, true));
    this.write(p2m, list);
    const root = this.buildTables(pt, tables, end, p2m, p2mPages);
    const mod = input.module;
    this.write(startInfo, startInfoPage({
      pages: frames.length,
      sharedInfo: BigInt(domain.sharedInfo) << 12n,
      flags: (mod && image.unmappedModule ? SIF.MOD_START_PFN : 0) | (mod?.list ? SIF.MULTIBOOT_MOD : 0) | (this.domain.privileged ? SIF.PRIVILEGED | SIF.INITDOMAIN : 0),
      storeMfn: frames[store], storePort: input.ports.store,
      consoleMfn: frames[console], consolePort: input.ports.console,
      ptBase: this.gva(pt), ptFrames: tables,
      mfnList: image.p2mBase ?? this.gva(p2m),
      modStart: !mod ? 0n : image.unmappedModule ? BigInt(unmapped) : this.gva(module), modBytes: mod?.bytes.length ?? 0,
      commandLine: this.commandLine(),
      firstP2mPfn: image.p2mBase === undefined ? 0 : p2m, p2mFrames: image.p2mBase === undefined ? 0 : p2mPages,
    }, this.word));
    if (image.hypercallPage !== undefined) this.writeBytes(image.hypercallPage, hypercallPage(this.word));
    domain.pages.pin(frames[root], this.word === 8 ? TYPE.l4 : TYPE.l3);
    return { entry: image.entry, stack: this.gva(stack + 1), startInfo: this.gva(startInfo), root: frames[root], storeMfn: frames[store], consoleMfn: frames[console] };
  } // prettier-ignore

  private commandLine(): string {
    const { commandLine, image } = this.input;
    const { length } = new TextEncoder().encode(commandLine);
    if (length >= MAX_COMMAND_LINE)
      throw new UserError(`${image.name}: the command line has ${length} characters; the start info has room for ${MAX_COMMAND_LINE - 1}, shorten append.`); // prettier-ignore
    return commandLine;
  }

  // --- The guest's own frames

  private gva(pfn: number): bigint {
    const at = this.input.image.virtBase + BigInt(pfn) * BigInt(PAGE_BYTES);
    return BigInt.asUintN(this.word * 8, at);
  }
  private take(pages: number): number {
    const first = this.next;
    this.fits((this.next += pages));
    return first;
  }
  private fits(pages: number): void {
    const { image, frames } = this.input;
    if (pages > frames.length)
      throw new UserError(
        `${image.name}: needs ${Math.ceil(pages / 256)} MiB at its start, and the domain has ${frames.length / 256} MiB; give it more memory.`,
      );
  }
  private write(pfn: number, bytes: Uint8Array): void {
    this.writeBytes(this.gva(pfn), bytes);
  }
  private writeBytes(gva: bigint, bytes: Uint8Array): void {
    const { image, frames } = this.input;
    for (let done = 0; done < bytes.length;) {
      const at = Number(gva - image.virtBase) + done;
      const offset = at % PAGE_BYTES;
      const part = bytes.subarray(done, done + PAGE_BYTES - offset);
      this.domain.memory.writeBytes(frames[Math.floor(at / PAGE_BYTES)], offset, part);
      done += part.length;
    }
  }
  private placeKernel(): void {
    const { image } = this.input;
    const inside = (gva: bigint, bytes: number): boolean => {
      const offset = gva - image.virtBase;
      return offset >= 0n && offset + BigInt(bytes) <= BigInt(this.input.frames.length * PAGE_BYTES);
    };
    let end = 0;
    for (const { gva, bytes, memoryBytes } of image.segments) {
      if (gva >= image.virtBase) {
        end = Math.max(end, Number(gva - image.virtBase) + memoryBytes);
        this.fits(Math.ceil(end / PAGE_BYTES));
      }
      if (!inside(gva, memoryBytes))
        throw new UserError(`${image.name}: a segment at gv:0x${gva.toString(16)} lies below the base that its notes give, gv:0x${image.virtBase.toString(16)}; link the kernel as its VIRT_BASE and PADDR_OFFSET notes say.`); // prettier-ignore
      this.writeBytes(gva, bytes);
    }
    for (const [what, gva, bytes] of [['entry point', image.entry, 1], ['hypercall page', image.hypercallPage, PAGE_BYTES]] as const)
      if (gva !== undefined && !inside(gva, bytes))
        throw new UserError(`${image.name}: its ${what}, gv:0x${gva.toString(16)}, is not in the kernel; correct the note.`); // prettier-ignore
    this.next = Math.ceil(end / PAGE_BYTES);
  }
  private placeModule(): number {
    const bytes = this.input.module?.bytes;
    if (!bytes) return 0;
    const pfn = this.take(Math.ceil(bytes.length / PAGE_BYTES));
    this.write(pfn, bytes);
    return pfn;
  }

  // --- Page tables

  private checkPlace(what: string, gva: bigint, bytes: bigint): void {
    const { word, input } = this;
    const fits = gva % BigInt(PAGE_BYTES) === 0n && gva + bytes <= 1n << BigInt(word * 8) && !inReserved(word, gva, Number(bytes));
    if (!fits)
      throw new UserError(`${input.image.name}: its ${what}, gv:0x${gva.toString(16)}, is not where a page of the guest can be; correct the note.`); // prettier-ignore
  } // prettier-ignore
  /** How many, and up to where everything is mapped: the tables are mapped by themselves. */
  private planTables(p2mPages: number): { tables: number; end: bigint } {
    const { image } = this.input;
    for (let tables = 1; ;) {
      const used = BigInt((this.next + tables + 1) * PAGE_BYTES + PADDING);
      const step = BigInt(MAPPED_TO);
      const end = ((image.virtBase + used + step - 1n) / step) * step;
      const needed = this.countTables(end, p2mPages);
      if (needed <= tables) return { tables, end };
      tables = needed;
    }
  }
  private countTables(end: bigint, p2mPages: number): number {
    const keys = new Set<string>(['root']);
    const cover = (from: bigint, to: bigint): void => {
      for (let at = from; at < to; at += 1n << 21n) for (const key of this.keys(at)) keys.add(key);
    };
    const { image } = this.input;
    cover(image.virtBase, end);
    if (image.p2mBase !== undefined) cover(image.p2mBase, image.p2mBase + BigInt(p2mPages * PAGE_BYTES));
    if (this.word === 4) keys.add(this.keys(TOP_GIB)[0]);
    return keys.size;
  }
  /** Names of the tables below the root on the way to an address. */
  private keys(gva: bigint): string[] {
    return SHIFTS[this.word].map((shift) => `${shift}:${gva >> shift}`);
  }
  private buildTables(first: number, count: number, end: bigint, p2m: number, p2mPages: number): number {
    const { image, frames } = this.input;
    this.tablePfns = Array.from({ length: count }, (_, i) => first + i);
    for (const pfn of this.tablePfns) this.domain.memory.clear(frames[pfn]);
    const root = this.tablePfns.shift()!;
    this.tables.set('root', root);
    const last = Number((end - image.virtBase) / BigInt(PAGE_BYTES));
    for (let pfn = 0; pfn < last; pfn++) this.map(this.gva(pfn), frames[pfn], pfn >= first && pfn < first + count);
    if (image.p2mBase !== undefined)
      for (let i = 0; i < p2mPages; i++) this.map(image.p2mBase + BigInt(i * PAGE_BYTES), frames[p2m + i], false);
    if (this.word === 4) this.table(root, TOP_GIB, 30n, `30:${TOP_GIB >> 30n}`);
    return root;
  }
  private map(gva: bigint, mfn: number, readOnly: boolean): void {
    let table = this.tables.get('root')!;
    const keys = this.keys(gva);
    SHIFTS[this.word].forEach((shift, i) => (table = this.table(table, gva, shift, keys[i])));
    const rights = readOnly ? RIGHTS[this.word] & ~ENTRY.W : RIGHTS[this.word];
    this.setEntry(table, Number((gva >> 12n) & 511n), mfn, rights);
  }
  /** The table below, made if need be. */
  private table(above: number, gva: bigint, shift: bigint, key: string): number {
    const known = this.tables.get(key);
    if (known !== undefined) return known;
    const pfn = this.tablePfns.shift()!;
    this.tables.set(key, pfn);
    const pdpte = this.word === 4 && shift === 30n;
    const index = Number((gva >> shift) & (pdpte ? 3n : 511n));
    this.setEntry(above, index, this.input.frames[pfn], pdpte ? ENTRY.P : TABLE[this.word]);
    return pfn;
  }
  private setEntry(table: number, index: number, mfn: number, rights: number): void {
    this.domain.memory.write64(this.input.frames[table], index * 8, (BigInt(mfn) << 12n) | BigInt(rights));
  }
}
