/** Custom requests about addresses and page tables. Types only. */
import type { Translation } from '../emulator/machine/api';
import type {
  AddressView, Alias, FrameUse, MappedRun, Reference, ShadowFinding, TableContents, TableEntry, TableKind,
} from '../emulator/machine/inspect-api'; // prettier-ignore
import type { Json } from './protocol';

/** A part of CustomRequests (protocol.ts). */
export interface TableRequests {
  /**
   * An address through GV, GP and HP: every memory reference of the walk, why it stops, what each kind of access would do.
   * `gp:` and `hp:` are looked up backwards: which domain, which gpa, which gvas map it.
   */
  'ringside/translate': {
    arguments: {
      /** `gv:0x...`, `gp:0x...`, `hp:0x...`, or an expression in `frameId`, which is a gva. */
      address: string;
      access?: 'read' | 'write' | 'execute';
      /** Ask as user or as supervisor; default: as the processor runs now. */
      user?: boolean;
      cpu?: number;
      frameId?: number;
    };
    body: TranslateBody;
  };
  /**
   * Page tables: the present entries of one structure, or with `mappings` the address space in runs of pages mapped alike.
   * Nothing is copied or compared unless `changes` asks for it.
   */
  'ringside/pageTables': {
    arguments: {
      cpu?: number;
      /** Whose; `guest` unless said. Refused with a reason where there are no such tables. */
      tables?: TableKind;
      /** Where the structure lies: `gpa` of a guest table, `hpa` of the hypervisor's; the root unless said. */
      table?: { gpa?: number; hpa?: number; level: number };
      /** Index of the first entry wanted, and how many at most. */
      from?: number;
      limit?: number;
      /** Compare with what the same request (same `tables`, `table`) answered at an earlier stop. */
      changes?: boolean;
      /** The address space instead of one structure. */
      mappings?: {
        /** Address to begin at (`0x...`): `next` of the page before. */
        from?: string;
        /** Or the number of the first run wanted, of all that the search lets through. */
        index?: number;
        /** Runs on a page: 1 to 1000, 200 unless said. */
        limit?: number;
        /** Only runs that are like that. `maps`: that hold this `gp:` or `hp:` address; `contains`: this gva. */
        search?: { write?: boolean; user?: boolean; execute?: boolean; maps?: string; contains?: string };
      };
    };
    body: {
      tables: TableKind;
      /** Tables that can be asked for. */
      available: TableKind[];
      format: string;
      level: number;
      gpa?: number;
      hpa?: number;
      /** Present entries altogether. */
      total: number;
      /** `was`, `gone`: with `changes`, the entry before; an entry that is not present any more is listed with `gone`. */
      entries: (Json<TableContents['entries'][number]> & { was?: string; gone?: true })[];
      /** With `changes`: instruction count of the stop that was compared with; absent the first time. */
      since?: number;
      mappings?: {
        runs: Json<MappedRun>[];
        /** Where the next page begins; absent: this was the last. */
        next?: string;
        /** With `index` or `search`: the number of the first of `runs`, and how many there are altogether. */
        index?: number;
        total?: number;
        /** With `changes`: the instruction count of the stop that was compared with; absent the first time. */
        since?: number;
        /** Parts that are mapped now and were not, or otherwise, and those that were before; at most 1000 of each. */
        added?: Json<MappedRun>[];
        removed?: Json<MappedRun>[];
      };
    };
  };
  /**
   * Bits of a page-table entry, or its whole value, changed by the user. Refused: no RAM there, reserved bits, what the
   * format has not. Translations made from it are dropped.
   */
  'ringside/setEntry': {
    arguments: {
      cpu?: number;
      tables?: TableKind;
      gpa?: number;
      hpa?: number;
      level: number;
      /** The whole entry as `0x...`; or single bits. */
      value?: string;
      set?: { [bit in 'present' | 'writable' | 'user' | 'executable' | 'accessed' | 'dirty' | 'global']?: boolean };
    };
    body: { entry: Json<TableEntry>; was: string };
  };
  /** The invariant of shadow paging: each shadow leaf is the guest's tables followed by the map of its memory. */
  'ringside/checkShadow': {
    arguments: { limit?: number };
    body: { findings: Json<ShadowFinding>[]; /** The same for people; the first stale entry first. */ text: string };
  };
}

export interface TranslateBody {
  /** Of the address asked for; of `gp:` and `hp:` the space says where the walk begins. */
  space: 'gv' | 'gp' | 'hp';
  /** The guest's own walk; absent for `gp:` and `hp:`. */
  translation?: Json<Translation>;
  /** Everything; absent for `gp:` and `hp:`. */
  view?: Json<AddressView>;
  gpa?: number;
  hpa?: number;
  /** `gp:` under nested paging: the walk of the second stage alone. */
  references?: Json<Reference>[];
  /** `hp:`: what the frame is used for. */
  use?: FrameUse;
  /** `gp:` and `hp:` of guest memory: gvas of the current address space that map it, at most 64. */
  aliases?: Json<Alias>[];
  moreAliases?: boolean;
  /** The same for people. */
  text: string;
}
