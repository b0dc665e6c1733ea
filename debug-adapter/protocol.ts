/**
 * What the debug adapter speaks beyond the Debug Adapter Protocol: launch attributes, custom requests and events.
 * Types only; panels and scripts may import them.
 */
import type { DomainInfo, Translation, WalkStep } from '../emulator/machine/api';
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
export interface CustomRequests {
  /** Every step of GV to GP, with the reason where it stops. */
  'ringside/translate': {
    arguments: {
      /** `gv:0x...` or an expression in `frameId`. */
      address: string;
      access?: 'read' | 'write' | 'execute';
      /** Ask as user or as supervisor; default: as the processor runs now. */
      user?: boolean;
      cpu?: number;
      frameId?: number;
    };
    body: { translation: Json<Translation>; /** The same for people. */ text: string };
  };
  /** Present entries of one paging structure of the current address space. */
  'ringside/pageTables': {
    arguments: { cpu?: number; table?: { gpa: number; level: number }; /** Index. */ from?: number; limit?: number };
    body: {
      format: string;
      level: number;
      gpa: number;
      /** Present entries altogether. */
      total: number;
      entries: Json<WalkStep & { index: number; gva: bigint }>[];
    };
  };
  /** A terminal takes the console over: from now on `ringside/console` events instead of `output` events. */
  'ringside/console': {
    arguments: { attach: boolean; /** Name; default: the current one. */ domain?: string };
    body: { attached: boolean; /** Sent so far. */ text: string };
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
  /** Descriptor tables, devices and so on, by name. */
  'ringside/structures': { arguments: { cpu?: number }; body: { structures: Record<string, unknown> } };
}

/** A domain, and which threads its virtual processors are. */
export type DomainEntry = DomainInfo & { threads: number[] };

/** Custom events. */
export interface CustomEvents {
  /** What the guest sent to its first serial port; escape sequences untouched. `domain`: its name, where there are several. */
  'ringside/console': { text: string; domain?: string };
  /** A domain was created, destroyed, paused, resumed, or has died. */
  'ringside/domains': { domains: DomainEntry[] };
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
  | 'loadedSources' | 'source' | 'ringside/translate' | 'ringside/pageTables' | 'ringside/structures' | 'ringside/linux' | 'ringside/console'
  | 'ringside/consoleInput';
