/**
 * Linear memory as one processor sees it: the slow path behind the TLB of generated code, and the whole path of
 * plain meanings. Translation, rights, page crossings, devices, watched pages, pages with code, alignment.
 *
 * Nothing is written before every page involved has been found writable. Faults are thrown as GuestFault.
 */
import * as layout from '../execution/layout';
import type { Context } from '../execution/layout';
import { GuestFault } from '../cpu/ports';
import type { Bus } from '../cpu/ports';
import { VECTOR } from '../x86/registers';
import { emptyContext, ENTRY, NO_PAGING } from './guest-paging';
import type { PagingContext } from './guest-paging';
import { PAGE } from './physical-memory';
import type { PhysicalMemory } from './physical-memory';
import type { Tlb } from './tlb';
import { Tlbs } from './tlbs';
import { ACCESS, RIGHTS, Walker } from './walk';
import type { AccessCode, Rights } from './walk';
import { WatchList } from './watch';
import { canonical, maskA20, toBigint } from '../util/words';
import type { Part } from './watch';

type IoBytes = 1 | 2 | 4;
const { CONTEXT } = layout;
const RIGHTS_OF: Record<Context, Rights> = {
  [CONTEXT.user]: RIGHTS.user,
  [CONTEXT.supervisor]: RIGHTS.supervisor,
  [CONTEXT.supervisorNoSmap]: RIGHTS.smapOff,
  [CONTEXT.aligned]: RIGHTS.user,
};

export class Mmu {
  readonly walker: Walker;
  readonly tlbs: Tlbs;
  /** The one in force. */
  tlb: Tlb;
  readonly watches = new WatchList();
  /** The address space in force; replaced in place by the processor's modeChanged(). */
  readonly paging: PagingContext = emptyContext();
  /** After `paging` was worked out anew. Set only while a debugger waits for an address space; must only look. */
  onPaging?: () => void;
  /** Of explicit accesses at the current privilege level. */
  context: Context = CONTEXT.supervisor;
  /** CR4.PGE with paging on: loads of CR3 leave global pages alone. */
  globalPages = false;
  /** 64-bit mode: linear addresses have 48 significant bits; otherwise they wrap at 4 GiB. */
  wide = false;

  private readonly asBigint = new BigUint64Array(1);
  private readonly asWords = new Int32Array(this.asBigint.buffer);

  constructor(
    memory: WebAssembly.Memory,
    readonly physical: PhysicalMemory,
    private readonly bus: Bus,
    processor = 0,
    guests?: number,
  ) {
    this.walker = new Walker(physical);
    this.tlb = (this.tlbs = new Tlbs(memory, physical, processor, guests)).own;
  }

  // --- Doors for generated code: called when the TLB did not hit.

  /**
   * `bytes` 1, 2, 4 or 8. `write`: the value will be written back, so the page must be writable (XADD, ADD m, r).
   * `stack`: a non-canonical address is #SS, not #GP.
   */
  loadSlow(gva: bigint, bytes: number, write = false, stack = false): bigint {
    this.asBigint[0] = gva;
    return this.load(this.asWords[0], this.asWords[1], bytes, write, this.context, stack);
  }
  storeSlow(gva: bigint, bytes: number, value: bigint, stack = false): void {
    this.asBigint[0] = gva;
    this.store(this.asWords[0], this.asWords[1], bytes, value, this.context, stack);
  }
  /** Throws what an access of `bytes` (any number up to a page) would, and changes nothing but A and D bits. */
  probeSlow(gva: bigint, bytes: number, write: boolean, stack = false): void {
    this.probe(gva, bytes, write, this.context, stack);
  }

  /**
   * For generated code that missed the TLB: where in linear memory to access `bytes` within one page of plain RAM; -1:
   * take the long way (loadSlow, storeSlow). Throws GuestFault. Beside code RAM is plain for these bytes alone: unless
   * `wholePage` is asked for.
   */
  resolve(lo: number, hi: number, bytes: number, write: boolean, wholePage = false): number {
    if ((lo & 4095) + bytes > 4096 || this.context === CONTEXT.aligned || !canonical(hi)) return -1;
    this.walker.bytes = 0;
    const gpa = this.translate(lo, hi, write ? ACCESS.write : ACCESS.read, this.context);
    const host = this.physical.hostAddress(gpa);
    // What holds for this access alone may leave, or have consequences: the long way comes to them.
    if (host < 0 || this.walker.pageShift < 12 || (this.watches.active && this.watches.page(lo, hi, host))) return -1;
    if (!write) return host;
    const flags = this.physical.flags(gpa);
    if (flags & (PAGE.ROM | PAGE.FOLLOWED)) return -1;
    return flags & PAGE.CODE && (wholePage || this.physical.holdsCode(gpa, bytes)) ? -1 : host;
  }

  // --- Doors for plain meanings.

