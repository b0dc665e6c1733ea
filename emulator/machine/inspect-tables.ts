/**
 * Tables and addresses of a machine as a debugger reads them. A domain's hypervisor is asked where there is one; on the bare
 * machine guest-physical memory is host-physical memory, unless a hypervisor that runs on it has a guest on the processor:
 * then that guest's memory is what the second stage says, and the machine's own is host-physical.
 */
import type { Cpu } from '../cpu/cpu';
import { viewAddress } from '../hypervisor/inspect/address';
import { hostedBlock } from '../hypervisor/inspect/hosted';
import { NO_PAGING } from '../mmu/guest-paging';
import type { PagingContext } from '../mmu/guest-paging';
import * as pageTables from '../mmu/inspect';
import type { TableMemory } from '../mmu/inspect';
import type { PhysicalMemory } from '../mmu/physical-memory';
import { aliases, RunList } from '../mmu/runs';
import { walkSecond } from '../mmu/staged-walk';
import type { Looking, Stages } from '../mmu/staged-walk';
import { UserError } from '../util/assert';
import { RFLAGS } from '../x86/registers';
import type { Translation } from './api';
import type {
  AddressView, Alias, EntryPlace, FrameUse, HypervisorInspector, MappedRun, MappedRuns, PhysicalView, StructureNode, TableContents, TableEntry,
  TableInspector, TableKind, TableSpace,
} from './inspect-api'; // prettier-ignore
import { AllRuns } from './mapped-runs';

const PAGE = 4096;
/** Of an address space: as many pages as 16 GiB have. */
const MOST_RUNS = 1 << 22;
const hex = (value: number | bigint): string => `0x${value.toString(16)}`;

export class MachineTables implements TableInspector {
  constructor(
    private readonly cpus: readonly Cpu[],
    private readonly physical: PhysicalMemory,
    private readonly hypervisor: HypervisorInspector | undefined,
    private readonly edited: () => void,
  ) {}

  /** Tables of a guest hypervisor's second stage, while its guest is on the processor. */
  private second(cpu: number): PagingContext | undefined {
    return this.cpus[cpu].mmu.walker.second?.paging;
  }
  stages(cpu: number, paging = this.cpus[cpu].mmu.paging): Stages {
    const second = this.second(cpu);
    return { paging, memory: this.physical, ...(second && { second }) };
  }
  looking(cpu: number, access: Translation['access'], user: boolean): Looking {
    return { access, user, smapOff: (this.cpus[cpu].state.systemFlags & RFLAGS.AC) !== 0 };
  }
  /** Where guest tables of the current address space are read. */
  private tableMemory(cpu: number): TableMemory {
    const stages = this.stages(cpu);
    const { second } = stages;
    const { physical } = this;
    if (!second) return physical;
    const pages = new Map<number, number>();
    const hostAddress = (gpa: number): number => {
      const page = gpa - (gpa % PAGE);
      let host = pages.get(page);
      if (host === undefined) {
        const { hpa } = walkSecond({ ...stages, second }, page, 'read');
        pages.set(page, (host = hpa === undefined ? -1 : physical.hostAddress(hpa)));
      }
      return host < 0 ? -1 : host + (gpa % PAGE);
    };
    return { words: physical.words, hostAddress };
  }

  walk(cpu: number, gva: bigint, access: Translation['access'], user: boolean): AddressView {
    if (this.hypervisor) return this.hypervisor.walk(cpu, gva, access, user);
    const paging = this.second(cpu) ? 'nested' : 'none';
    return viewAddress(this.stages(cpu), gva, this.looking(cpu, access, user), paging);
  }
  walkPhysical(cpu: number, gpa: number): PhysicalView {
    if (this.hypervisor) return this.hypervisor.walkPhysical(gpa);
    const second = this.second(cpu);
    if (!second) return { references: [], ...(this.physical.isRam(gpa) ? { hpa: this.physical.hpa(gpa) } : {}) };
    const { references, hpa, fault } = walkSecond({ ...this.stages(cpu), second }, gpa, 'read');
    return { references, ...(hpa === undefined ? {} : { hpa }), ...(fault ? { reason: fault.reason } : {}) };
  }
  use(hpa: number): FrameUse {
    if (this.hypervisor) return this.hypervisor.use(hpa);
    const gpa = this.ramAt(hpa);
    return gpa === undefined ? { kind: 'free' } : { kind: 'guest', domain: 0, gpa };
  }
  /** Of a machine whose memory is scattered over a host's, its own part of it. */
  private ramAt(hpa: number): number | undefined {
    const { physical } = this;
    if (!physical.backed) return physical.isRam(hpa) ? hpa : undefined;
    return physical.holds(physical.base + hpa) ? physical.gpaOf(physical.base + hpa) : undefined;
  }
  aliases(cpu: number, gpa: number, limit: number): { list: Alias[]; more: boolean } {
    const address = this.hypervisor?.direct ? this.walkPhysical(cpu, gpa).hpa : gpa;
    if (address === undefined) return { list: [], more: false };
    const found = aliases(this.cpus[cpu].mmu.paging, this.tableMemory(cpu), address, limit + 1);
    return { list: found.slice(0, limit), more: found.length > limit };
  }

