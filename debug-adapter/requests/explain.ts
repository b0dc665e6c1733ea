/** ringside/status, ringside/explainStop: what the guest is doing, in a line; why it stands, at length. */
import type { Stop } from '../../emulator/machine/api';
import { integer, maybeObject, optional } from '../arguments';
import type { CustomRequests } from '../protocol';
import type { Advice } from '../stop-advice';
import { describeStop } from '../stops';
import { stopInfo } from './exceptions';
import { cpuOf, handler } from './handler';

const ARGUMENTS = maybeObject({ cpu: optional(integer(0)) });

/** Answered while the guest runs, too: nothing is read but a few numbers, between two slices. */
export const status = handler(ARGUMENTS, (session, { cpu: wanted }): CustomRequests['ringside/status']['body'] => {
  const { target } = session;
  const { machine, running } = target;
  const cpu = cpuOf(target, wanted);
  const { inspect, instructions, virtualization } = machine;
  const mode = inspect.mode(cpu);
  const cs = inspect.registers(cpu).get('cs') ?? 0n;
  return {
    technique: virtualization?.technique ?? 'none',
    paging: virtualization?.paging ?? 'none',
    mode,
    // Real mode has no rings, and virtual-8086 mode is always in ring 3 (SDM vol. 3B, "Virtual-8086 Mode").
    ring: mode === 'real' ? 0 : mode === 'virtual-8086' ? 3 : Number(cs & 3n),
    instructions,
    running,
    cpu,
    cpus: machine.config.cpus,
    ...(target.place ? { domain: target.place.name } : {}),
  };
});

type Body = CustomRequests['ringside/explainStop']['body'];

export const explainStop = handler(maybeObject({}), (session): Body => {
  const target = session.stopped;
  const stop = target.lastStop;
  if (stop === undefined) return { title: 'Not started', what: 'The guest has not run yet.', next: [] };
  const info = stopInfo(target, stop);
  const { reason, description = `Paused on ${reason}`, text } = describeStop(target, stop);
  const here = `${description}, at ${target.placeName(target.machine.inspect.pc(target.currentCpu))}`;
  const [what, ...details] = (info?.explanation ?? (text ? `${here}: ${text}` : here)).split('\n');
  const { why, next, manual }: Partial<Advice> = info?.advice ?? {};
  const address = addressOf(stop);
  return {
    title: info?.exceptionId ?? description,
    what: what!,
    ...(details.length > 0 ? { details: details.join('\n') } : {}),
    ...(why === undefined ? {} : { why }),
    next: next?.map((each) => ({ ...each })) ?? nextOf(stop),
    ...(manual === undefined ? {} : { manual }),
    ...(address === undefined ? {} : { address }),
  };
});

/** Stops that explain themselves. */
function nextOf({ kind }: Stop): Body['next'] {
  const stack: Body['next'][number] = { text: 'who called', view: 'callStack' };
  if (kind === 'watchpoint') return [{ text: 'the instruction before this one made the access', view: 'disassembly' }, stack];
  if (kind === 'dead-halt' || kind === 'idle') return [stack, { text: 'which interrupts could wake it', view: 'structures' }];
  return [stack];
} // prettier-ignore

/** What the walk in the page-table view is to begin with. */
function addressOf(stop: Stop): string | undefined {
  const hex = (value: bigint | number): string => `0x${value.toString(16)}`;
  if (stop.kind === 'watchpoint') return `gv:${hex(stop.gva)}`;
  if (stop.kind === 'trap') return stop.event.address === undefined ? undefined : `gv:${hex(stop.event.address)}`;
  if (stop.kind !== 'vm-exit') return undefined;
  const { gpa, address } = stop.exit;
  return address !== undefined ? `gv:${hex(address)}` : gpa === undefined ? undefined : `gp:${hex(gpa)}`;
}
