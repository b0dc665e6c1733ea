/** A paravirtualised kernel as its file describes it: what the loader read (machine/loaders/xen-image.ts), for the domain builder. */

export interface PvImage {
  /** For messages. */
  name: string;
  word: 4 | 8;
  guestOs: string;
  /** Linear address of the guest's first page frame. */
  virtBase: bigint;
  entry: bigint;
  /** Where it wants the hypercall page; undefined: it makes its own calls. */
  hypercallPage?: bigint;
  /** Where it wants the list of its frames, if not behind itself. */
  p2mBase?: bigint;
  /** It takes modules by frame, not mapped. */
  unmappedModule: boolean;
  segments: readonly { gva: bigint; bytes: Uint8Array; memoryBytes: number }[];
}
