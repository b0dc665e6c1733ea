/** setExceptionBreakpoints, exceptionInfo. */
import type { SilentHole, Stop, TrapEvent, TrapFilter, VmExit } from '../../emulator/machine/api';
import { UserError } from '../../emulator/util/assert';
import { hex } from '../addresses';
import { EXIT_NAMES, exitSpecials } from '../exit-specials';
import { array, integer, object, optional, string } from '../arguments';
import { exceptionFilter, FILTER_NAMES, isVirtualFilter } from '../exception-filters';
import type { VirtualFilter } from '../exception-filters';
import type { Debuggee } from '../debuggee';
import { explainTrap } from '../trap-explanation';
import { handler } from './handler';

export const setExceptionBreakpoints = handler(
  object({
    filters: optional(array(string)),
    filterOptions: optional(array(object({ filterId: string, condition: optional(string) }))),
  }),
  (session, { filters = [], filterOptions = [] }) => {
    const target = session.target;
    const wanted = [...filters.map((filterId) => ({ filterId, condition: undefined })), ...filterOptions];
    const machineFilters: TrapFilter[] = [];
    target.stopsAtTripleFault = () => false;
    target.virtualFilters = {};
    const breakpoints = wanted.map(({ filterId, condition }) => {
      try {
        if (isVirtualFilter(filterId)) {
          setVirtualFilter(target, filterId, condition);
          return { verified: true };
        }
        const filter = exceptionFilter(filterId);
        if (filter === undefined) {
          throw new UserError(`There is no exception filter '${filterId}'; filters are ${FILTER_NAMES.join(', ')}.`);
        }
        const accepts = withCondition(target, filter.accepts, condition);
        if (filterId === 'triple-fault') target.stopsAtTripleFault = accepts;
        else machineFilters.push({ ...(filter.vector === undefined ? {} : { vector: filter.vector }), when: accepts });
        return { verified: true };
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        return { verified: false, message: error.message };
      }
    });
    target.breakpoints.setExceptionFilters(machineFilters);
    target.applyVirtualFilters();
    return { breakpoints };
  },
);

/** The condition sees the exit as `exit`, the hole as `hole`. UserError: no hypervisor, or a bad condition. */
function setVirtualFilter(target: Debuggee, id: VirtualFilter, condition: string | undefined): void {
  if (!target.machine.virtualization)
    throw new UserError(`'${id}' needs a hypervisor under the guest; launch with a "technique".`);
  let current: unknown;
  const place = { exit: () => current as VmExit, hole: () => current as SilentHole };
  const holds = condition?.trim() ? target.evaluator.condition(condition, place) : () => true;
  const accepts = (event: VmExit | SilentHole): boolean => {
    target.runner.checkTime();
    current = event;
    return holds(event.vcpu);
  };
  if (id === 'vm-exit') target.virtualFilters.exit = accepts;
  else target.virtualFilters.hole = accepts;
}

/** The condition sees the event as `trap`. */
function withCondition(
  target: Debuggee,
  accepts: (event: TrapEvent) => boolean,
  condition: string | undefined,
): (event: TrapEvent, cpu?: number) => boolean {
  if (!condition?.trim()) return accepts;
  let current: TrapEvent | undefined;
  const holds = target.evaluator.condition(condition, { trap: () => current! });
  return (event, cpu = 0) => {
    if (!accepts(event)) return false;
    target.runner.checkTime();
    current = event;
    return holds(cpu);
  };
}

export const exceptionInfo = handler(object({ threadId: integer() }), (session, { threadId }) => {
  const target = session.stopped;
  const cpu = target.cpuOf(threadId);
  const stop = target.lastStop;
  if ((stop?.kind === 'vm-exit' || stop?.kind === 'silent-hole') && stop.cpu === cpu) return virtualInfo(stop);
  if (stop === undefined || (stop.kind !== 'trap' && stop.kind !== 'triple-fault') || stop.cpu !== cpu) {
    throw new UserError(`Processor ${cpu} did not stop at an exception.`);
  }
  const { event } = stop;
  const { id, description, details } = explainTrap(event, target.machine.inspect, cpu, target.placeName(event.rip));
  const message = stop.kind === 'triple-fault' ? `Triple fault while delivering ${description}` : description;
  return {
    exceptionId: stop.kind === 'triple-fault' ? `triple fault (${id})` : id,
    description: details === '' ? message : `${message}\n${details}`,
    breakMode: 'always',
    details: { message, typeName: id, fullTypeName: `vector ${event.vector}`, stackTrace: details },
  };
});

function virtualInfo(stop: Extract<Stop, { kind: 'vm-exit' | 'silent-hole' }>): object {
  if (stop.kind === 'silent-hole') {
    const { mnemonic, difference } = stop.hole;
    return { exceptionId: `silent hole (${mnemonic})`, description: difference, breakMode: 'always' };
  }
  const { exit } = stop;
  const fields = EXIT_NAMES.flatMap((name) => {
    const value = exitSpecials(
      () => exit,
      () => undefined,
    )(`exit.${name}`)?.();
    return value === undefined || name === 'reason'
      ? []
      : [`${name}: ${typeof value === 'bigint' ? hex(value, 1) : value}`];
  });
  return { exceptionId: `VM exit (${exit.reason})`, description: fields.join('\n'), breakMode: 'always' };
}
