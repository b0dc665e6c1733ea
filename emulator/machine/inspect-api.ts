/**
 * What a debugger sees of translation, page tables, exits, control blocks and translated code: plain values, the same for
 * every technique. Types only. gva bigint; gpa and hpa number, below 2^52.
 */
import type { SilentHole, VmExit, VmExitReason } from '../hypervisor/exit';
import type { PagingContext } from '../mmu/guest-paging';
import type { TableMemory } from '../mmu/inspect';
import type { Paging } from './api';
import type { TranslatedPosition, TranslatedView, TranslationCacheView } from './translated-api';

/** One step of a page walk: the entry that was read and what it says. */
export interface WalkStep {
  /** `PML4E`, `PDPTE`, `PDE`, `PTE`. */
  name: string;
  level: number;
  /** Where the entry lies. */
  gpa: number;
  entry: bigint;
  bytes: 4 | 8;
  present: boolean;
  writable: boolean;
  user: boolean;
  executable: boolean;
  accessed: boolean;
  dirty: boolean;
  global: boolean;
  /** This entry maps a page of `pageBytes`. */
  leaf: boolean;
  /** Bits that must be 0 and are not. */
  reserved: bigint;
  /** Where it points: next table or page. */
  target: number;
}

export interface Translation {
  gva: bigint;
  access: 'read' | 'write' | 'execute';
  /** `none` (paging off), `2-level`, `PAE`, `4-level`. */
  format: string;
  steps: WalkStep[];
  /** Undefined: the access would fault. */
  gpa?: number;
  pageBytes?: number;
  /** Rights over all levels. */
  rights?: { write: boolean; user: boolean; execute: boolean };
  fault?: { errorCode: number; /** One sentence: which entry, which bit, which rule. */ reason: string };
}

/** A run of pages that the current address space maps alike. `size` in bytes. */
export interface Mapping {
  gva: bigint;
  gpa: number;
  size: bigint;
  pageBytes: number;
  write: boolean;
  user: boolean;
  execute: boolean;
  global: boolean;
}

/** Whose page tables: the guest's (GV to GP), the shadow of its current address space (GV to HP), the second stage (GP to HP). */
export type TableKind = 'guest' | 'shadow' | 'nested';

/** `stale`: the shadow says otherwise than the guest's tables and the map of its memory; `over-permissive`: it allows more. */
export type Mark = 'stale' | 'over-permissive';

/** An entry of some table. Where it lies: `gpa` and `hpa` for guest tables, `hpa` for the hypervisor's own; neither in registers. */
export interface TableEntry extends Omit<WalkStep, 'gpa'> {
  gpa?: number;
  hpa?: number;
  /** The space of `target`. */
  targetSpace: 'gp' | 'hp';
  mark?: Mark;
  /** Why it has the mark: one sentence. */
  rule?: string;
}

/** One memory reference of a walk. */
export interface Reference extends TableEntry {
  /** From 1 on, in the order in which the processor makes them. */
  number: number;
  tables: TableKind;
  /** Second stage: for which guest entry (`PML4E`...) this is, or for the `page` itself, and its gpa. */
  locates?: { what: string; gpa: number };
  /** The walk stops here: one sentence. */
  why?: string;
}

/** What an access would do. */
export interface Verdict {
  access: Translation['access'];
  user: boolean;
  /** `done`; `page-fault`: the guest's own, with its error code; `exit`: its hypervisor is asked first. */
  outcome: 'done' | 'page-fault' | 'exit';
  errorCode?: number;
  exit?: VmExitReason;
  /** Why it is not `done`: one sentence. */
  reason?: string;
}

/** The shadow walk beside the guest's. */
export interface ShadowWalk {
  form: 'PAE' | '4-level';
  references: Reference[];
  hpa?: number;
  /** `missing`: not filled yet, the next access fills it; `fewer-rights`: filled, and the next write or fetch upgrades it. */
  state: 'missing' | 'fewer-rights' | 'filled' | Mark;
  rule?: string;
}

