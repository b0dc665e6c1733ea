/**
 * Binary translation: the guest's programs run as they are, in ring 3; its kernel runs translated, in ring 1, under shadow
 * paging in which kernel pages cannot be executed. Every sensitive instruction is a call-out in the translation, so that no hole
 * is left; what traps besides is executed on the virtual processor like a call-out.
 *
 * Indirect branches and returns of the guest are native ones to the guest's own addresses. The first fetch there faults; from
 * then on the processor knows the translation (CodeSource.redirect), as an inline lookup in software would.
 * Real mode, 16-bit code, kernels in compatibility mode and rings 1 and 2 run on the virtual processor itself.
 */
import type { Cpu } from '../../cpu/cpu';
import { interceptedBy } from '../../cpu/intercepts';
import { GuestExit, GuestFault, Interruption } from '../../cpu/ports';
import type { CpuState } from '../../cpu/state';
import { stretch } from '../../cpu/stretch';
import type { Instruction } from '../../isa/instruction';
import { readOperand } from '../../isa/operands';
import type { Stop } from '../../machine/api';
import * as layout from '../../execution/layout';
import { PAGE_BYTES } from '../../mmu/physical-memory';
import type { PagingContext } from '../../mmu/guest-paging';
import { ACCESS, Walker } from '../../mmu/walk';
import { assert } from '../../util/assert';
import { CR4, PF, VECTOR } from '../../x86/registers';
import type { Guest } from '../guest';
import type { Host } from '../host';
import type { EngineView } from '../inspect/engine-view';
import type { Range } from '../shadow/space';
import { TranslationCache } from '../translation/cache';
import { STUB_VECTOR } from '../translation/relocate';
import { InPlace } from '../translation/in-place';
import { kernelCode, kernelCodeUnseen, lookAt } from '../translation/look';
import { COMPATIBILITY, isCompatibilityKernel, PASSING, translates } from '../translation/reach';
import { Standings } from '../translation/standing';
import type { CallOut, GuestCode } from '../translation/translation';
import { DeprivilegedEngine } from './deprivileged';
import { KERNEL_RING } from './software';

/** Where the cache is mapped, by the width of addresses: where the kernels that we know have nothing. */
const REGION = { wide: 0xffff_ffff_ff80_0000n, narrow: 0xff00_0000n } as const;
const CACHE_PAGES = 2048;
/** Writes to one page of code, after which the page is taken for data. */
const FLOOD = 32;

/** Translated code came to where the guest's has no translation yet. */
class Untranslated extends Interruption {
  constructor(readonly rip: bigint) {
    super();
  }
}

export class BinaryTranslation extends DeprivilegedEngine {
  readonly cache: TranslationCache;
  private readonly hpa: number;
  private readonly inPlace: InPlace;
  private readonly standings: Standings;
  private readonly writes = new Map<number, number>();
  /** Instructions that a kernel has executed in compatibility mode. */
  private compatible = 0;

  constructor(host: Host, guest: Guest) {
    super(host, guest, false, CR4.SMEP);
    const frames = Array.from({ length: CACHE_PAGES }, () => guest.frames.take());
    const [first] = frames;
    assert(first !== undefined && frames.every((frame, i) => frame === first + i), 'new frames are consecutive');
    this.hpa = first * PAGE_BYTES;
    this.cache = new TranslationCache(host.physical, this.hpa, CACHE_PAGES * PAGE_BYTES);
    this.standings = new Standings(this.cache);
    this.inPlace = new InPlace(host, () => this.end);
    const { paging } = this.shadow;
    this.cache.onPage = (page) => paging.trace(page);
    this.cache.onPageGone = (page) => paging.untrace(page);
    paging.onTracedWrite = (gpa, bytes) => this.written(gpa, bytes);
    this.cache.onCode = (va) => paging.followCode(va);
    const { cache } = this;
    paging.code = {
      get begun(): number {
        return cache.begun;
      },
      holds: (va, shift) => cache.holdsCode(va, shift),
      verify: (...changes) => this.verify(...changes),
    };
    this.cache.clear();
  }
  private written(gpa: number, bytes: number): void {
    const page = Math.floor(gpa / PAGE_BYTES);
    const writes = (this.writes.get(page) ?? 0) + 1;
    this.writes.set(page, writes);
    if (writes % FLOOD === 0) this.cache.invalidatePage(page);
    else this.cache.invalidate(gpa, bytes);
  }
  /**
   * What an address space maps otherwise than where the code was translated goes. What it does not map stays, since others
   * have it, unless it did before: kernels leave themselves unmapped while programs run. From now on its tables are followed.
   */
  private verify(context: PagingContext, stale: readonly Range[], since: number): void {
    const walker = new Walker(this.guest.physical);
    for (const [page, source, begun] of [...this.cache.sources()]) {
      const va = page * PAGE_BYTES;
      const changed = stale.some((range) => va >= range.va && va < range.va + 2 ** range.shift);
      if (!changed && begun < since) continue;
      const gpa = lookAt(walker, context, va, ACCESS.read);
      this.shadow.paging.followCode(va);
      const gone = gpa < 0 ? changed : Math.floor(gpa / PAGE_BYTES) !== source;
      if (gone) this.cache.invalidateVirtual(page);
    }
  }
  private get region(): bigint {
    return this.host.processor.ia32e ? REGION.wide : REGION.narrow;
  }
  private offsetOf(rip: bigint): number | undefined {
    const offset = rip - this.region;
    return offset >= 0n && offset < BigInt(this.cache.size) ? Number(offset) : undefined;
  }