  read(gva: bigint, bytes: number, context: Context): bigint {
    this.asBigint[0] = gva;
    const lo = this.asWords[0];
    const hi = this.asWords[1];
    const host = (lo & 4095) + bytes > 4096 ? -1 : this.tlb.lookup(this.tlb.readTable(context), lo, hi);
    if (host >= 0) return this.readHost(host, bytes);
    return this.load(lo, hi, bytes, false, context, false);
  }
  write(gva: bigint, bytes: number, value: bigint, context: Context): void {
    this.asBigint[0] = gva;
    const lo = this.asWords[0];
    const hi = this.asWords[1];
    const host = (lo & 4095) + bytes > 4096 ? -1 : this.tlb.lookup(this.tlb.writeTable(context), lo, hi);
    if (host >= 0) this.writeHost(host, bytes, value);
    else this.store(lo, hi, bytes, value, context, false);
  }
  probe(gva: bigint, bytes: number, write: boolean, context: Context, stack = false): void {
    this.asBigint[0] = gva;
    const lo = this.asWords[0];
    const hi = this.asWords[1];
    this.check(lo, hi, bytes, context, stack);
    const access = write ? ACCESS.write : ACCESS.read;
    this.translate(lo, hi, access, context);
    const left = 4096 - (lo & 4095);
    if (bytes > left) this.translate(this.nextPage(lo), this.nextPageHigh(lo, hi), access, context);
  }

  /** gpa of an instruction byte; #GP for a non-canonical RIP, #PF with the I bit. */
  fetch(gva: bigint): number {
    this.asBigint[0] = gva;
    const lo = this.asWords[0];
    const hi = this.asWords[1];
    const user = this.context === CONTEXT.user || this.context === CONTEXT.aligned;
    const known = this.tlb.lookupCode(lo, hi, user);
    if (known >= 0) return known;
    if (!canonical(hi)) throw new GuestFault(VECTOR.GP, 0);
    const gpa = this.walk(lo, hi, ACCESS.execute, user ? RIGHTS.user : RIGHTS.supervisor);
    this.tlb.fillCode(lo, hi, user, gpa - (lo & 4095), this.isGlobal());
    return gpa;
  }

  // --- The path itself.

  private load(lo: number, hi: number, bytes: number, write: boolean, context: Context, stack: boolean): bigint {
    this.check(lo, hi, bytes, context, stack);
    const access = write ? ACCESS.write : ACCESS.read;
    const gpa = this.translate(lo, hi, access, context);
    const left = 4096 - (lo & 4095);
    let second = -1;
    let value = 0n;
    if (bytes <= left) {
      value = this.readPhysical(gpa, bytes);
    } else {
      second = this.translate(this.nextPage(lo), this.nextPageHigh(lo, hi), access, context);
      for (let i = bytes - 1; i >= 0; i--)
        value = (value << 8n) | this.readPhysical(i < left ? gpa + i : second + (i - left), 1);
    }
    if (this.watches.active && this.watched(lo, hi, gpa, second)) this.report(lo, hi, bytes, [gpa, second], value);
    return value;
  }

  private store(lo: number, hi: number, bytes: number, value: bigint, context: Context, stack: boolean): void {
    this.check(lo, hi, bytes, context, stack);
    const gpa = this.translate(lo, hi, ACCESS.write, context);
    const left = 4096 - (lo & 4095);
    let second = -1;
    if (bytes > left) second = this.translate(this.nextPage(lo), this.nextPageHigh(lo, hi), ACCESS.write, context);
    const watched = this.watches.active && this.watched(lo, hi, gpa, second);
    const old = watched ? this.peek(gpa, second, left, bytes) : 0n;
    if (second < 0) {
      this.writePhysical(gpa, bytes, value);
    } else {
      for (let i = 0; i < bytes; i++)
        this.writePhysical(i < left ? gpa + i : second + (i - left), 1, (value >> BigInt(i * 8)) & 0xffn);
    }
    if (watched) this.report(lo, hi, bytes, [gpa, second], old, BigInt.asUintN(bytes * 8, value));
  }

  /** What no page table says: canonical form, alignment (SDM vol. 1 3.3.7.1, vol. 3A 6.15 #AC). */
  private check(lo: number, hi: number, bytes: number, context: Context, stack: boolean): void {
    this.walker.bytes = bytes;
    if (!canonical(hi) || ((lo & 4095) + bytes > 4096 && this.wide && !canonical(this.nextPageHigh(lo, hi))))
      throw new GuestFault(stack ? VECTOR.SS : VECTOR.GP, 0);
    if (context === CONTEXT.aligned && (lo & (bytes - 1)) !== 0 && (bytes & (bytes - 1)) === 0)
      throw new GuestFault(VECTOR.AC, 0);
  }
  private nextPage(lo: number): number {
    return ((lo | 4095) + 1) | 0;
  }
  private nextPageHigh(lo: number, hi: number): number {
    if (this.nextPage(lo) !== 0) return hi;
    return this.wide || hi !== 0 ? (hi + 1) | 0 : 0;
  }