/** A linear address on its way to host-physical memory. */
export interface AddressView {
  gva: bigint;
  access: Translation['access'];
  user: boolean;
  /** How GP becomes HP: `none` on the bare machine, where both are one. */
  paging: Paging | 'none';
  /** Guest entries, and under nested paging those of the second stage before each (24 on 4-level over 4-level). */
  references: Reference[];
  shadow?: ShadowWalk;
  /** Absent: a page fault, or the second stage refuses. */
  gpa?: number;
  hpa?: number;
  pageBytes?: number;
  /** Where it stops, if it does. */
  fault?: { tables: TableKind; errorCode: number; reason: string };
  /** Reads, writes and fetches, as supervisor and as user. */
  verdicts: Verdict[];
}

/** What a host frame is used for. */
export type FrameUse =
  /** `gpa`: of a paravirtualised domain what it calls the frame now (m2p). */
  | { kind: 'guest'; domain: number; gpa: number; typed?: TypedFrame }
  | { kind: 'hypervisor'; domain: number; what: string; typed?: TypedFrame }
  | { kind: 'free' };

/** What a frame of a paravirtualised domain is in use as, and how that came about in this run. */
export interface TypedFrame {
  /** Machine frame. */
  frame: number;
  type: string;
  /** Users under that type, and all of them, the domain itself included. */
  typeCount: number;
  count: number;
  pinned: boolean;
  /** The last changes, oldest first. `at`: instructions that the domain had retired. */
  history: { from: string; to: string; by: string; at: number }[];
}

/** A gva that maps a gpa. */
export interface Alias {
  gva: bigint;
  pageBytes: number;
  write: boolean;
  user: boolean;
  execute: boolean;
}

/** The present entries of one structure. */
export interface TableContents {
  tables: TableKind;
  format: string;
  level: number;
  /** Where the structure lies: as for entries. */
  gpa?: number;
  hpa?: number;
  /** `gva`: relative to what the structure covers, except in the root. Of the second stage it is a gpa. */
  entries: (TableEntry & { index: number; gva: bigint })[];
}

/** A run of pages mapped alike; of the second stage `gva` is a gpa. */
export interface MappedRun extends Omit<Mapping, 'gpa'> {
  target: number;
  targetSpace: 'gp' | 'hp';
}

/** All runs of an address space, a few bytes each, in order of address. */
export interface MappedRuns {
  readonly length: number;
  at(index: number): MappedRun;
  /** The first that ends behind this address; `length`: none does. */
  indexOf(gva: bigint): number;
  /** Indices of those that are like that. `target`: an address in what they map. */
  matching(search: { write?: boolean; user?: boolean; execute?: boolean; target?: number }): Uint32Array;
  /** Parts of address space that are mapped otherwise than in an earlier list, at most `limit` of each. */
  changes(before: MappedRuns, limit: number): { added: MappedRun[]; removed: MappedRun[] };
}

/** What the invariant checker found wrong with a shadow leaf. */
export interface ShadowFinding {
  mark: Mark;
  gva: bigint;
  hpa: number;
  entry: bigint;
  rule: string;
}

/** A node of a tree of structures. */
export interface StructureNode {
  name: string;
  /** As people write it: a number in hexadecimal, or words. */
  value?: string;
  /** What it means. */
  text?: string;
  /** Named bits and fields of the value that are not 0. */
  bits?: { name: string; bit: number; width: number; value: number; text?: string }[];
  children?: StructureNode[];
  /** To change it: an expression for DAP's `setExpression`. */
  editable?: string;
}

/** A guest-physical address through the second stage. */
export interface PhysicalView {
  /** Empty where there is none. */
  references: Reference[];
  /** Absent: no RAM. */
  hpa?: number;
  reason?: string;
}
/** Where an entry or a table lies. */
export type EntryPlace = Pick<TableEntry, 'gpa' | 'hpa'>;