  kinds(cpu: number): TableKind[] {
    if (this.hypervisor) return ['guest', ...this.hypervisor.tables];
    return this.second(cpu) ? ['guest', 'nested'] : ['guest'];
  }
  contents(cpu: number, kind: TableKind, at?: EntryPlace & { level: number }): TableContents | undefined {
    if (kind === 'guest' && this.hypervisor?.direct) return this.directTable(cpu, this.hypervisor, at);
    if (kind === 'guest') return this.guestTable(cpu, at && { gpa: at.gpa ?? 0, level: at.level });
    const own = at && { hpa: at.hpa ?? 0, level: at.level };
    if (this.hypervisor) return this.hypervisor.table(cpu, kind, own);
    const second = this.second(cpu);
    if (!second || kind !== 'nested') return undefined;
    const found = pageTables.table(second, this.physical, own && { gpa: own.hpa, level: own.level });
    const entries = found.entries.map(({ gpa: hpa, ...entry }) => ({ ...entry, hpa, targetSpace: 'hp' as const }));
    return { tables: kind, format: found.format, level: found.level, hpa: found.gpa, entries };
  }
  private guestTable(cpu: number, at?: { gpa: number; level: number }): TableContents {
    const { paging } = this.cpus[cpu].mmu;
    const found = pageTables.table(paging, this.tableMemory(cpu), at);
    // Of the four PDPTE registers none lies in memory.
    const place = (gpa: number): EntryPlace => {
      if (paging.format.levels.find(({ level }) => level === found.level)?.registers) return {};
      const { hpa } = this.walkPhysical(cpu, gpa);
      return { gpa, ...(hpa === undefined ? {} : { hpa }) };
    };
    const { hpa } = place(found.gpa);
    const entries = found.entries.map(({ gpa, ...entry }) => {
      const where = place(found.gpa);
      const offset = gpa - found.gpa;
      const own = where.gpa === undefined ? {} : { gpa, ...(where.hpa === undefined ? {} : { hpa: where.hpa + offset }) };
      return { ...entry, ...own, targetSpace: 'gp' as const };
    });
    return { ...found, tables: 'guest', ...(hpa === undefined ? {} : { hpa }), entries };
  } // prettier-ignore
  /** Of tables that hold host-physical addresses. */
  private directTable(cpu: number, hypervisor: HypervisorInspector, at?: EntryPlace & { level: number }): TableContents {
    const { paging } = this.cpus[cpu].mmu;
    const hpa = at && (at.gpa === undefined ? at.hpa : this.walkPhysical(cpu, at.gpa).hpa);
    const { gpa: found, ...table } = pageTables.table(paging, this.physical, at && { gpa: hpa ?? 0, level: at.level });
    if (paging.format.levels.find(({ level }) => level === table.level)?.registers)
      return { ...table, tables: 'guest', entries: table.entries.map(({ gpa: _, ...entry }) => ({ ...entry, targetSpace: 'hp' as const })) };
    const gpa = hypervisor.guestAddress(found);
    const own = (offset: number): EntryPlace => ({ hpa: found + offset, ...(gpa === undefined ? {} : { gpa: gpa + offset }) });
    const entries = table.entries.map(({ gpa: place, ...entry }) => ({ ...entry, ...own(place - found), targetSpace: 'hp' as const }));
    return { ...table, tables: 'guest', ...own(0), entries };
  } // prettier-ignore
  private tableSpace(cpu: number, kind: TableKind): TableSpace | undefined {
    if (kind !== 'guest' && this.hypervisor) return this.hypervisor.tableSpace(cpu, kind);
    if (kind === 'guest')
      return {
        context: this.cpus[cpu].mmu.paging,
        memory: this.tableMemory(cpu),
        targetSpace: this.hypervisor?.direct ? 'hp' : 'gp',
      };
    const second = kind === 'nested' ? this.second(cpu) : undefined;
    return second && { context: second, memory: this.physical, targetSpace: 'hp' };
  }
  runs(cpu: number, kind: TableKind, from: bigint, limit: number): MappedRun[] {
    const list = this.runsFrom(cpu, kind, from, Math.max(0, limit));
    return Array.from({ length: list.length }, (_, i) => list.at(i));
  }
  allRuns(cpu: number, kind: TableKind): MappedRuns {
    return this.runsFrom(cpu, kind, 0n, MOST_RUNS);
  }
  private runsFrom(cpu: number, kind: TableKind, from: bigint, most: number): AllRuns {
    const space = this.tableSpace(cpu, kind);
    const list = space && most > 0 ? RunList.of(space.context, space.memory, from, most) : new RunList(NO_PAGING);
    return new AllRuns(list, space?.targetSpace ?? 'gp', most);
  }