  override get view(): EngineView {
    const { cache, hpa } = this;
    const region = (wide: boolean): bigint => (wide ? REGION.wide : REGION.narrow);
    const { standings } = this;
    const translated = (cpu: Cpu): boolean => cpu.state.cpl === 0 && translates(cpu) && this.guest.physical.a20;
    const look = (cpu: Cpu): GuestCode => {
      // What another address space has there goes first.
      this.shadow.enter(cpu);
      return kernelCodeUnseen(cpu, this.guest.physical);
    };
    return { ...super.view, translations: { cache, hpa, region, standings, translated, look } };
  }

  // --- Executor

  run(cpu: Cpu, budget: number): Stop | undefined {
    const { generated } = this.host;
    this.end = generated.retired + budget;
    for (;;) {
      const left = this.end - generated.retired;
      if (left <= 0) return undefined;
      if (!translates(cpu) || !this.guest.physical.a20) {
        const before = generated.retired;
        generated.switchTo(cpu);
        const compatible = isCompatibilityKernel(cpu);
        stretch(generated, cpu, left);
        if (compatible && (this.compatible += generated.retired - before) > PASSING) cpu.unsupported(COMPATIBILITY);
        return undefined;
      }
      const thrown = this.runDeprivileged(cpu, left);
      if (!thrown) return undefined;
      if (!(thrown instanceof Untranslated)) return this.handle(cpu, thrown);
      cpu.state.rip = thrown.rip;
      this.cache.wanted = thrown.rip;
    }
  }
  /** Count of instructions at which the run is over. */
  private end = 0;

  override reset(): void {
    this.cache.clear();
    this.writes.clear();
    super.reset();
  }
  /** The last x87 instruction is where the guest has it: while translated code runs nothing stores that (treatment.ts). */
  private settlePointer(): void {
    const { view } = this.host.processor.state;
    const rip = this.guestRip(view.getBigUint64(layout.X87_FIP, true));
    if (rip !== undefined) view.setBigUint64(layout.X87_FIP, rip, true);
  }
  override settle(cpu: Cpu): void {
    if (this.inside === cpu) this.settleBy(cpu, () => super.settle(cpu));
  }
  protected override comeBack(cpu: Cpu): void {
    this.settleBy(cpu, () => super.comeBack(cpu));
  }
  /** `store`: the guest's registers go to the virtual processor, which gets the guest's address of what it executes. */
  private settleBy(cpu: Cpu, store: () => void): void {
    const { state } = this.host.processor;
    const kernel = state.cpl === KERNEL_RING;
    const rip = kernel ? this.guestRip(state.rip) : undefined;
    const offset = this.offsetOf(state.rip);
    assert(!kernel || rip !== undefined || offset === undefined, "translated code is at no instruction of the guest's");
    this.settlePointer();
    store();
    if (rip !== undefined) cpu.state.rip = rip;
    if (kernel) this.standings.leave(cpu, cpu.state.rip, offset);
    else this.standings.leaveDirect(cpu);
  }
  placesOf(gva: bigint): bigint[] {
    return [REGION.wide, REGION.narrow].flatMap((region) => this.cache.offsetsOf(gva).map((offset) => region + BigInt(offset)));
  } // prettier-ignore