/** Addresses and page tables, whatever is under the guest. */
export interface TableInspector {
  walk(cpu: number, gva: bigint, access: Translation['access'], user: boolean): AddressView;
  walkPhysical(cpu: number, gpa: number): PhysicalView;
  use(hpa: number): FrameUse;
  /** gvas of the current address space that map a gpa, in order. */
  aliases(cpu: number, gpa: number, limit: number): { list: Alias[]; more: boolean };
  /** Tables that there are, the guest's first. */
  kinds(cpu: number): TableKind[];
  /** Undefined: there are no such tables now. */
  contents(cpu: number, kind: TableKind, at?: EntryPlace & { level: number }): TableContents | undefined;
  /** In order from `from` on, at most `limit`. */
  runs(cpu: number, kind: TableKind, from: bigint, limit: number): MappedRun[];
  /** All of them, as of now. */
  allRuns(cpu: number, kind: TableKind): MappedRuns;
  /** Of a hypervisor that runs on the processor itself; undefined: there is none. */
  hostedBlock(cpu: number): StructureNode | undefined;
  /** On the bare machine host-physical memory is guest-physical memory. As much as is RAM, from the start. */
  readHost(hpa: number, bytes: number): Uint8Array;
  /** Bytes written; what was derived from them is dropped. */
  writeHost(hpa: number, bytes: Uint8Array): number;
  /** UserError: no entry can lie there. */
  entryAt(cpu: number, kind: TableKind, place: EntryPlace, level: number): TableEntry;
  /** UserError: as above, or reserved bits would be set. */
  setEntry(cpu: number, kind: TableKind, place: EntryPlace, level: number, value: bigint): TableEntry;
}

/** An address space, the memory that its tables lie in, and the space that they lead to. */
export interface TableSpace {
  context: PagingContext;
  memory: TableMemory;
  targetSpace: MappedRun['targetSpace'];
}

/** What a hypervisor shows of one guest. Nothing here changes anything but `writeHost` and `edited`. */
export interface HypervisorInspector {
  /** Tables that exist besides the guest's own. */
  readonly tables: readonly TableKind[];
  walk(cpu: number, gva: bigint, access: Translation['access'], user: boolean): AddressView;
  walkPhysical(gpa: number): PhysicalView;
  /** Undefined: no such tables now. */
  context(cpu: number, tables: TableKind): PagingContext | undefined;
  use(hpa: number): FrameUse;
  /** The guest's own tables hold host-physical addresses. */
  readonly direct: boolean;
  /** What the guest calls an address of the host's; undefined: nothing. */
  guestAddress(hpa: number): number | undefined;
  /** The processor is in a kernel that knows that it is not in ring 0. */
  runsPortedKernel(cpu: number): boolean;
  /** Structures of a domain that knows its hypervisor. */
  structures(): StructureNode[];
  table(cpu: number, tables: TableKind, at?: { hpa: number; level: number }): TableContents | undefined;
  /** Where tables of that kind are read, and what they lead to; undefined: no such tables now. */
  tableSpace(cpu: number, tables: TableKind): TableSpace | undefined;
  /** At most `limit`; empty where there is no shadow. */
  checkShadow(limit: number): ShadowFinding[];
  readHost(hpa: number, bytes: number): Uint8Array;
  /** Bytes written; what was derived from them is dropped. */
  writeHost(hpa: number, bytes: Uint8Array): number;
  /** The user changed memory: what the physical processor remembers of it is void. */
  edited(): void;
  /** VMCS or VMCB of a virtual processor. */
  controlBlock(cpu: number): StructureNode | undefined;
  readonly cache?: TranslationCacheView;
  /** Translated blocks that hold a guest instruction. */
  translated(gva: bigint): TranslatedView[];
  /** The guest's instruction whose translation lies there. */
  gvaOfTranslation(hpa: number): bigint | undefined;
  /** Undefined: nothing is translated under this technique. */
  translatedPosition(cpu: number): TranslatedPosition | undefined;
}

export type { SilentHole, VmExit };
export type * from './translated-api';
