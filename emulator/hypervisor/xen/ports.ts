/**
 * The seam between the parts of the Xen ABI and the engine that runs a domain: what event channels, grant tables, xenstore and
 * back ends may ask of those around them, and how a hypercall reaches them. Frames are machine frames (mfn): of the host.
 * Errors of guests are HypercallErrors; whatever else is thrown is our own bug.
 */

/**
 * A hypercall is refused: `errno` of xen/errno.h, positive, and why, in one sentence for people. A value, as guest faults are: a
 * guest that is refused all the time should not cost a stack trace each.
 */
export class HypercallError {
  constructor(
    readonly errno: number,
    readonly message: string,
  ) {}
}

/** Host memory by frames. `offset` + length stay within the frame; frames are below `frames`: the caller checks. */
export interface MachineFrames {
  readonly frames: number;
  read(mfn: number, offset: number, bytes: 1 | 2 | 4): number;
  read64(mfn: number, offset: number): bigint;
  /** Writes are seen by whoever keeps code or tables from the frame. */
  write(mfn: number, offset: number, bytes: 1 | 2 | 4, value: number): void;
  write64(mfn: number, offset: number, value: bigint): void;
  /** Copies. */
  readBytes(mfn: number, offset: number, bytes: number): Uint8Array;
  writeBytes(mfn: number, offset: number, data: Uint8Array): void;
}

/** A place in a frame. */
export interface FramePlace {
  mfn: number;
  offset: number;
}

/** A domain, for those who know no engine. */
export interface XenDomain {
  readonly id: number;
  /** May use domctl and sysctl, and act on others. */
  readonly privileged: boolean;
  /** Bytes of the guest's `unsigned long`: the layout of its structures. */
  readonly word: 4 | 8;
  readonly vcpus: number;
  readonly memory: MachineFrames;
  /** ns of the domain's time since it was created: system time of the ABI. */
  now(): number;
  /** The frame is of the domain's reservation. */
  owns(mfn: number): boolean;
  readonly sharedInfo: number;
  /** struct vcpu_info of a virtual processor: in the shared info page unless VCPUOP_register_vcpu_info moved it. */
  vcpuInfo(vcpu: number): FramePlace;
  /** evtchn_upcall_pending was set, or a polled port became pending: the virtual processor looks, also out of SCHEDOP_block. */
  kick(vcpu: number): void;
  /** A device of ours wants `tick` at another time, or input came: the run loop asks deadlines anew. */
  deadlineMoved(): void;
  /**
   * One more user of a frame of its own, under the rules of typed pages: `writable` where it may be written through. It
   * cannot change its type or its owner before `putFrame`. HypercallError: why not.
   */
  getFrame(mfn: number, writable: boolean): void;
  putFrame(mfn: number, writable: boolean): void;
  /**
   * Sets the page-table entry that GNTTABOP_map_grant_ref names (a linear address, or with `pte` the machine address of the entry)
   * to a frame whoever owns it, or clears it (`mfn` undefined; it has to map `expected`). Counts of the frame are the caller's affair.
   * `available`: bits 11:9 of the entry, which are the guest's. Returns where the entry lies.
   */
  setMapping(where: { address: bigint; pte: boolean }, mapping: { mfn: number; writable: boolean; available?: number } | { expected: number }): FramePlace; // prettier-ignore
  /** What setMapping set is cleared, in whichever address space, if it is still there. */
  clearMapping(place: FramePlace, expected: number): void;
}

/** Who makes a hypercall, and his memory. Every access is checked with the guest's rights; EFAULT is thrown. */
export interface Caller {
  readonly domain: XenDomain;
  readonly vcpu: number;
  readBytes(gva: bigint, bytes: number): Uint8Array;
  writeBytes(gva: bigint, data: Uint8Array): void;
  read(gva: bigint, bytes: 1 | 2 | 4): number;
  read64(gva: bigint): bigint;
  write(gva: bigint, bytes: 1 | 2 | 4, value: number): void;
  write64(gva: bigint, value: bigint): void;
}

/** A family of hypercalls (event_channel_op, grant_table_op...): the result, 0 or positive, or a HypercallError. */
export type Operation = (caller: Caller, command: number, argument: bigint, count: number) => number;

/**
 * A part with state of its own. Plain data in `save`, complete; `restore` after the memory has been restored. `deadline` and
 * `tick` as devices have them (devices/bus.ts), in ns of the domain's time.
 */
export interface XenPart {
  readonly name: string;
  reset(): void;
  save(): unknown;
  restore(saved: unknown): void;
  deadline?(): number;
  tick?(): void;
  /** For people. */
  inspect?(): Record<string, number | string | boolean>;
}
