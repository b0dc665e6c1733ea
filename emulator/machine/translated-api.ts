/** What a debugger sees of binary translation, and its steps there. Types only. gva bigint; hpa number. */

/** Guest code beside its translation. */
export interface TranslatedView {
  gva: bigint;
  /** Where the translation lies, its bytes, and where the guest's processor sees it. */
  hpa: number;
  bytes: number;
  mappedAt: bigint;
  /** False: the guest has written there since; nobody gets in any more. */
  alive: boolean;
  instructions: {
    gva: bigint;
    text: string;
    bytes: Uint8Array;
    /** `same`, `relocated` (the meaning at another place), `in-line` (answered without leaving), `call-out` (the hypervisor does it). */
    treatment: 'same' | 'relocated' | 'in-line' | 'call-out';
    translated: { hpa: number; text: string; bytes: Uint8Array }[];
  }[];
  /** Jumps out of the block: to where in the guest, and whether they are chained to its translation or lead to a stub. */
  links: { hpa: number; gva: bigint; to: number; chained: boolean }[];
}
/**
 * Where a processor stands under binary translation, before its next step in what is executed. `kind` says what that step is:
 * `instruction`, `in-line`, `call-out`: the guest's instruction at `gva` (or a program's, see `direct`), which retires;
 * `join`: a jump that only joins translations; `stub`: a call of the hypervisor, which translates the code at `gva`;
 * `lookup`: an indirect branch named the guest's address, and the processor is led to its translation; `untranslated`: the
 * hypervisor translates before the guest goes on. These four are none of the guest's: no time passes.
 * `direct`: programs and what is not translated run as they are.
 */
export interface TranslatedPosition {
  kind: 'instruction' | 'in-line' | 'call-out' | 'join' | 'stub' | 'lookup' | 'untranslated' | 'direct';
  /** The guest's instruction that it stands for, where debuggers and faults say that the guest is. */
  gva: bigint;
  /** RIP of the physical processor: in the cache as the guest has it mapped, or `gva` itself. */
  rip: bigint;
  /** In the cache alone: where it lies, the beginning of its block (a stub lies in none), and what is executed. */
  hpa?: number;
  block?: number;
  text?: string;
  bytes?: Uint8Array;
  /** Where a join or a lookup leads, if that is translated. */
  to?: number;
}

export interface TranslationCacheView {
  hpa: number;
  bytes: number;
  used: number;
  counts: { blocks: number; instructions: number; invalidated: number; flushed: number };
}

/** Steps in translated code, while the machine stands. Neither changes anything that the guest could see, nor its stateHash. */
export interface TranslationStepper {
  /** A step that takes no time (TranslatedPosition). False: the next step is an instruction of the guest's. */
  follow(cpu: number): boolean;
  /** After an instruction that was executed at `from`: a join behind it is a step of its own. */
  executed(cpu: number, from: TranslatedPosition): void;
}
