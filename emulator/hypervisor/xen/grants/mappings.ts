/** Others' pages that a domain has mapped by their grants: GNTTABOP_map_grant_ref and its end. */
import { HypercallError } from '../ports';
import type { FramePlace, XenDomain } from '../ports';
import { deny } from './status';
import type { GrantTable, Use } from './table';

export const GNTMAP = { DEVICE: 1, HOST: 2, READONLY: 4, CONTAINS_PTE: 16 } as const;
/** GNTMAP_guest_avail_mask: bits for the guest's own use in the entry that maps. */
const AVAILABLE_SHIFT = 16;
/** Handles of a domain: what it takes here is the host's memory. */
const MAX_HANDLES = 8192;
const MAPPING = 'mapping';

export interface MapRequest {
  /** Linear address, or machine address of a page-table entry. */
  address: bigint;
  flags: number;
  ref: number;
  /** Whose grant. */
  domain: number;
}
interface Mapping {
  handle: number;
  domain: number;
  ref: number;
  flags: number;
  mfn: number;
  /** The entry that maps it; null: none does. */
  entry: FramePlace | null;
}

export class GrantMappings {
  private readonly mappings = new Map<number, Mapping>();

  constructor(
    private readonly domain: XenDomain,
    private readonly tableOf: (domid: number) => GrantTable | undefined,
  ) {}

  private use(flags: number): Use {
    return { domain: this.domain.id, how: MAPPING, writable: (flags & GNTMAP.READONLY) === 0 };
  }

  /** GrantError: why not; nothing is changed then. */
  map({ address, flags, ref, domain }: MapRequest): { handle: number; mfn: number } {
    if ((flags & (GNTMAP.DEVICE | GNTMAP.HOST)) === 0) deny('bad_gntref', 'neither a host nor a device mapping is asked for');
    const table = this.tableOf(domain) ?? deny('bad_domain', `there is no domain ${domain}`);
    let handle = 0;
    while (this.mappings.has(handle)) handle++;
    if (handle >= MAX_HANDLES) deny('no_space', `domain ${this.domain.id} has ${MAX_HANDLES} grants mapped`);
    const use = this.use(flags);
    const { mfn, release } = table.acquire(ref, use);
    let entry: FramePlace | null = null;
    try {
      if (flags & GNTMAP.HOST) entry = this.domain.setMapping(place(address, flags), { mfn, writable: use.writable, available: (flags >>> AVAILABLE_SHIFT) & 7 });
    } catch (error) {
      release();
      if (error instanceof HypercallError) deny('bad_virt_addr', error.message);
      throw error;
    }
    this.mappings.set(handle, { handle, domain, ref, flags, mfn, entry });
    return { handle, mfn };
  } // prettier-ignore

  /** Addresses 0 leave that side of the mapping. */
  unmap({ handle, address, deviceAddress }: { handle: number; address: bigint; deviceAddress: bigint }): void {
    const mapping =
      this.mappings.get(handle) ?? deny('bad_handle', `domain ${this.domain.id} has no mapping ${handle}`);
    let { flags } = mapping;
    if (deviceAddress !== 0n && flags & GNTMAP.DEVICE) {
      if (deviceAddress !== BigInt(mapping.mfn) * 4096n) deny('bad_dev_addr', `mapping ${handle} is of frame ${mapping.mfn}`); // prettier-ignore
      flags &= ~GNTMAP.DEVICE;
    }
    if (address !== 0n && flags & GNTMAP.HOST) {
      try {
        this.domain.setMapping(place(address, flags), { expected: mapping.mfn });
      } catch (error) {
        if (error instanceof HypercallError) deny('bad_virt_addr', error.message);
        throw error;
      }
      flags &= ~GNTMAP.HOST;
      mapping.entry = null;
    }
    mapping.flags = flags;
    if ((flags & (GNTMAP.DEVICE | GNTMAP.HOST)) === 0) this.forget(mapping);
  }
  private forget({ handle, domain, ref, flags }: Mapping): void {
    this.mappings.delete(handle);
    this.tableOf(domain)!.release(ref, this.use(flags));
  }

  /** Another domain ends: its pages are here no longer, and whoever touches them faults. */
  revoke(domid: number): void {
    for (const mapping of this.list) {
      if (mapping.domain !== domid) continue;
      if (mapping.entry) this.domain.clearMapping(mapping.entry, mapping.mfn);
      this.forget(mapping);
    }
  }
  /** The domain ends, its page tables with it: what it held is free. */
  dissolve(): void {
    for (const mapping of [...this.mappings.values()]) this.forget(mapping);
  }
  inspect(): { handle: number; domain: number; ref: number; frame: number; writable: boolean }[] {
    return this.list.map(({ handle, domain, ref, mfn, flags }) => ({ handle, domain, ref, frame: mfn, writable: (flags & GNTMAP.READONLY) === 0 })); // prettier-ignore
  }
  private get list(): Mapping[] {
    return [...this.mappings.values()].sort((a, b) => a.handle - b.handle);
  }
  save(): Mapping[] {
    return this.list.map((mapping) => ({ ...mapping, entry: mapping.entry && { ...mapping.entry } }));
  }
  restore(saved: Mapping[]): void {
    this.mappings.clear();
    for (const mapping of saved)
      this.mappings.set(mapping.handle, { ...mapping, entry: mapping.entry && { ...mapping.entry } });
  }
}

const place = (address: bigint, flags: number): { address: bigint; pte: boolean } => ({
  address,
  pte: (flags & GNTMAP.CONTAINS_PTE) !== 0,
});
