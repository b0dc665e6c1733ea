/**
 * Addresses whose accesses somebody wants to see: the user's watchpoints, and the guest's debug registers. Linear ones, or
 * places in RAM whatever address leads there. A page that holds one enters no TLB, so that every access to it comes by the
 * slow path, which asks here.
 */

export interface Watch {
  /** One of the two: a linear address, or an address in the linear memory. */
  gva?: bigint;
  host?: number;
  bytes: number;
  read: boolean;
  write: boolean;
  /** Called after the access. `old` and `now` are equal for reads; of the bytes accessed, not of those watched. */
  hit(gva: bigint, bytes: number, write: boolean, old: bigint, now: bigint): void;
}
/** The bytes of an access that lie in one page; -1: not in RAM. */
export interface Part {
  host: number;
  bytes: number;
}

export class WatchList {
  private readonly sets = new Map<string, readonly Watch[]>();
  private all: readonly Watch[] = [];
  private pages = new Set<bigint>();
  private hostPages = new Set<number>();
  /** Anything watched at all: the only test while nothing is. */
  active = false;

  /** `owner` is who watches; each call replaces what it watched before. The caller flushes the TLB. */
  set(owner: string, watches: readonly Watch[]): void {
    this.sets.set(owner, watches);
    this.all = [...this.sets.values()].flat();
    this.pages = new Set();
    this.hostPages = new Set();
    for (const { gva, host, bytes } of this.all) {
      if (gva !== undefined)
        for (let page = gva >> 12n; page <= (gva + BigInt(bytes) - 1n) >> 12n; page++) this.pages.add(page);
      if (host !== undefined)
        for (let page = host >>> 12; page <= (host + bytes - 1) >>> 12; page++) this.hostPages.add(page);
    }
    this.active = this.all.length > 0;
  }

  /** `host`: where in the linear memory the page is; -1: nowhere. */
  page(lo: number, hi: number, host: number): boolean {
    if (host >= 0 && this.hostPages.size > 0 && this.hostPages.has(host >>> 12)) return true;
    return this.pages.has((BigInt(hi >>> 0) << 20n) | BigInt(lo >>> 12));
  }

  report(gva: bigint, bytes: number, write: boolean, old: bigint, now: bigint, parts: readonly Part[]): void {
    for (const w of this.all) if ((write ? w.write : w.read) && meets(w, gva, bytes, parts)) w.hit(gva, bytes, write, old, now);
  } // prettier-ignore
}

const meets = (watch: Watch, gva: bigint, bytes: number, parts: readonly Part[]): boolean =>
  watch.gva === undefined
    ? parts.some(
        ({ host, bytes: length }) => host >= 0 && host < watch.host! + watch.bytes && watch.host! < host + length,
      )
    : gva < watch.gva + BigInt(watch.bytes) && watch.gva < gva + BigInt(bytes);
