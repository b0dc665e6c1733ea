/** GNTTABOP_copy: between two pages, each named by a grant, or by its frame where it is the domain's own. */
import { PAGE_BYTES } from '../../../mmu/physical-memory';
import { HypercallError } from '../ports';
import type { XenDomain } from '../ports';
import { deny } from './status';
import type { GrantTable } from './table';

export interface CopyEnd {
  /** A grant of `domain`, or a frame (domain: its own). */
  grant: boolean;
  number: number;
  domain: number;
  offset: number;
}

/** `own`: the domain itself, by the number that it used or as DOMID_SELF. GrantError: why not. */
export function copyGrant(domain: XenDomain, tableOf: (domid: number) => GrantTable | undefined, own: (domid: number) => boolean, source: CopyEnd, target: CopyEnd, bytes: number): void {
  if (source.offset + bytes > PAGE_BYTES || target.offset + bytes > PAGE_BYTES) deny('bad_copy_arg', `${bytes} bytes from offset ${source.offset} to ${target.offset} cross a page's end`);
  const open = (end: CopyEnd, writable: boolean): { mfn: number; release: () => void } => {
    if (!end.grant) return ownFrame(domain, end, writable, own);
    const id = own(end.domain) ? domain.id : end.domain;
    const table = tableOf(id) ?? deny('bad_domain', `there is no domain ${id}`);
    const use = table.acquire(end.number, { domain: domain.id, how: 'copy', writable }, true);
    if (end.offset >= use.offset && end.offset + bytes <= use.offset + use.length) return use;
    use.release();
    deny('general_error', `grant ${end.number} is of bytes ${use.offset} to ${use.offset + use.length - 1}`);
  };
  const from = open(source, false);
  try {
    const to = open(target, true);
    domain.memory.writeBytes(to.mfn, target.offset, domain.memory.readBytes(from.mfn, source.offset, bytes));
    to.release();
  } finally {
    from.release();
  }
} // prettier-ignore

function ownFrame(domain: XenDomain, end: CopyEnd, writable: boolean, own: (domid: number) => boolean): { mfn: number; release: () => void } {
  if (!own(end.domain)) deny('permission_denied', `frame ${end.number} of domain ${end.domain} is named without a grant`);
  try {
    domain.getFrame(end.number, writable);
  } catch (error) {
    if (error instanceof HypercallError) deny('bad_page', error.message);
    throw error;
  }
  return { mfn: end.number, release: () => domain.putFrame(end.number, writable) };
} // prettier-ignore
