/**
 * multicall: a batch of hypercalls, each with its result beside it. struct multicall_entry: op, result, six arguments, all words. A
 * batch in a batch is refused alone, as Xen does it, and iret leaves the rest undone.
 */
import { ERRNO, refuse } from '../xen/errno';
import { asUint } from './call';
import type { Call } from './call';
import { invoke } from './invoke';
import type { Outcome } from './invoke';

const MOST = 0x1000;
const ARGUMENTS = 6;
const MULTICALL = 13;
const NESTED: Outcome = { result: BigInt(-ERRNO.EINVAL), refusal: 'a batch holds no other one' };

export function multicall(call: Call): void | 'set' {
  const { args, caller, domain } = call;
  const count = asUint(args[1]);
  if (count > MOST) refuse('E2BIG', `${count} calls at once are more than ${MOST}`);
  const w = BigInt(domain.word);
  for (let i = 0; i < count; i++) {
    const at = args[0] + BigInt(i * (2 + ARGUMENTS)) * w;
    const number = asUint(caller.readWord(at));
    const inner = Array.from({ length: ARGUMENTS }, (_, n) => caller.readWord(at + w * BigInt(2 + n)));
    const { result, refusal } = number === MULTICALL ? NESTED : invoke(number, { ...call, args: inner });
    call.parts.noteBatched({ number, args: inner, ...(result === undefined ? {} : { result }), ...(refusal === undefined ? {} : { refusal }) }); // prettier-ignore
    // Registers are as the guest goes on with them.
    if (result === undefined) return 'set';
    caller.writeWord(at + w, BigInt.asUintN(domain.word * 8, result));
  }
}
