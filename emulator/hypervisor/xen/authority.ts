/** Whom an operation is about, by the number that it names: the caller itself, or another where the caller is privileged. */
import { DOMID } from './abi';
import { refuse } from './errno';
import type { XenDomain } from './ports';

/** The caller's own number where it says DOMID_SELF. */
export const domainNumber = (domain: XenDomain, domid: number): number => (domid === DOMID.SELF ? domain.id : domid);

/** Undefined: it is the caller. `refused`: in the words of whoever asks. */
export function otherDomain<T>(
  domain: XenDomain,
  domid: number,
  peer: (domid: number) => T | undefined,
  refused: (why: 'unprivileged' | 'absent', text: string) => never = asErrno,
): T | undefined {
  if (domainNumber(domain, domid) === domain.id) return undefined;
  if (!domain.privileged) refused('unprivileged', `domain ${domain.id} may not act for domain ${domid}`);
  return peer(domid) ?? refused('absent', `there is no paravirtual domain ${domid}`);
}
const asErrno = (why: 'unprivileged' | 'absent', text: string): never =>
  refuse(why === 'absent' ? 'ESRCH' : 'EPERM', text);
