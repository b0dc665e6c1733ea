/** How a run ended: its name for `--json`, its exit status, and a sentence for people. */
import type { Stop, TrapEvent } from '../../emulator/machine/api';
import { unreachable } from '../../emulator/util/assert';
import { vectorName } from '../../emulator/x86/registers';

export const STATUS = { ok: 0, died: 1, wrongUse: 2, limit: 3, bug: 70, interrupted: 130 } as const;

export interface Outcome {
  stop: string;
  status: number;
  /** Undefined: nothing to say. */
  message?: string;
}

/** Ends that are ours, not the machine's. */
export const OURS = {
  until: { stop: 'until', status: STATUS.ok },
  fail: { stop: 'fail', status: STATUS.died, message: 'the console matched --fail' },
  interrupted: { stop: 'interrupted', status: STATUS.interrupted, message: 'interrupted' },
  limit: { stop: 'limit', status: STATUS.limit, message: 'reached --max-instructions' },
} as const satisfies Record<string, Outcome>;

const at = (event: TrapEvent): string => {
  const error = event.errorCode === undefined ? '' : `, error code 0x${event.errorCode.toString(16)}`;
  const address = event.address === undefined ? '' : `, address 0x${event.address.toString(16)}`;
  return `${vectorName(event.vector)} at 0x${event.rip.toString(16)}${error}${address}`;
};

/** Undefined: not an end. */
export const outcomeOf = (stop: Stop): Outcome | undefined => {
  switch (stop.kind) {
    case 'limit':
    case 'requested':
    // Nobody sets these here; continuing is right for all of them.
    case 'breakpoint':
    case 'watchpoint':
    case 'trap':
    case 'vm-exit':
    case 'silent-hole':
      return undefined;
    case 'power-off':
      return { stop: stop.kind, status: STATUS.ok };
    case 'debug-exit': {
      const value = stop.code >>> 1;
      const message = value === 0 ? undefined : `the guest wrote ${value} to the debug-exit port`;
      return { stop: stop.kind, status: value === 0 ? STATUS.ok : STATUS.died, message };
    }
    case 'triple-fault':
      return { stop: stop.kind, status: STATUS.died, message: `triple fault, begun by ${at(stop.event)}` };
    case 'crash':
      return { stop: stop.kind, status: STATUS.died, message: `the domain crashed: ${stop.reason}` };
    case 'dead-halt':
      return { stop: stop.kind, status: STATUS.died, message: 'the guest halted with interrupts off' };
    case 'reset':
      return { stop: stop.kind, status: STATUS.died, message: 'the guest asked for a reset' };
    case 'suspend':
      return {
        stop: stop.kind,
        status: STATUS.limit,
        message: 'the domain suspended itself, and nobody is there to save and resume it',
      };
    case 'idle':
      return { stop: stop.kind, status: STATUS.limit, message: 'the guest waits for input that never comes' };
    default:
      return unreachable(stop);
  }
};
