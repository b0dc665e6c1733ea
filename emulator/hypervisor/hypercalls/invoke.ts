/** One hypercall: looked up, checked, done; its result as the guest sees it, and why it was refused, for people. */
import { ERRNO } from '../xen/errno';
import { HypercallError } from '../xen/ports';
import { asUint } from './call';
import type { Call, HypercallRow } from './call';
import { HYPERCALLS } from './table';

export interface Outcome {
  /** Undefined: the handler has set the registers. */
  result?: bigint;
  /** Why it was refused. */
  refusal?: string;
}

/** As the history of frames names it: with its command, where a register says which. */
function nameOf({ name, commands }: HypercallRow, { args }: Call): string {
  const command = commands?.[asUint(args[0])];
  return command === undefined ? name : `${name} (${command})`;
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
    const result = call.domain.history.during(nameOf(row, call), () => row.handler!(call));
    return result === 'set' ? {} : { result: BigInt(result ?? 0) };
  } catch (refused) {
    if (!(refused instanceof HypercallError)) throw refused;
    return { result: BigInt(-refused.errno), refusal: refused.message };
  }
} // prettier-ignore
