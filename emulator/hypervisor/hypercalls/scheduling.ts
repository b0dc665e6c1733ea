/** sched_op (sched.h): giving the processor away, waiting, and the end of the domain. */
import { SHUTDOWN } from '../xen/abi';
import { refuse } from '../xen/errno';
import { asUint } from './call';
import type { Call } from './call';

type Operation = (call: Call, at: bigint) => void;

const MOST_POLLED = 128;
const HALTED = 1n;

const block: Operation = ({ domain, cpu, caller }) => {
  domain.maskUpcalls(caller.vcpu, false);
  if (!domain.upcallPending(caller.vcpu)) cpu.state.setSystem('activity', HALTED);
};

const poll: Operation = ({ caller, domain, cpu, vcpu, parts }, at) => {
  const ports = caller.readWord(at);
  const count = caller.read(at + BigInt(domain.word), 4);
  const timeout = caller.read64(at + BigInt(domain.word === 8 ? 16 : 8));
  if (count > MOST_POLLED) refuse('EINVAL', `${count} ports are more than can be polled, ${MOST_POLLED}`);
  const waited = Array.from({ length: count }, (_, i) => caller.read(ports + BigInt(i * 4), 4));
  if (waited.some((port) => parts.channels.isPending(port))) return;
  vcpu.poll = { ports: waited, deadlineNs: timeout === 0n ? -1 : Number(timeout) };
  cpu.state.setSystem('activity', HALTED);
  domain.deadlineMoved();
};

const shutdown: Operation = ({ caller, parts }, at) => parts.shutdown(reasonOf(caller.read(at, 4)));
const reasonOf = (number: number): (typeof SHUTDOWN)[number] =>
  SHUTDOWN[number] ?? refuse('EINVAL', `shutdown reason ${number} is not known`);

const OPERATIONS: Readonly<Record<number, { name: string; run: Operation }>> = {
  0: { name: 'yield', run: ({ parts }) => parts.giveWay() },
  1: { name: 'block', run: block },
  2: { name: 'shutdown', run: shutdown },
  3: { name: 'poll', run: poll },
  5: { name: 'shutdown_code', run: ({ caller }, at) => void reasonOf(caller.read(at, 4)) },
};
export const SCHED_COMMANDS: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(OPERATIONS).map(([number, { name }]) => [number, name]),
);

export function schedOp(call: Call): void {
  const command = asUint(call.args[0]);
  const operation = OPERATIONS[command] ?? refuse('ENOSYS', `SCHEDOP ${command} is not known`);
  operation.run(call, call.args[1]);
}
/** Before 3.1 the argument was a number itself. */
export function schedOpCompat(call: Call): void {
  const command = asUint(call.args[0]);
  if (command === 2) return call.parts.shutdown(reasonOf(asUint(call.args[1])));
  if (command > 1) refuse('ENOSYS', `the old sched_op has no command ${command}`);
  schedOp(call);
}
