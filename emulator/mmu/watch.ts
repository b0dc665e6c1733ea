/**
 * Linear addresses whose accesses somebody wants to see: the user's watchpoints, and the guest's debug registers.
 * A page that holds one enters no TLB, so that every access to it comes by the slow path, which asks here.
 */

export interface Watch {
  gva: bigint;
  bytes: number;
  read: boolean;
  write: boolean;
  /** Called after the access. `old` and `now` are equal for reads; of the bytes accessed, not of those watched. */
  hit(gva: bigint, bytes: number, write: boolean, old: bigint, now: bigint): void;
}

export class WatchList {
  private readonly sets = new Map<string, readonly Watch[]>();
  private all: readonly Watch[] = [];
  private pages = new Set<bigint>();
  /** Anything watched at all: the only test while nothing is. */
  active = false;

  /** `owner` is who watches; each call replaces what it watched before. The caller flushes the TLB. */
  set(owner: string, watches: readonly Watch[]): void {
    this.sets.set(owner, watches);
    this.all = [...this.sets.values()].flat();
    this.pages = new Set();
    for (const w of this.all)
      for (let page = w.gva >> 12n; page <= (w.gva + BigInt(w.bytes) - 1n) >> 12n; page++) this.pages.add(page);
    this.active = this.all.length > 0;
  }

  page(lo: number, hi: number): boolean {
    return this.pages.has((BigInt(hi >>> 0) << 20n) | BigInt(lo >>> 12));
  }

  report(gva: bigint, bytes: number, write: boolean, old: bigint, now: bigint): void {
    for (const w of this.all)
      if ((write ? w.write : w.read) && gva < w.gva + BigInt(w.bytes) && w.gva < gva + BigInt(bytes))
        w.hit(gva, bytes, write, old, now);
  }
}
