/** event_channel_op: the structures of event_channel.h, alike for guests of both widths, to calls of EventChannels and back. */
import { refuse } from '../errno';
import type { Caller } from '../ports';
import type { EventChannels } from './channels';

type Handler = (channels: EventChannels, caller: Caller, at: bigint) => void;

interface Row {
  name: string;
  run: Handler;
}

/** Index is EVTCHNOP_*. A field's number is its offset. */
const OPERATIONS: readonly Row[] = [
  {
    name: 'bind_interdomain',
    run: (channels, caller, at) =>
      caller.write(at + 8n, 4, channels.bindInterdomain(caller.read(at, 2), caller.read(at + 4n, 4))),
  },
  {
    name: 'bind_virq',
    run: (channels, caller, at) =>
      caller.write(at + 8n, 4, channels.bindVirq(caller.read(at, 4), caller.read(at + 4n, 4))),
  },
  { name: 'bind_pirq', run: (channels, caller, at) => channels.bindPirq(caller.read(at, 4)) },
  { name: 'close', run: (channels, caller, at) => channels.close(caller.read(at, 4)) },
  { name: 'send', run: (channels, caller, at) => channels.send(caller.read(at, 4)) },
  { name: 'status', run: status },
  {
    name: 'alloc_unbound',
    run: (channels, caller, at) =>
      caller.write(at + 4n, 4, channels.allocUnbound(caller.read(at, 2), caller.read(at + 2n, 2))),
  },
  {
    name: 'bind_ipi',
    run: (channels, caller, at) => caller.write(at + 4n, 4, channels.bindIpi(caller.read(at, 4))),
  },
  {
    name: 'bind_vcpu',
    run: (channels, caller, at) => channels.bindVcpu(caller.read(at, 4), caller.read(at + 4n, 4)),
  },
  { name: 'unmask', run: (channels, caller, at) => channels.unmask(caller.read(at, 4)) },
  { name: 'reset', run: (channels, caller, at) => channels.reset(caller.read(at, 2)) },
  { name: 'init_control', run: initControl },
  { name: 'expand_array', run: (channels, caller, at) => channels.expandArray(frameAt(caller, at)) },
  {
    name: 'set_priority',
    run: (channels, caller, at) => channels.setPriority(caller.read(at, 4), caller.read(at + 4n, 4)),
  },
];

/** For the trace. */
export const eventOperationName = (command: number): string | undefined => OPERATIONS[command]?.name;

/** HypercallError: refused, and why. */
export function eventChannelOp(channels: EventChannels, caller: Caller, command: number, argument: bigint): number {
  const operation = OPERATIONS[command] ?? refuse('ENOSYS', `EVTCHNOP ${command} is not defined`);
  operation.run(channels, caller, argument);
  return 0;
}

/** The form before 3.2: the number of the operation is the first word of the structure. */
export function eventChannelOpCompat(channels: EventChannels, caller: Caller, argument: bigint): number {
  return eventChannelOp(channels, caller, caller.read(argument, 4), argument + 4n);
}

function status(channels: EventChannels, caller: Caller, at: bigint): void {
  const found = channels.status(caller.read(at, 2), caller.read(at + 4n, 4));
  caller.write(at + 8n, 4, found.status);
  caller.write(at + 12n, 4, found.vcpu);
  if (found.remote !== undefined) caller.write(at + 16n, 2, found.remote);
  if (found.remotePort !== undefined) caller.write(at + 20n, 4, found.remotePort);
  if (found.virq !== undefined) caller.write(at + 16n, 4, found.virq);
}

function initControl(channels: EventChannels, caller: Caller, at: bigint): void {
  const bits = channels.initControl(caller.read(at + 12n, 4), frameAt(caller, at), caller.read(at + 8n, 4));
  caller.write(at + 16n, 1, bits);
}

/** A frame number of 64 bits; those beyond any memory stay so. */
const frameAt = (caller: Caller, at: bigint): number => Number(caller.read64(at));
