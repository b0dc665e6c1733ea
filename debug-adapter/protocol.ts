/**
 * What the debug adapter speaks beyond the Debug Adapter Protocol: launch attributes, custom requests and events.
 * Types only; panels and scripts may import them.
 */
import type { DomainInfo, Screen, SilentHole, VmExit } from '../emulator/machine/api';
import type {
  StructureNode, TranslatedPosition, TranslatedView, TranslationCacheView,
} from '../emulator/machine/inspect-api'; // prettier-ignore
import type { EditorRequests } from './protocol-editor';
import type { TableRequests } from './protocol-tables';
import type { LoadedModule } from './linux/modules';
import type { Message } from './linux/printk';
import type { Task } from './linux/tasks';

/** JSON has no bigint: those become strings of `0x` and hexadecimal digits. Numbers stay numbers. */
export type Json<T> = T extends bigint
  ? string
  : T extends Uint8Array
    ? number[]
    : T extends readonly (infer E)[]
      ? Json<E>[]
      : T extends object
        ? { [K in keyof T]: Json<T[K]> }
        : T;

/** Custom requests: arguments and response bodies. */
export interface CustomRequests extends EditorRequests, TableRequests {
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
      /** With every field in words. */
      details?: boolean;
      /** Buckets of a chart over time, 1 to 500; absent: none. */
      buckets?: number;
      /** Functions of the guest, those with the most exits first; absent: none. */
      functions?: number;
      /** True: from now on every exit is counted by place and its cost is measured; false: no longer. */
      count?: boolean;
      /** True: events `ringside/exits` while the guest runs, at most 5 a second; false: no longer. */
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
      blocks: TranslatedBlock[];
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
    body: Omit<Screen, 'attributes'> & { attributes: string; /** Why nothing is to be seen. */ note?: string };
  };
  /** Keys of the PS/2 keyboard: text by a US layout, or keys by KeyboardEvent.code. `unknown`: a PC has no such key. */
  'ringside/keys': {
    arguments: { text?: string; keys?: { code: string; down: boolean }[]; domain?: string };
    body: { unknown: string[] };
  };
  /** Text for the guest's console, as if it were typed. */
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

export type { TranslateBody } from './protocol-tables';

export interface ExitRow extends Json<VmExit> {
  number: number;
  /** `main+0x10`, where symbols say so. */
  place?: string;
  /** One line: what was wanted, decoded. */
  text: string;
  /** Every field: what it is called, its value, and what that means; lines that belong to the one before are indented. */
  details?: string[];
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

/** A block of the guest beside its translation, and where in the program its instructions are. */
export interface TranslatedBlock extends Omit<Json<TranslatedView>, 'instructions' | 'links'> {
  instructions: (Json<TranslatedView['instructions'][number]> & {
    /** `main+0x10`, where symbols say so. */
    place?: string;
    /** `path` as the editor knows it; absent: debug information does not say, or the file is not here. */
    source?: { path: string; line: number };
  })[];
  links: (Json<TranslatedView['links'][number]> & { place?: string })[];
}

/** A domain, and which threads its virtual processors are. */
export type DomainEntry = DomainInfo & {
  threads: number[];
  /** The session stands still, and nobody's time passes. `stopped`: where it stopped, in this domain, and why; else another's. */
  held?: true;
  stopped?: string;
};

/** Custom events. */
export interface CustomEvents {
  /** What the guest sent to its first serial port; escape sequences untouched. `domain`: its name, where there are several. */
  'ringside/console': { text: string; domain?: string };
  /** A domain was created, destroyed, paused, resumed, or has died. */
  'ringside/domains': { domains: DomainEntry[] };
  /** Exits since the event before, while a client subscribes and the guest runs; at most 5 a second, and one at each stop. */
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
  | 'ringside/linux' | 'ringside/status' | 'ringside/explainStop'
  | 'ringside/condition' | 'ringside/exitLines' | 'ringside/console'
  | 'ringside/consoleInput' | 'ringside/domains' | 'ringside/screen' | 'ringside/keys';
