/** The domains of a session as a client is told of them: several on a host, or the one machine that there is. */
import type { DomainInfo } from '../emulator/machine/api';
import type { Debuggee } from './debuggee';
import type { CustomRequests, DomainEntry } from './protocol';
import type { RingsideSession } from './session';
import { describeStop } from './stops';

export function domainList({ party, target }: RingsideSession): CustomRequests['ringside/domains']['body'] {
  if (!party) {
    const only = { ...aloneInfo(target), threads: target.threads, ...standstill(target, target) };
    const { reserved } = only.frames;
    return { domains: [only], host: { frames: reserved, reserved }, actions: false };
  }
  const { frames } = party.domains.host;
  const domains = party.domains.list().map((info): DomainEntry => {
    const debuggee = party.debuggees.find(({ place }) => place?.id === info.id);
    return { ...info, threads: debuggee?.threads ?? [], ...standstill(debuggee, party.stoppedIn) };
  });
  return { domains, host: { frames: frames.total, reserved: frames.total - frames.unreserved }, actions: true };
}

/** `where`: the one that the session stopped in. */
function standstill(
  debuggee: Debuggee | undefined,
  where: Debuggee | undefined,
): Pick<DomainEntry, 'held' | 'stopped'> {
  if (!debuggee || debuggee.running) return {};
  return { held: true, ...(debuggee === where ? { stopped: whyStopped(debuggee) } : {}) };
}
function whyStopped(target: Debuggee): string {
  const { lastStop, machine, currentCpu } = target;
  if (lastStop === undefined) return 'before its first instruction';
  const { reason, description = reason } = describeStop(target, lastStop);
  const what = lastStop.kind === 'requested' ? '' : `${description}, `;
  return `${what}at ${target.placeName(machine.inspect.pc(currentCpu))}`;
}

const FRAME_BYTES = 4096;
function aloneInfo(target: Debuggee): DomainInfo {
  const { machine, lastStop } = target;
  const { config, virtualization, inspect, instructions } = machine;
  const frames = config.memory / FRAME_BYTES;
  const vcpus = Array.from({ length: config.cpus }, (_, cpu) => ({ cpu, halted: inspect.halted(cpu) }));
  const dead = lastStop?.kind === 'triple-fault' || lastStop?.kind === 'dead-halt';
  return {
    id: 1,
    name: 'domain 1',
    technique: virtualization?.technique ?? 'none',
    paging: virtualization?.paging ?? 'none',
    state: dead ? 'dead' : vcpus.every(({ halted }) => halted) ? 'blocked' : 'running',
    ...(dead ? { why: describeStop(target, lastStop).description ?? lastStop.kind } : {}),
    memory: config.memory,
    frames: { reserved: frames, used: frames },
    instructions,
    weight: 1,
    cap: 0,
    vcpus: vcpus.map(({ cpu, halted }) => ({ cpu, state: halted ? 'blocked' : 'runnable' })),
  };
}

/** To be called when one came, went, or changed its state other than by running. */
export function domainsChanged(session: RingsideSession): void {
  session.event('ringside/domains', { domains: domainList(session).domains });
}
