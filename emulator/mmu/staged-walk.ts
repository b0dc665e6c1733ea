/**
 * A walk through one or two stages as a debugger reads it: every memory reference that the processor would make, in its order.
 * The same loops as the processor's, with recorders, which keep them from setting any bit.
 */
import { GuestExit } from '../cpu/exit-cause';
import type { Reference } from '../machine/inspect-api';
import type { Translation, WalkStep } from '../machine/api';
import { PF } from '../x86/registers';
import { NO_PAGING } from './guest-paging';
import type { PagingContext } from './guest-paging';
import { describeEntry, explainFault } from './inspect';
import type { PhysicalMemory } from './physical-memory';
import { SecondStage } from './second-stage';
import { ACCESS, RIGHTS, Walker } from './walk';

/** Where a guest's tables are looked for. */
export interface Stages {
  paging: PagingContext;
  /** What the guest's tables lie in; with a second stage, what that one leads to. */
  memory: PhysicalMemory;
  second?: PagingContext;
  /** Tables hold host-physical addresses: what the guest calls one of those. */
  direct?: (hpa: number) => number | undefined;
}
export interface Looking {
  access: Translation['access'];
  user: boolean;
  /** RFLAGS.AC lifts SMAP. */
  smapOff?: boolean;
}
export interface StagedWalk {
  references: Reference[];
  /** Absent: a page fault. */
  gpa?: number;
  /** Absent: no RAM, or the second stage refuses. */
  hpa?: number;
  pageBytes?: number;
  fault?: { tables: 'guest' | 'nested'; errorCode: number; reason: string };
}

/** The second stage, keeping what it read and what for. */
class RecordedStage extends SecondStage {
  locates = { what: '', gpa: 0 };
  constructor(memory: PhysicalMemory, paging: PagingContext, add: (step: WalkStep) => void) {
    super(memory, paging, {
      step: (format, level, at, low, high) => add(describeEntry(format, level, at, low, high)),
    });
  }
  /** hpa of the guest's entry that was looked up last. */
  entry?: number;
  /** How the guest's paging structure that is read next is called. */
  next = (): string => '';
  override translate(...args: Parameters<SecondStage['translate']>): number {
    this.locates = { what: 'page', gpa: args[0] };
    return super.translate(...args);
  }
  override translateTable(...args: Parameters<SecondStage['translateTable']>): number {
    this.locates = { what: this.next(), gpa: args[0] };
    this.entry = undefined;
    return (this.entry = super.translateTable(...args));
  }
}

interface Place {
  gpa?: number;
  hpa?: number;
}
const placeOf = (gpa: number | undefined, hpa: number | undefined): Place => ({
  ...(gpa === undefined ? {} : { gpa }),
  ...(hpa === undefined ? {} : { hpa }),
});

/** Of a guest-virtual address. */
export function walkStages(stages: Stages, gva: bigint, looking: Looking): StagedWalk {
  const { paging, memory } = stages;
  const walk = new Recording(stages);
  const [lo, hi] = [Number(BigInt.asIntN(32, gva)), Number(BigInt.asIntN(32, gva >> 32n))];
  const { format } = paging;
  if (format === NO_PAGING) return walk.ended(() => walk.page(lo >>> 0, looking.access));
  if (format.name === '4-level' && (hi << 16) >> 16 !== hi)
    return { references: [], fault: { tables: 'guest', errorCode: 0, reason: 'The address is not canonical: bits 63 to 47 differ.' } }; // prettier-ignore
  const walker = new Walker(memory);
  walker.second = walk.second ?? null;
  const rights = looking.user ? RIGHTS.user : looking.smapOff ? RIGHTS.smapOff : RIGHTS.supervisor;
  return walk.ended(() => {
    const result = walker.walk(paging, lo, hi, ACCESS[looking.access], rights, walk.guestRecorder);
    if (result < 0) walk.faulted(-1 - result, looking);
    else walk.arrived(walk.guestTarget(gva), result);
  });
}
/** Of a guest-physical address: the second stage alone. */
export function walkSecond(stages: Stages & { second: PagingContext }, gpa: number, access: Translation['access']): StagedWalk {
  const walk = new Recording(stages);
  return walk.ended(() => walk.page(gpa, access));
} // prettier-ignore

class Recording {
  readonly result: StagedWalk = { references: [] };
  readonly second?: RecordedStage;
  private readonly guest: WalkStep[] = [];