  /** gpa; fills the TLB. Throws #PF. */
  private translate(lo: number, hi: number, access: AccessCode, context: Context): number {
    const gpa = this.walk(lo, hi, access, RIGHTS_OF[context]);
    if (context !== CONTEXT.aligned) this.fill(lo, hi, gpa, access, context);
    return gpa;
  }
  private walk(lo: number, hi: number, access: AccessCode, rights: Rights): number {
    if (this.paging.format === NO_PAGING) {
      this.walker.pageShift = 12;
      return this.walker.behind(lo >>> 0, access, lo, hi);
    }
    const gpa = this.walker.walk(this.paging, lo, hi, access, rights);
    if (gpa < 0) throw new GuestFault(VECTOR.PF, -1 - gpa, toBigint(lo, hi));
    return gpa;
  }
  /** Of the page that was just walked to. */
  private isGlobal(): boolean {
    return this.globalPages && (this.walker.leaf & ENTRY.G) !== 0;
  }
  private fill(lo: number, hi: number, gpa: number, access: AccessCode, context: Context): void {
    const { physical, tlb } = this;
    const host = physical.hostAddress(gpa);
    if (host < 0) return;
    const flags = physical.flags(gpa);
    const shift = this.walker.pageShift;
    if (shift < 12 || (this.watches.active && this.watches.page(lo, hi, host))) return;
    const page = host - (lo & 4095);
    const global = this.isGlobal();
    tlb.fill(tlb.readTable(context), lo, hi, page, shift, global);
    if (access !== ACCESS.write || flags & (PAGE.CODE | PAGE.ROM | PAGE.FOLLOWED)) return;
    tlb.fill(tlb.writeTable(context), lo, hi, page, shift, global);
    if (!(flags & PAGE.WRITE_CACHED)) physical.noteWriteCached(page);
  }

  /** Within one page. */
  readPhysical(gpa: number, bytes: number): bigint {
    const host = this.physical.hostAddress(gpa);
    if (host >= 0) return this.readHost(host, bytes);
    if (!this.physical.a20) gpa = maskA20(gpa);
    if (bytes <= 4) return BigInt(this.bus.readMmio(gpa, bytes as IoBytes) >>> 0);
    const low = BigInt(this.bus.readMmio(gpa, 4) >>> 0);
    return low | (BigInt(this.bus.readMmio(gpa + 4, 4) >>> 0) << 32n);
  }
  writePhysical(gpa: number, bytes: number, value: bigint): void {
    const { physical } = this;
    const host = physical.hostAddress(gpa);
    if (host >= 0) {
      const flags = physical.flags(gpa);
      if (flags & PAGE.ROM) return;
      this.writeHost(host, bytes, value);
      if (flags & PAGE.CODE) physical.onCodeWrite(gpa, bytes);
      if (flags & PAGE.FOLLOWED) physical.onFollowedWrite(gpa, bytes);
      return;
    }
    if (!physical.a20) gpa = maskA20(gpa);
    this.asBigint[0] = value;
    const low = this.asWords[0];
    const high = this.asWords[1];
    if (bytes <= 4) {
      this.bus.writeMmio(gpa, bytes as IoBytes, bytes === 4 ? low >>> 0 : low & ((1 << (bytes * 8)) - 1));
    } else {
      this.bus.writeMmio(gpa, 4, low >>> 0);
      this.bus.writeMmio(gpa + 4, 4, high >>> 0);
    }
  }
  private readHost(host: number, bytes: number): bigint {
    const { view } = this.physical;
    if (bytes === 8) return view.getBigUint64(host, true);
    if (bytes === 4) return BigInt(view.getUint32(host, true));
    return BigInt(bytes === 2 ? view.getUint16(host, true) : view.getUint8(host));
  }
  private writeHost(host: number, bytes: number, value: bigint): void {
    const { view } = this.physical;
    if (bytes === 8) return view.setBigUint64(host, value, true);
    this.asBigint[0] = value;
    const low = this.asWords[0];
    if (bytes === 4) view.setInt32(host, low, true);
    else if (bytes === 2) view.setInt16(host, low, true);
    else view.setInt8(host, low);
  }

  /** `second`: gpa on the next page, -1 where there is none. */
  private watched(lo: number, hi: number, gpa: number, second: number): boolean {
    const { watches, physical } = this;
    if (watches.page(lo, hi, physical.hostAddress(gpa))) return true;
    return second >= 0 && watches.page(this.nextPage(lo), this.nextPageHigh(lo, hi), physical.hostAddress(second));
  }
  /** `now` undefined: a read. `gpas`: of the access, and of its part on the next page. */
  private report(lo: number, hi: number, bytes: number, gpas: readonly number[], old: bigint, now?: bigint): void {
    const left = Math.min(bytes, 4096 - (lo & 4095));
    const parts = gpas.map((gpa, i): Part => ({ host: gpa < 0 ? -1 : this.physical.hostAddress(gpa), bytes: i === 0 ? left : bytes - left }));
    this.watches.report(toBigint(lo, hi), bytes, now !== undefined, old, now ?? old, parts);
  } // prettier-ignore
  /** The old value, for the report: device memory is not read for it. */
  private peek(gpa: number, second: number, left: number, bytes: number): bigint {
    let value = 0n;
    for (let i = bytes - 1; i >= 0; i--) {
      const host = this.physical.hostAddress(i < left ? gpa + i : second + (i - left));
      value = (value << 8n) | BigInt(host < 0 ? 0 : this.physical.data[host]);
    }
    return value;
  }
}
