/** memory_op (memory.h): the domain's reservation, which is static: what it gives back it can have again, and no more. */
import { RESERVED } from '../xen/abi';
import { otherDomain } from '../xen/authority';
import type { PvDomain } from '../xen/domain';
import { refuse } from '../xen/errno';
import { asUint } from './call';
import type { Call } from './call';

const MOST_EXTENTS = 0x1_0000n;

/** Only a privileged domain asks for others. */
const named = ({ domain, parts }: Call, domid: number): PvDomain =>
  otherDomain(domain, domid, (id) => parts.peer(id)?.domain) ?? domain;
/** The argument is the number of a domain alone. */
const about =
  (tell: (domain: PvDomain) => number): Operation =>
  (call, at) =>
    tell(named(call, call.caller.read(at, 2)));

/** struct xen_memory_reservation. */
function reservation(call: Call, at: bigint): { start: bigint; count: number; order: number; of: PvDomain } {
  const { caller, domain } = call;
  const w = BigInt(domain.word);
  const extents = caller.readWord(at + w);
  const of = named(call, caller.read(at + 2n * w + 8n, 2));
  if (extents > MOST_EXTENTS) refuse('E2BIG', `${extents} extents at once are more than ${MOST_EXTENTS}`);
  return { start: caller.readWord(at), count: Number(extents), order: caller.read(at + 2n * w, 4), of };
} // prettier-ignore

/** How many were done. A frame that is in use goes when its last user does. */
function decrease(call: Call, at: bigint): number {
  const { start, count, order, of } = reservation(call, at);
  const { caller, domain } = call;
  if (order !== 0) refuse('EINVAL', 'memory is given back a frame at a time');
  for (let i = 0; i < count; i++) {
    const mfn = Number(caller.readWord(start + BigInt(i * domain.word)));
    if (!of.isReturnable(mfn)) return i;
    of.pages.disown(mfn);
  }
  return count;
} // prettier-ignore
function populate(call: Call, at: bigint): number {
  const { start, count, order, of } = reservation(call, at);
  const { caller, domain } = call;
  if (order !== 0) refuse('EINVAL', 'memory is given a frame at a time');
  for (let i = 0; i < count; i++) {
    const mfn = owned(of) < of.mostFrames ? of.free.pop() : undefined;
    if (mfn === undefined) return i;
    const place = start + BigInt(i * domain.word);
    const pfn = caller.readWord(place);
    of.pages.own(mfn);
    of.memory.clear(mfn);
    of.space.setGuestFrame(mfn, pfn);
    caller.writeWord(place, BigInt(mfn));
  }
  return count;
}

const owned = ({ frameCount, free }: PvDomain): number => frameCount - free.length;

/** struct e820entry, 20 bytes, packed: all of it RAM from 0 on. */
function memoryMap(call: Call, at: bigint): void {
  const { caller, domain } = call;
  const buffer = caller.readWord(at + BigInt(domain.word));
  if (caller.read(at, 4) < 1) refuse('EINVAL', 'the buffer has no room for a map of one entry');
  caller.write64(buffer, 0n);
  caller.write64(buffer + 8n, BigInt(domain.frameCount) << 12n);
  caller.write(buffer + 16n, 4, 1);
  caller.write(at, 4, 1);
}
/** struct xen_machphys_mapping. */
function machphysMapping({ caller, domain }: Call, at: bigint): void {
  const w = BigInt(domain.word);
  const { start, m2pEnd } = RESERVED[domain.word];
  caller.writeWord(at, start);
  caller.writeWord(at + w, m2pEnd);
  caller.writeWord(at + 2n * w, BigInt(domain.memory.frames - 1));
}

type Operation = (call: Call, at: bigint) => number | bigint | void;
const OPERATIONS: Readonly<Record<number, { name: string; run: Operation }>> = {
  0: { name: 'increase_reservation', run: populate },
  1: { name: 'decrease_reservation', run: decrease },
  2: { name: 'maximum_ram_page', run: ({ domain }) => domain.memory.frames - 1 },
  3: { name: 'current_reservation', run: about(owned) },
  4: { name: 'maximum_reservation', run: about(({ frameCount, mostFrames }) => Math.min(frameCount, mostFrames)) },
  6: { name: 'populate_physmap', run: populate },
  9: { name: 'memory_map', run: memoryMap },
  12: { name: 'machphys_mapping', run: machphysMapping },
  14: { name: 'maximum_gpfn', run: about(({ frameCount }) => frameCount - 1) },
};
export const MEMORY_COMMANDS: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(OPERATIONS).map(([number, { name }]) => [number, name]),
);

export function memoryOp(call: Call): number | bigint {
  // The bits above are where Xen goes on after a preemption.
  const command = asUint(call.args[0]) & 0x3f;
  const operation = OPERATIONS[command] ?? refuse('ENOSYS', `XENMEM ${command} is not known`);
  return operation.run(call, call.args[1]) ?? 0;
}
