/** One hypercall: looked up, checked, done; its result as the guest sees it, and why it was refused, for people. */
import { ERRNO } from '../xen/errno';
import { HypercallError } from '../xen/ports';
import type { Call } from './call';
import { HYPERCALLS } from './table';

export interface Outcome {
  /** Undefined: the handler has set the registers. */
  result?: bigint;
  /** Why it was refused. */
  refusal?: string;
}

export function invoke(number: number, call: Call): Outcome {
  const row = HYPERCALLS[number];
  if (!row?.handler) {
    const privileged = row?.privileged && !call.domain.privileged;
    if (!privileged) call.parts.report(`the hypercall ${row?.name ?? number}`);
    return { result: BigInt(privileged ? -ERRNO.EPERM : -ERRNO.ENOSYS), refusal: privileged ? 'it is domain 0\'s' : 'it is not implemented' };
  }
  if (row.privileged && !call.domain.privileged) return { result: BigInt(-ERRNO.EPERM), refusal: 'it is domain 0\'s' };
  try {
    const result = row.handler(call);
    return result === 'set' ? {} : { result: BigInt(result ?? 0) };
  } catch (refused) {
    if (!(refused instanceof HypercallError)) throw refused;
    return { result: BigInt(-refused.errno), refusal: refused.message };
  }
} // prettier-ignore
