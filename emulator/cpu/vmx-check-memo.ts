/**
 * Checks of VM entry whose outcome is known still. A check's outcome follows from what it read: it is made again when a bit of that
 * has changed since it last passed, or where it looked at memory beside the VMCS. What counts is what the region holds at entry,
 * however it came there.
 */
import type { VmcsFieldName } from '../x86/vmcs';
import { FIELD_WORDS, Vmcs, wordOf } from './vmcs-region';
import type { EntryCheck, HostMode } from './vmx-checks';

/** Says of each read which bits it was about. */
class ReadVmcs extends Vmcs {
  /** Words and masks by turns. */
  readonly reads: number[] = [];

  override read(field: VmcsFieldName): bigint {
    this.reads.push(wordOf(field), -1, wordOf(field) + 1, -1);
    return super.read(field);
  }
  override read32(field: VmcsFieldName): number {
    this.reads.push(wordOf(field), -1);
    return super.read32(field);
  }
  override has(field: VmcsFieldName, number: number): boolean {
    this.reads.push(wordOf(field), 1 << number);
    return (super.read32(field) & (1 << number)) !== 0;
  }
}

export class CheckMemo {
  private readonly known = new Int32Array(FIELD_WORDS);
  /** To be made, by number. */
  private readonly open: Uint8Array;
  /** They look at memory. */
  private readonly peeks: Uint8Array;
  /** What each read when it was last made. */
  private readonly reads: (readonly number[])[];
  /** By word: checks and masks by turns. */
  private readonly readers: number[][] = Array.from({ length: FIELD_WORDS }, () => []);
  private readonly watched: ReadVmcs;
  private any = true;
  private cr4 = 0;
  private wide = false;

  constructor(
    vmcs: Vmcs,
    private readonly checks: readonly EntryCheck[],
  ) {
    this.watched = new ReadVmcs(vmcs.memory, vmcs.gpa);
    this.open = new Uint8Array(checks.length).fill(1);
    this.peeks = new Uint8Array(checks.length);
    this.reads = checks.map(() => []);
  }

  /** The number of the first check that fails, or -1. */
  failed(host: HostMode): number {
    const { open } = this;
    if (host.cr4 !== this.cr4 || host.wide !== this.wide) {
      open.fill(1);
      this.any = true;
      ({ cr4: this.cr4, wide: this.wide } = host);
    }
    this.watched.compare(this.known, this.changed);
    if (!this.any) return -1;
    let left = false;
    for (let i = 0; i < open.length; i++) {
      if (!open[i]) continue;
      if (this.fails(i, host)) return i;
      open[i] = this.peeks[i];
      left ||= open[i] !== 0;
    }
    this.any = left;
    return -1;
  }
  private readonly changed = (word: number, bits: number): void => {
    const readers = this.readers[word];
    for (let i = 0; i < readers.length; i += 2)
      if (readers[i + 1] & bits) {
        this.open[readers[i]] = 1;
        this.any = true;
      }
  };
  private fails(i: number, host: HostMode): boolean {
    const { reads } = this.watched;
    reads.length = 0;
    let peeked = false;
    const peek = (gpa: number): bigint => ((peeked = true), host.peek(gpa));
    const fails = this.checks[i].fails(this.watched, { cr4: host.cr4, wide: host.wide, peek });
    this.peeks[i] = peeked ? 1 : 0;
    this.note(i, reads);
    return fails;
  }
  private note(check: number, reads: readonly number[]): void {
    const old = this.reads[check];
    if (old.length === reads.length && old.every((each, i) => each === reads[i])) return;
    for (let i = 0; i < old.length; i += 2) {
      const readers = this.readers[old[i]];
      for (let k = readers.length - 2; k >= 0; k -= 2) if (readers[k] === check) readers.splice(k, 2);
    }
    for (let i = 0; i < reads.length; i += 2) this.readers[reads[i]].push(check, reads[i + 1]);
    this.reads[check] = [...reads];
  }
}
