/**
 * A decoded instruction as the interpreter reads it: 48 bytes in linear memory. A block is a header and its records,
 * one after the other; it ends with a branch, or with a record that falls through to the next block.
 */
export const RECORD_BYTES = 48;
export const RECORD = {
  /** u32: number of the code that executes it. */ HANDLER: 0,
  /** u16 each: addresses of register operands 0, 1 and 2. */ SLOT0: 4, SLOT1: 6, SLOT2: 28,
  /** u16: addresses of base and index register, or of ZERO. */ BASE: 8, INDEX: 10,
  /** u8: shift of the index; segment number; length in bytes; position in the block. */ SCALE: 12, SEGMENT: 13, LENGTH: 14, POSITION: 15,
  /** i64: immediate, branch target (offset in CS) or absolute address. */ IMMEDIATE: 16,
  /** i32 */ DISPLACEMENT: 24,
  /** u16: address of the segment's base, for operands with one in 64-bit mode. */ SEGMENT_BASE: 30,
  /** i64: RIP of the next instruction. */ NEXT_RIP: 32,
  /** i32: first record of the block at the branch target, and of the one that follows; 0: not known. */ LINK_TAKEN: 40, LINK_NEXT: 44,
} as const; // prettier-ignore

/** Before the first record. */
export const HEADER_BYTES = 32;
export const HEADER = {
  /** i32: instructions in the block. */ COUNT: 0,
  /** i32: index into the code cache's list. */ BLOCK: 4,
  /** i32: table index of the compiled region that may be entered here, and which of its entries this is. */ REGION: 8, ENTRY: 12,
  /** i32: the budget that must be left besides this block's for the region to be entered; NO_REGION: there is none. */ NEED: 16,
  /** i32: counts down the executions by the interpreter; at 0 it leaves with EXIT.HOT. */ HEAT: 20,
} as const; // prettier-ignore
export const NO_REGION = 0x7fff_ffff;
/**
 * A block at a breakpoint has a guard before its header: a header and a record of its own, to which everybody else leads. It
 * is entered like a region, by the function at GUARD_INDEX of the table, which asks whether to stop (interpreter.ts).
 */
export const GUARD_BYTES = HEADER_BYTES + RECORD_BYTES;
export const GUARD_INDEX = 1;
/** From here on the table has the helpers, in the order of HELPERS. The handlers with these numbers are cases of the dispatcher, which nobody calls. */
export const FIRST_HELPER_INDEX = 2;

/** Handlers that are no instruction's. */
export const HANDLER = {
  /** Leaves before the instruction. */ STOP: 0,
  /** Calls the row's plain meaning. */ CALLED: 1,
  /** End of a block without a branch: no instruction. */ FALL: 2,
} as const; // prettier-ignore
export const FIRST_FORM_HANDLER = 3;

/** EXIT_FAULT: no exception. The interpreter has to execute this instruction (builder-types.ts, regionRead). */
export const RETRY = 0xfe;

/** Why generated code returned. */
export const EXIT = {
  /** RIP is set; nobody knows the block there. EXIT_LINK: the link to patch, or 0. */ LINK: 1,
  /** The block at EXIT_RECORD needs more instructions than the budget has. */ BUDGET: 2,
  /** The instruction at EXIT_RECORD faulted: it has not happened. */ FAULT: 3,
  /** About to execute EXIT_RECORD. */ STOP: 4,
  /** A plain meaning was executed and wants the run loop; RIP is set. */ CALLED: 5,
  /** A repeated string instruction has more iterations to do than the budget. */ AGAIN: 6,
  /** The block at EXIT_RECORD, about to be executed, has become worth compiling. */ HOT: 7,
} as const; // prettier-ignore

/** What `called` answers besides 0: leave, for EXIT_REASON; go on with the block at RIP. */
export const LEAVE = 1;
export const GO_ON = 2;