  protected override runDeprivileged(cpu: Cpu, budget: number): Interruption | undefined {
    const { generated } = this.host;
    try {
      return super.runDeprivileged(cpu, budget);
    } finally {
      generated.redirect = generated.guestRip = undefined;
    }
  }
  protected override enter(cpu: Cpu): void {
    const { generated } = this.host;
    super.enter(cpu);
    this.inPlace.believed = cpu;
    generated.redirect = this.redirect;
    generated.guestRip = this.guestRip;
  }
  /** Throws the fault of the guest's fetch where its code cannot be read. */
  protected override entry(cpu: Cpu): bigint | undefined {
    if (cpu.state.cpl !== 0) return undefined;
    const code = this.codeOf(cpu, cpu.state);
    const offset = this.standings.entry(cpu, code) ?? this.cache.get(cpu.state.rip, code);
    return (cpu.ia32e ? REGION.wide : REGION.narrow) + BigInt(offset);
  }
  /** Translates where it came to, without leaving. */
  protected override goesOn(cpu: Cpu, thrown: Interruption): boolean {
    if (!(thrown instanceof Untranslated)) return false;
    this.cache.wanted = thrown.rip;
    this.settlePointer();
    try {
      this.host.processor.state.rip =
        this.region + BigInt(this.cache.get(thrown.rip, this.codeOf(cpu, this.host.processor.state)));
      return true;
    } catch (caught) {
      // Its fetch faults: that is for the virtual processor to find again, and to raise.
      if (!(caught instanceof Interruption)) throw caught;
      return false;
    }
  }
  private codeOf(cpu: Cpu, state: CpuState): GuestCode {
    return kernelCode(state, this.guest.physical, (rip) => cpu.mmu.fetch(rip));
  }
  private readonly redirect = (rip: bigint): { to: bigint; bytes: number } | undefined => {
    if (this.host.processor.state.cpl !== KERNEL_RING) return undefined;
    const offset = this.offsetOf(rip);
    const to = offset === undefined ? this.cache.entryOf(rip) : this.cache.joinAt(offset);
    return to === undefined ? undefined : { to: this.region + BigInt(to), bytes: offset === undefined ? 0 : 5 };
  };
  private readonly guestRip = (rip: bigint): bigint | undefined => {
    if (this.host.processor.state.cpl !== KERNEL_RING) return undefined;
    const offset = this.offsetOf(rip);
    return offset === undefined ? undefined : this.cache.ripAt(offset);
  };
  /** A fetch of guest kernel code as it is, or of a page of the cache. */
  protected override left(thrown: Interruption): Interruption {
    const { state } = this.host.processor;
    if (!(thrown instanceof GuestFault) || thrown.vector !== VECTOR.PF || state.cpl !== KERNEL_RING) return thrown;
    if (!((thrown.errorCode ?? 0) & PF.I)) return thrown;
    const address = thrown.address ?? 0n;
    const offset = this.offsetOf(address);
    if (offset === undefined) return new Untranslated(state.rip);
    const page = offset - (offset % PAGE_BYTES);
    this.shadow.paging.mapOwn(Number(BigInt.asUintN(48, this.region + BigInt(page))), this.hpa + page);
    this.host.processor.flushTlb(address);
    // An indirect branch names the guest's address.
    const rip = this.offsetOf(state.rip) === undefined ? state.rip : this.guestRip(state.rip);
    assert(rip !== undefined, `translated code is at an instruction of the guest's (offset 0x${offset.toString(16)})`);
    return new Untranslated(rip);
  }

  /** Translated code has no faults of privilege but those that are the guest's own. */
  protected override look(cpu: Cpu): Instruction | undefined {
    return cpu.state.cpl === 3 ? super.look(cpu) : undefined;
  }

  instruction(insn: Instruction): 'done' | 'jumped' | GuestExit | undefined {
    const { processor } = this.host;
    const { mnemonic } = insn.row;
    if (processor.state.cpl !== KERNEL_RING) {
      if (SHOWN_TO_PROGRAMS.has(mnemonic)) return new GuestExit(interceptedBy(processor, insn)!, insn);
      return undefined;
    }
    const offset = this.offsetOf(insn.rip);
    if (offset === undefined || (mnemonic !== 'int' && mnemonic !== 'rdpmc')) return undefined;
    const [vector] = insn.operands;
    if (vector?.kind === 'immediate' && Number(vector.value & 0xffn) === STUB_VECTOR)
      throw new Untranslated(this.cache.stubAt(offset)!);
    const callOut = this.cache.callOutAt(offset);
    assert(callOut, 'a call-out says what it is for');
    return this.callOut(callOut);
  }
  private callOut({ insn, treatment }: CallOut): 'done' | 'jumped' | GuestExit {
    const { processor } = this.host;
    if (treatment === 'call-indirect') {
      const target = readOperand(processor, insn, 0);
      const next = BigInt.asUintN(insn.codeSize, insn.rip + BigInt(insn.length));
      processor.push(next, insn.codeSize === 64 ? 8 : 4);
      processor.state.rip = target;
      return 'jumped';
    }
    if (this.inPlace.answer(insn, treatment)) return 'done';
    return new GuestExit(interceptedBy(processor, insn) ?? { reason: 'call-out', mnemonic: insn.row.mnemonic }, insn);
  }
}

/** In programs these fault, as processors can have it (CPUID faulting, CR4.UMIP), so that they show the guest's processor. */
const SHOWN_TO_PROGRAMS = new Set(['cpuid', 'sgdt', 'sidt', 'sldt', 'str', 'smsw']);
