/** vcpu_op (vcpu.h) and set_timer_op: virtual processors, their timers, and where they want to be told of time. */
import { ACTIVITY } from '../../cpu/turns';
import { PAGE_BYTES } from '../../mmu/physical-memory';
import { VCPU_INFO } from '../xen/abi';
import { refuse } from '../xen/errno';
import { TYPE } from '../xen/typed-pages';
import type { VcpuState } from '../xen/vcpu';
import { asUint, wide } from './call';
import type { Call } from './call';
import { startVcpu } from './vcpu-context';

type Operation = (call: Call, target: VcpuState, index: number) => number | void;

const RUNSTATE = { running: 0, offline: 3 } as const;
/** A period shorter than a millisecond is refused, as Xen does. */
const SHORTEST_NS = 1_000_000;
const FUTURE = 1;

const registerInfo: Operation = ({ args, caller, domain }, target, index) => {
  if (target.info.mfn !== domain.sharedInfo) refuse('EINVAL', `vcpu ${index} has its vcpu_info elsewhere already`);
  const mfn = Number(caller.readWord(args[2]));
  const offset = caller.read(args[2] + BigInt(domain.word), 4);
  const { bytes } = VCPU_INFO[domain.word];
  if (offset + bytes > PAGE_BYTES || offset & 7)
    refuse('EINVAL', `vcpu_info at offset ${offset} does not fit its page`);
  domain.pages.getAs(mfn, TYPE.writable);
  const old = target.info;
  domain.memory.writeBytes(mfn, offset, domain.memory.readBytes(old.mfn, old.offset, bytes));
  target.info = { mfn, offset };
  domain.writeTime(index);
  // Nothing that came meanwhile is lost.
  domain.memory.write(mfn, offset + VCPU_INFO[domain.word].pending, 1, 1);
  const selector = offset + VCPU_INFO[domain.word].selector;
  if (domain.word === 8) domain.memory.write64(mfn, selector, 0xffff_ffff_ffff_ffffn);
  else domain.memory.write(mfn, selector, 4, 0xffff_ffff);
  domain.kick();
};

/** struct vcpu_runstate_info: every processor of ours runs whenever it can. */
function writeRunstate({ caller, domain }: Call, at: bigint, target: VcpuState): void {
  const times = domain.word === 8 ? 8n : 4n;
  caller.write(at, 4, target.up ? RUNSTATE.running : RUNSTATE.offline);
  const now = BigInt(Math.floor(domain.now()));
  caller.write64(at + times, now);
  for (const i of [0n, 1n, 2n, 3n]) caller.write64(at + times + 8n + i * 8n, i === 0n ? now : 0n);
}

const OPERATIONS: Readonly<Record<number, { name: string; run: Operation }>> = {
  0: { name: 'initialise', run: (call, target, index) => initialise(call, target, index) },
  1: {
    name: 'up',
    run: ({ domain }, target, index) => {
      if (target.kernelRoot === 0) refuse('EINVAL', `vcpu ${index} was not initialised`);
      if (target.up) return;
      target.up = true;
      domain.guest.cpus[index].state.setSystem('activity', 0n);
      domain.kick();
    },
  },
  2: {
    name: 'down',
    run: ({ domain, parts }, target, index) => {
      // With its last processor a domain goes down, too.
      if (domain.vcpuStates.every((each) => each === target || !each.up)) return parts.shutdown('poweroff');
      target.up = false;
      domain.guest.cpus[index].state.setSystem('activity', ACTIVITY.waitForSipi);
    },
  },
  3: { name: 'is_up', run: (_, target) => (target.up ? 1 : 0) },
  4: { name: 'get_runstate_info', run: (call, target) => writeRunstate(call, call.args[2], target) },
  5: {
    name: 'register_runstate_memory_area',
    run: (call, target) => {
      target.runstateGva = call.caller.readWord(call.args[2]);
      if (target.runstateGva !== 0n) writeRunstate(call, target.runstateGva, target);
    },
  },
  6: {
    name: 'set_periodic_timer',
    run: ({ args, caller, domain }, target) => {
      const period = Number(caller.read64(args[2]));
      if (period < SHORTEST_NS) refuse('EINVAL', `a period of ${period} ns is shorter than ${SHORTEST_NS}`);
      target.periodNs = period;
      target.periodicNs = domain.now() + period;
      domain.deadlineMoved();
    },
  },
  7: {
    name: 'stop_periodic_timer',
    run: ({ domain }, target) => {
      target.periodicNs = -1;
      domain.deadlineMoved();
    },
  },
  8: {
    name: 'set_singleshot_timer',
    run: ({ args, caller, domain }, target) => {
      const at = Number(caller.read64(args[2]));
      const flags = caller.read(args[2] + 8n, 4);
      if (flags & FUTURE && at < domain.now()) refuse('ETIME', `${at} ns is past`);
      target.timerNs = at;
      domain.deadlineMoved();
    },
  },
  9: {
    name: 'stop_singleshot_timer',
    run: ({ domain }, target) => {
      target.timerNs = -1;
      domain.deadlineMoved();
    },
  },
  10: { name: 'register_vcpu_info', run: registerInfo },
  13: {
    name: 'register_vcpu_time_memory_area',
    run: ({ args, caller, domain }, target) => {
      target.timeGva = caller.readWord(args[2]);
      if (target.timeGva !== 0n) caller.writeBytes(target.timeGva, domain.timeInfo());
    },
  },
};
export const VCPU_COMMANDS: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(OPERATIONS).map(([number, { name }]) => [number, name]),
);

export function vcpuOp(call: Call): number {
  const command = asUint(call.args[0]);
  const index = asUint(call.args[1]);
  const target = call.domain.vcpuStates[index] as VcpuState | undefined;
  if (!target) refuse('ENOENT', `there is no vcpu ${index}`);
  const operation = OPERATIONS[command] ?? refuse('ENOSYS', `VCPUOP ${command} is not known`);
  return operation.run(call, target, index) ?? 0;
}

/** 0 stops it; a time that is past raises the interrupt at once. */
export function setTimerOp(call: Call): void {
  const { value } = wide(call, 0);
  call.vcpu.timerNs = value === 0n ? -1 : Number(value);
  call.domain.deadlineMoved();
}

function initialise(call: Call, target: VcpuState, index: number): void {
  if (target.kernelRoot !== 0) refuse('EEXIST', `vcpu ${index} was initialised before`);
  startVcpu(call.caller, call.parts, index, call.args[2]);
}