  constructor(private readonly stages: Stages) {
    const { memory, second } = stages;
    if (!second) return;
    this.second = new RecordedStage(memory, second, ({ gpa: hpa, ...step }) =>
      this.add({ ...step, hpa, targetSpace: 'hp', tables: 'nested', locates: this.second!.locates }),
    );
    this.second.next = () => stages.paging.format.levels[this.guest.length]?.name ?? '';
  }
  private add(reference: Omit<Reference, 'number'>): void {
    this.result.references.push({ number: this.result.references.length + 1, ...reference });
  }
  readonly guestRecorder: NonNullable<Parameters<Walker['walk']>[5]> = {
    step: (format, level, gpa, low, high) => {
      const { gpa: _, ...step } = describeEntry(format, level, gpa, low, high);
      this.guest.push({ ...step, gpa });
      const place = level.registers ? {} : this.second ? placeOf(gpa, this.second.entry) : this.placeOf(gpa);
      this.add({ ...step, ...place, targetSpace: this.stages.direct ? 'hp' : 'gp', tables: 'guest' });
    },
  };
  /** Without a second stage. */
  private placeOf(address: number): Place {
    const { memory, direct } = this.stages;
    const hpa = memory.isRam(address) ? memory.hpa(address) : undefined;
    return placeOf(direct ? direct(address) : address, hpa);
  }
  /** As the guest calls it; of a table that is not among the guest's memory the machine's address. */
  private readonly lies = (address: number): string => {
    const { gpa, hpa }: Place = this.second ? { gpa: address } : this.placeOf(address);
    return gpa === undefined ? `hp:0x${(hpa ?? address).toString(16)}` : `gp:0x${gpa.toString(16)}`;
  };
  /** The gpa that the guest's leaf gives. */
  guestTarget(gva: bigint): number {
    const leaf = this.guest[this.guest.length - 1];
    const shift = this.stages.paging.format.levels.find(({ level }) => level === leaf.level)!.shift;
    this.result.pageBytes = 2 ** shift;
    return leaf.target + Number(BigInt.asUintN(shift, gva));
  }
  /** No guest paging: the gpa is known. */
  page(gpa: number, access: Translation['access']): void {
    this.result.pageBytes = 4096;
    if (this.second) this.result.gpa = gpa;
    const place = this.second ? placeOf(gpa, this.second.translate(gpa, ACCESS[access], 0, 0)) : this.placeOf(gpa);
    Object.assign(this.result, place);
  }
  arrived(gpa: number, place: number): void {
    Object.assign(this.result, this.second ? placeOf(gpa, place) : this.placeOf(gpa));
  }
  faulted(errorCode: number, looking: Looking): void {
    const reason = explainFault(this.stages.paging, this.guest, errorCode, looking.access, looking, this.lies);
    this.stopped({ tables: 'guest', errorCode, reason });
  }
  private stopped(fault: NonNullable<StagedWalk['fault']>): void {
    this.result.fault = fault;
    const last = this.result.references.at(-1);
    if (last) last.why = fault.reason;
  }
  /** The walk, and what becomes of a refusal of the second stage. */
  ended(walk: () => void): StagedWalk {
    try {
      walk();
    } catch (thrown) {
      if (!(thrown instanceof GuestExit) || thrown.cause.reason !== 'nested-fault') throw thrown;
      const { cause } = thrown;
      // The page itself was refused: then the guest's walk had come to its end.
      if (!cause.table) this.result.gpa = cause.gpa;
      const last = this.result.references[this.result.references.length - 1];
      this.stopped({ tables: 'nested', errorCode: codeOf(cause.access, last), reason: whyNested(last, cause.access) });
    }
    return this.result;
  }
}

/** As NPT reports it in EXITINFO1 (APM vol. 2 15.25.6): bits of a page fault, as a user. */
const codeOf = (access: Translation['access'], last: Reference): number =>
  PF.U | (access === 'write' ? PF.W : access === 'execute' ? PF.I : 0) | (last.present ? PF.P : 0) | (last.reserved ? PF.RSVD : 0); // prettier-ignore

function whyNested(last: Reference, access: Translation['access']): string {
  const at = `The ${last.name} of the second stage at hp:0x${last.hpa!.toString(16)}`;
  if (!last.present) return `${at} is not present: gp:0x${last.locates!.gpa.toString(16)} is no memory of the guest's.`;
  if (last.reserved) return `${at} has reserved bits set: 0x${last.reserved.toString(16)}.`;
  return `${at}, or one above it, does not allow ${access === 'execute' ? 'fetches' : `${access}s`}.`;
}
