/** setExceptionBreakpoints, exceptionInfo. */
import type { TrapEvent, TrapFilter } from '../../emulator/machine/api';
import { UserError } from '../../emulator/util/assert';
import { array, integer, object, optional, string } from '../arguments';
import { exceptionFilter, FILTER_NAMES } from '../exception-filters';
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
    const breakpoints = wanted.map(({ filterId, condition }) => {
      try {
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
    return { breakpoints };
  },
);

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
