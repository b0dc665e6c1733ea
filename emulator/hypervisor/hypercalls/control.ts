/**
 * domctl and sysctl (domctl.h, sysctl.h), for domain 0: other domains' lives. Reservations are static: a domain that is created has
 * its share of the host from then on, which XENMEM_populate_physmap gives it frame by frame; what builds it from there on is in build.ts.
 */
import { PAGE_BYTES } from '../../mmu/physical-memory';
import { UserError } from '../../util/assert';
import type { DomainControl, DomainInfo, DomainState } from '../domain';
import { SHUTDOWN } from '../xen/abi';
import type { PvDomain } from '../xen/domain';
import { refuse } from '../xen/errno';
import { BUILDING } from './build';
import type { Call } from './call';

/** Of both, in Xen 4.17: other versions have other structures. */
const INTERFACE_VERSION = 0x15;
const MOST_VCPUS = 8;
const NEW_DOMAIN_BYTES = 2 << 20;
const CREATE_HVM = 1;
/** Where the operation's own structure begins. */
const DOMCTL_AT = 16n;
const SYSCTL_AT = 8n;
/** XEN_DOMINF_*. */
const FLAGS: Record<DomainState, number> = {
  running: 1 << 5,
  runnable: 1 << 5,
  blocked: 1 << 4,
  paused: 1 << 3,
  dead: 1 << 2,
};
const SHUTDOWN_SHIFT = 16;

export type Operation = (call: Call, control: DomainControl, at: bigint) => void;

const DOMCTL: Readonly<Record<number, { name: string; run: Operation }>> = {
  1: { name: 'createdomain', run: createDomain },
  2: { name: 'destroydomain', run: (call, control, at) => onOther(call, at, (id) => control.destroy(id)) },
  3: { name: 'pausedomain', run: (call, control, at) => onOther(call, at, (id) => control.pause(id)) },
  4: { name: 'unpausedomain', run: (call, control, at) => onOther(call, at, (id) => control.resume(id)) },
  5: { name: 'getdomaininfo', run: domainInfo },
  ...BUILDING,
}; // prettier-ignore
const SYSCTL: Readonly<Record<number, { name: string; run: Operation }>> = {
  3: { name: 'physinfo', run: physicalInfo },
};

export const domctl = (call: Call): void => operate(call, 'domctl', DOMCTL);
export const sysctl = (call: Call): void => operate(call, 'sysctl', SYSCTL);

function operate(call: Call, name: string, operations: typeof DOMCTL): void {
  const { caller, args, domain } = call;
  const [command, version] = [caller.read(args[0], 4), caller.read(args[0] + 4n, 4)];
  if (version !== INTERFACE_VERSION) refuse('EACCES', `${name} has interface version 0x${INTERFACE_VERSION.toString(16)}, not 0x${version.toString(16)}`); // prettier-ignore
  const operation = operations[command] ?? refuse('ENOSYS', `${name} ${command} is not implemented`);
  const control = domain.host.domains ?? refuse('ENOSYS', 'nobody manages domains on this host');
  try {
    operation.run(call, control, args[0]);
  } catch (error) {
    if (error instanceof UserError) refuse('ENOMEM', error.message);
    throw error;
  }
}

function onOther({ caller, domain }: Call, at: bigint, act: (id: number) => void): void {
  const id = caller.read(at + 8n, 2);
  if (id === domain.id) refuse('EINVAL', 'a domain does not do this to itself');
  try {
    act(id);
  } catch (error) {
    if (error instanceof UserError) refuse('ESRCH', error.message);
    throw error;
  }
}

function createDomain({ caller }: Call, control: DomainControl, at: bigint): void {
  const flags = caller.read(at + DOMCTL_AT + 20n, 4);
  const cpus = caller.read(at + DOMCTL_AT + 28n, 4);
  if (flags & CREATE_HVM) refuse('EINVAL', 'domain 0 creates paravirtualised domains only');
  if (cpus === 0 || cpus > MOST_VCPUS) refuse('EINVAL', `${cpus} virtual processors; 1 to ${MOST_VCPUS}`);
  const names = new Set(control.list().map(({ name }) => name));
  let number = 1;
  while (names.has(`created ${number}`)) number++;
  const { id } = control.createEmpty({ name: `created ${number}`, memory: NEW_DOMAIN_BYTES, cpus, technique: 'paravirtual' });
  caller.write(at + 8n, 2, id);
} // prettier-ignore

/** Of the domain with this number, or the next after it. */
function domainInfo({ caller, parts }: Call, control: DomainControl, at: bigint): void {
  const from = caller.read(at + 8n, 2);
  const [info] = control.list().filter(({ id }) => id >= from).sort((a, b) => a.id - b.id) as [DomainInfo?]; // prettier-ignore
  if (!info) refuse('ESRCH', `there is no domain ${from} or after it`);
  const place = at + DOMCTL_AT;
  const known = parts.peer(info.id)?.domain;
  const [pages, most] = known
    ? [known.frameCount - known.free.length, Math.min(known.mostFrames, known.frameCount)]
    : [info.memory / PAGE_BYTES, info.memory / PAGE_BYTES];
  caller.write(at + 8n, 2, info.id);
  caller.write(place, 2, info.id);
  caller.write(place + 4n, 4, flagsOf(info, known));
  caller.write64(place + 8n, BigInt(pages));
  caller.write64(place + 16n, BigInt(most));
  for (let offset = 24n; offset < 48n; offset += 8n) caller.write64(place + offset, 0n);
  caller.write64(place + 48n, BigInt(known?.sharedInfo ?? 0));
  caller.write64(place + 56n, BigInt(info.instructions));
  caller.write(place + 64n, 4, info.vcpus.length);
  caller.write(place + 68n, 4, info.vcpus.length - 1);
}

/** With the reason for which it shut itself down. */
function flagsOf({ state }: DomainInfo, known: PvDomain | undefined): number {
  const code = known?.ended === undefined ? 0 : SHUTDOWN.indexOf(known.ended);
  return FLAGS[state] | (code << SHUTDOWN_SHIFT);
}

function physicalInfo({ caller, domain }: Call, _control: DomainControl, at: bigint): void {
  const { frames, physical } = domain.host;
  const place = at + SYSCTL_AT;
  for (const [index, value] of [1, 1, 1, 0, 1, 0, 0, 0, 0, 0].entries()) caller.write(place + BigInt(4 * index), 4, value);
  caller.write64(place + 40n, BigInt(physical.size / PAGE_BYTES));
  caller.write64(place + 48n, BigInt(frames.unreserved));
} // prettier-ignore