  hostedBlock(cpu: number): StructureNode | undefined {
    return hostedBlock(this.cpus[cpu]);
  }
  readHost(hpa: number, bytes: number): Uint8Array {
    if (this.hypervisor) return this.hypervisor.readHost(hpa, bytes);
    return this.eachPage(hpa, bytes, (gpa, _, length) => this.physical.readBytes(gpa, length));
  }
  writeHost(hpa: number, bytes: Uint8Array): number {
    if (this.hypervisor) return this.hypervisor.writeHost(hpa, bytes);
    const { length } = this.eachPage(hpa, bytes.length, (gpa, done, part) => {
      const written = this.physical.writeBytes(gpa, bytes.subarray(done, done + part), true);
      return bytes.subarray(done, done + written);
    });
    this.edited();
    return length;
  }

  /** What `visit` gives for each page, up to the first that is none or is short. */
  private eachPage(
    hpa: number,
    bytes: number,
    visit: (gpa: number, done: number, bytes: number) => Uint8Array,
  ): Uint8Array {
    const out = new Uint8Array(bytes);
    for (let done = 0; done < bytes;) {
      const length = Math.min(bytes - done, PAGE - ((hpa + done) % PAGE));
      const gpa = this.ramAt(hpa + done);
      const part = gpa === undefined ? new Uint8Array(0) : visit(gpa, done, length);
      out.set(part, done);
      done += part.length;
      if (part.length < length) return out.slice(0, done);
    }
    return out;
  }

  entryAt(cpu: number, kind: TableKind, place: EntryPlace, level: number): TableEntry {
    const { context, hpa } = this.entryPlace(cpu, kind, place, level);
    return this.described(context, place, level, this.readEntry(context, hpa));
  }
  setEntry(cpu: number, kind: TableKind, place: EntryPlace, level: number, value: bigint): TableEntry {
    const { context, hpa } = this.entryPlace(cpu, kind, place, level);
    if (this.hypervisor?.direct)
      throw new UserError('The hypervisor counts what these tables refer to; the guest changes them by hypercall, and nobody else can.'); // prettier-ignore
    const entry = this.described(context, place, level, value);
    if (entry.reserved)
      throw new UserError(`${hex(value)} sets bits ${hex(entry.reserved)}, which must be 0 in a ${entry.name}.`);
    const bytes = new Uint8Array(new BigUint64Array([value]).buffer).subarray(0, context.format.entryBytes);
    this.writeHost(hpa, bytes);
    this.edited();
    return entry;
  }
  private readEntry({ format }: PagingContext, hpa: number): bigint {
    const bytes = new Uint8Array(8);
    bytes.set(this.readHost(hpa, format.entryBytes));
    return new DataView(bytes.buffer).getBigUint64(0, true);
  }
  private described({ format }: PagingContext, place: EntryPlace, level: number, value: bigint): TableEntry {
    const { gpa: _, ...entry } = pageTables.describeEntry(
      format,
      format.levels.find((each) => each.level === level)!,
      0,
      Number(BigInt.asIntN(32, value)),
      Number(BigInt.asIntN(32, value >> 32n)),
    );
    return { ...entry, ...place, targetSpace: place.gpa === undefined || this.hypervisor?.direct ? 'hp' : 'gp' };
  }
  /** UserError: what is wrong with the place. */
  private entryPlace(cpu: number, kind: TableKind, place: EntryPlace, level: number): { context: PagingContext; hpa: number } {
    const context = kind === 'guest' ? this.cpus[cpu].mmu.paging : this.contextOf(cpu, kind);
    const { format } = context;
    const known = format.levels.find((each) => each.level === level);
    if (!known) throw new UserError(`'level' is ${level}; ${format.name} paging has ${format.levels.map((each) => each.level).join(', ') || 'none'}.`);
    if (known.registers) throw new UserError(`A ${known.name} is in a register here; set $pdpte0 to $pdpte3.`);
    const at = kind === 'guest' ? place.gpa : place.hpa;
    const space = kind === 'guest' ? 'gpa' : 'hpa';
    if (at === undefined) throw new UserError(`'${space}' is missing; say where the ${known.name} lies.`);
    if (at % format.entryBytes !== 0) throw new UserError(`'${space}' is ${hex(at)}; entries begin at multiples of ${format.entryBytes}.`);
    const hpa = kind === 'guest' ? this.walkPhysical(cpu, at).hpa : at;
    if (hpa === undefined || this.readHost(hpa, format.entryBytes).length < format.entryBytes) throw new UserError(`'${space}' is ${hex(at)}, where there is no RAM.`);
    return { context, hpa };
  } // prettier-ignore
  private contextOf(cpu: number, kind: TableKind): PagingContext {
    const context = this.hypervisor ? this.hypervisor.context(cpu, kind) : kind === 'nested' ? this.second(cpu) : undefined;
    if (!context) throw new UserError(`There are no ${kind} tables; there are ${this.kinds(cpu).join(' and ')} tables.`);
    return context;
  } // prettier-ignore
}
