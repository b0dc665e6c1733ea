/** Custom requests of source editors: what stands beside lines, and conditions while they are typed. Types only. */

/** A part of CustomRequests (protocol.ts). */
export interface EditorRequests {
  /** A condition while it is typed: what may come at the column, and what is wrong so far. */
  'ringside/condition': {
    arguments: {
      text: string;
      /** Of the cursor, from 0; the end unless said. */
      column?: number;
      /** Of the breakpoint: locals there may be named. */
      source?: { path: string };
      line?: number;
    };
    body: {
      /** The `text` of each replaces `length` characters from `start` on. */
      items: { label: string; text: string; detail?: string; start: number; length: number }[];
      /** `column` from 1. */
      problem?: { message: string; column: number };
    };
  };
  /** Exits and silent holes of the guest by line of one source, for the editor to show beside it. */
  'ringside/exitLines': {
    arguments: {
      source: { path: string };
      /** As of `ringside/exits`: true counts every exit by place from now on. */
      count?: boolean;
    };
    /** `of`: as of `ringside/exits`. */
    body: {
      of: 'all' | 'kept';
      lines: { line: number; exits: number; reasons: Record<string, number>; holes: number }[];
    };
  };
  /** What the guest is doing, also while it runs: cheap enough for once a second. */
  'ringside/status': {
    arguments: { cpu?: number };
    body: {
      technique: string;
      paging: string;
      /** As of Inspector.mode: `real`, `protected-32`, `long`... */
      mode: string;
      ring: number;
      /** Retired so far. */
      instructions: number;
      running: boolean;
      cpu: number;
      cpus: number;
      domain?: string;
    };
  };
  /** Why the guest stands: what happened, why such a thing happens, where to look next. Refused while it runs. */
  'ringside/explainStop': {
    arguments: { cpu?: number };
    body: {
      title: string;
      /** A line. */
      what: string;
      why?: string;
      /** Bits of an error code, the walk that failed, fields of an exit; lines. */
      details?: string;
      next: { text: string; view?: 'pageTables' | 'exits' | 'structures' | 'domains' | 'callStack' | 'disassembly' }[];
      manual?: string;
      /** `gv:0x1000`: what it was about, to be walked. */
      address?: string;
    };
  };
}
