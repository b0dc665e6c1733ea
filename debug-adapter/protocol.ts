/**
 * What the debug adapter speaks beyond the Debug Adapter Protocol: launch attributes, custom requests and events.
 * Types only; panels and scripts may import them.
 */
import type { DomainInfo, Screen, SilentHole, Translation, VmExit } from '../emulator/machine/api';
import type {
  AddressView, Alias, FrameUse, MappedRun, Reference, ShadowFinding, StructureNode, TableContents, TableEntry, TableKind,
  TranslatedPosition, TranslatedView, TranslationCacheView,
} from '../emulator/machine/inspect-api'; // prettier-ignore
import type { EditorRequests } from './protocol-editor';
import type { LoadedModule } from './linux/modules';
import type { Message } from './linux/printk';
import type { Task } from './linux/tasks';

/** JSON has no bigint: those become strings of `0x` and hexadecimal digits. Numbers stay numbers. */
export type Json<T> = T extends bigint
  ? string
  : T extends readonly (infer E)[]
    ? Json<E>[]
    : T extends object
      ? { [K in keyof T]: Json<T[K]> }
      : T;

/** Custom requests: arguments and response bodies. */
export interface CustomRequests extends EditorRequests {
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
        /** With `changes`: runs that are new or other, and those that are gone. */
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
  /**
   * Exits of the guest to its hypervisor: counters by reason, the last ones one by one, by guest function, over time.
   * Exits are numbered from 0 since power-on; the last 4096 are kept. `of` says what a figure was counted from: `all` exits
   * since counting began (`count`), or those that are `kept`.
   */
  'ringside/exits': {
    arguments: {
      /** A condition as at the filter `vm-exit`: `exit.reason == "io" && exit.port == 0x3f8`. */
      filter?: string;
      /** Number of the first exit wanted; the last `limit` unless said. */
      from?: number;
      /** 0 to 4096; 100 unless said. An export asks for 4096. */
      limit?: number;
      /** Buckets of a chart over time, 1 to 500; absent: none. */
      buckets?: number;
      /** Functions of the guest, those with the most exits first; absent: none. */
      functions?: number;
      /** True: from now on every exit is counted by place and its cost is measured; false: no longer. */
      count?: boolean;
      /** True: events `ringside/exits` while the guest runs, at most 4 a second; false: no longer. */
      subscribe?: boolean;
    };
    body: ExitsBody;
  };
  /** Binary translation: the guest's code beside what is executed for it. */
  'ringside/translated': {
    arguments: {
      /** `gv:` of a guest instruction, `hp:` of a translated one, or an expression; the current instruction unless said. */
      address?: string;
      cpu?: number;
      frameId?: number;
    };
    body: {
      gva: string;
      /** Those that hold `gva`; without `address` also the one in which the processor stands, first. */
      blocks: Json<TranslatedView>[];
      cache: Json<TranslationCacheView>;
      text: string;
      /** Where the processor stands in what is executed: its next step there. Its `hpa` is one of `translated[].hpa` of a block, or a stub's. */
      position: Json<TranslatedPosition>;
    };
  };
  /**
   * Binary translation: one step in what is executed instead of the guest's code, from `position` of `ringside/translated`. A
   * CALL of the guest is two such steps, a PUSH and a join; a stub is one, in which the hypervisor translates. Steps that
   * are none of the guest's instructions take no time and change nothing that the guest could see; the others are as `stepIn`
   * with granularity `instruction`. Answered at once; `stopped` follows, with reason `step` unless something else stopped.
   * The top frame of the stack is a label then that says where, with `instructionPointerReference` `hp:0x...`.
   */
  'ringside/stepTranslated': { arguments: { threadId: number }; body: undefined };
  /** A terminal takes the console over: from now on `ringside/console` events instead of `output` events. */
  'ringside/console': {
    arguments: { attach: boolean; /** Name; default: the current one. */ domain?: string };
    body: { attached: boolean; /** Sent so far. */ text: string };
  };
  /** The VGA screen, in text mode; may be asked for while the guest runs. `attributes`: base64, a byte a cell. */
  'ringside/screen': {
    arguments: { domain?: string };
    body: Omit<Screen, 'attributes'> & { attributes: string };
  };
  /** Keys of the PS/2 keyboard: text by a US layout, or keys by KeyboardEvent.code. `unknown`: a PC has no such key. */
  'ringside/keys': {
    arguments: { text?: string; keys?: { code: string; down: boolean }[]; domain?: string };
    body: { unknown: string[] };
  };
  'ringside/consoleInput': { arguments: { text: string; domain?: string }; body: { bytes: number } };
  /** The guest's Linux kernel, as far as its memory tells. `messages` only when they are asked for. */
  'ringside/linux': {
    arguments: { what?: 'all' | 'kernel' | 'tasks' | 'modules' | 'messages' };
    body:
      | { found: false }
      | {
          found: true;
          /** `slide`: how far KASLR has moved it, in bytes. */
          kernel: Json<{ banner: string; commandLine: string; start: bigint; end: bigint; slide?: bigint }>;
          tasks?: Json<Task>[];
          modules?: Json<LoadedModule>[];
          messages?: Json<Message>[];
        };
  };
  /**
   * The domains of the session, and the host that they are on. With an action: as they are after it. `domain` is a name, or an
   * id in digits. A session without the launch attribute `domains` shows its machine as one domain, which has no actions.
   */
  'ringside/domains': {
    arguments:
      | { action?: undefined }
      | { action: 'pause' | 'resume' | 'destroy'; domain: string }
      | { action: 'share'; domain: string; weight?: number; /** Percent, 0: none. */ cap?: number }
      /** Attributes of a launch, of one domain. It runs when the others run. */
      | { action: 'create'; launch: Record<string, unknown> };
    body: { domains: DomainEntry[]; host: { /** Of 4 KiB. */ frames: number; reserved: number }; actions: boolean };
  };
  /**
   * Control blocks (VMCS, VMCB), descriptor tables, registers and devices. `nodes` are trees with decoded bits, of the roots
   * that `roots` names or all of them; `structures` are the devices' values by name.
   */
  'ringside/structures': {
    arguments: { cpu?: number; roots?: string[] };
    body: {
      structures: Record<string, unknown>;
      nodes: StructureNode[];
      /** All that can be named. */ roots: string[];
    };
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

export interface ExitRow extends Json<VmExit> {
  number: number;
  /** `main+0x10`, where symbols say so. */
  place?: string;
  /** One line: what was wanted, decoded. */
  text: string;
}
export interface ExitsBody {
  technique: string;
  paging: string;
  /** Instructions retired so far. */
  instructions: number;
  total: number;
  /** Number of the oldest one kept. */
  oldest: number;
  exits: ExitRow[];
  /** Number to ask from for the next page; absent: this was the last. */
  next?: number;
  /** All exits by reason, most first. `hostNs` 0: not measured. */
  reasons: { reason: string; count: number; hostNs: number }[];
  functions?: {
    of: 'all' | 'kept';
    list: { name: string; gva: string; count: number; reasons: Record<string, number> }[];
  };
  /** `counts[reason][n]`: exits in the n-th bucket of `bucketInstructions` from instruction `from` on. */
  buckets?: { of: 'all' | 'kept'; from: number; bucketInstructions: number; counts: Record<string, number[]> };
  /** Silent holes, each place once. */
  holes: (Json<SilentHole> & { count: number; place?: string })[];
  counting: boolean;
  subscribed: boolean;
}

/** A domain, and which threads its virtual processors are. */
export type DomainEntry = DomainInfo & { threads: number[] };

/** Custom events. */
export interface CustomEvents {
  /** What the guest sent to its first serial port; escape sequences untouched. `domain`: its name, where there are several. */
  'ringside/console': { text: string; domain?: string };
  /** A domain was created, destroyed, paused, resumed, or has died. */
  'ringside/domains': { domains: DomainEntry[] };
  /** Exits since the event before, while a client subscribes and the guest runs; at most 4 a second, and one at each stop. */
  'ringside/exits': { instructions: number; total: number; milliseconds: number; reasons: Record<string, number> };
}

/** Every request that the session answers. */
// prettier-ignore
export type Command =
  | 'initialize' | 'launch' | 'attach' | 'configurationDone' | 'restart' | 'disconnect'
  | 'terminate' | 'cancel' | 'setBreakpoints' | 'setFunctionBreakpoints' | 'setInstructionBreakpoints' | 'setDataBreakpoints'
  | 'dataBreakpointInfo' | 'breakpointLocations' | 'setExceptionBreakpoints' | 'exceptionInfo' | 'continue' | 'pause'
  | 'next' | 'stepIn' | 'stepOut' | 'goto' | 'gotoTargets'
  | 'threads' | 'stackTrace' | 'scopes' | 'variables' | 'setVariable' | 'evaluate'
  | 'setExpression' | 'completions' | 'disassemble' | 'readMemory' | 'writeMemory' | 'modules'
  | 'loadedSources' | 'source' | 'ringside/translate' | 'ringside/pageTables' | 'ringside/setEntry'
  | 'ringside/checkShadow' | 'ringside/exits' | 'ringside/translated' | 'ringside/stepTranslated' | 'ringside/structures'
  | 'ringside/linux'
  | 'ringside/condition' | 'ringside/exitLines' | 'ringside/console'
  | 'ringside/consoleInput' | 'ringside/domains' | 'ringside/screen' | 'ringside/keys';
