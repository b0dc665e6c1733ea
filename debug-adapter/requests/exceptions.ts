/** setExceptionBreakpoints, exceptionInfo. */
import type { SilentHole, Stop, TrapEvent, TrapFilter, VmExit } from '../../emulator/machine/api';
import { UserError } from '../../emulator/util/assert';
import { exitText } from '../exit-text';
import type { HypercallView } from '../exit-specials';
import { array, integer, object, optional, string } from '../arguments';
import {
  exceptionFilter,
  FILTER_NAMES,
  virtualFilter,
  type WantedFilter,
  type WantedFilters,
} from '../exception-filters';
import type { Debuggee } from '../debuggee';
import { adviceText, exitAdvice, HOLE, TRIPLE_FAULT, trapAdvice, type Advice } from '../stop-advice';
import { translateAddress } from '../translation-text';
import { explainTrap } from '../trap-explanation';
import { privilegeName } from '../trap-log';
import { detailsOf } from './exits';
import { handler } from './handler';

export const setExceptionBreakpoints = handler(
  object({
    filters: optional(array(string)),
    filterOptions: optional(array(object({ filterId: string, condition: optional(string) }))),
  }),
  (session, { filters = [], filterOptions = [] }) => {
    const { target } = session;
    target.filters.exception = [...filters.map((filterId) => ({ filterId })), ...filterOptions];
    return { breakpoints: installFilters(target).exception };
  },
);

type Installed = { verified: true } | { verified: false; message: string };

/** Every filter that the editor ticked and that was named as a function breakpoint; what became of each, in their order. */
export function installFilters(target: Debuggee): Record<keyof WantedFilters, Installed[]> {
  const machineFilters: TrapFilter[] = [];
  target.stopsAtTripleFault = () => false;
  target.virtualFilters = {};
  const each = (wanted: WantedFilter): Installed => {
    try {
      install(target, wanted, machineFilters);
      return { verified: true };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return { verified: false, message: error.message };
    }
  };
  const installed = { exception: target.filters.exception.map(each), function: target.filters.function.map(each) };
  target.breakpoints.setExceptionFilters(machineFilters);
  target.applyVirtualFilters();
  return installed;
}

function install(target: Debuggee, { filterId, condition }: WantedFilter, machineFilters: TrapFilter[]): void {
  const virtual = virtualFilter(filterId);
  if (virtual) return setVirtualFilter(target, virtual, condition);
  const filter = exceptionFilter(filterId);
  if (filter === undefined)
    throw new UserError(`There is no exception filter '${filterId}'; filters are ${FILTER_NAMES.join(', ')}.`);
  const accepts = withCondition(target, filter.accepts, condition);
  if (filterId === 'triple-fault') {
    const { stopsAtTripleFault } = target;
    target.stopsAtTripleFault = (event, cpu) => stopsAtTripleFault(event, cpu) || accepts(event, cpu);
  } else machineFilters.push({ ...(filter.vector === undefined ? {} : { vector: filter.vector }), when: accepts });
}

/** The condition sees the exit as `exit`, the hole as `hole`. UserError: no hypervisor, or a bad condition. */
function setVirtualFilter(
  target: Debuggee,
  { id, kind, reason }: NonNullable<ReturnType<typeof virtualFilter>>,
  condition: string | undefined,
): void {
  if (!target.machine.virtualization)
    throw new UserError(`'${id}' needs a hypervisor under the guest; launch with a "technique".`);
  let current: unknown;
  let call: HypercallView | undefined;
  const place = { exit: () => current as VmExit, hole: () => current as SilentHole, hypercall: () => call };
  const holds = condition?.trim() ? target.evaluator.condition(condition, place) : () => true;
  const accepts = (event: VmExit | SilentHole): boolean => {
    target.runner.checkTime();
    current = event;
    const calls = 'hypercall' in event && event.hypercall ? [event.hypercall, ...(event.hypercall.batch ?? [])] : [undefined]; // prettier-ignore
    return calls.some((each) => {
      call = each;
      return holds(event.vcpu);
    });
  };
  const { exit, hole } = target.virtualFilters;
  if (kind === 'hole') target.virtualFilters.hole = (event) => (hole?.(event) ?? false) || accepts(event);
  else {
    const wanted = (event: VmExit): boolean => (reason === undefined || event.reason === reason) && accepts(event);
    target.virtualFilters.exit = (event) => (exit?.(event) ?? false) || wanted(event);
  }
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
  const info = stop && 'cpu' in stop && stop.cpu === cpu ? stopInfo(target, stop) : undefined;
  if (info === undefined) throw new UserError(`Processor ${cpu} did not stop at an exception.`);
  const { explanation, advice, ...rest } = info;
  return { ...rest, description: `${explanation}\n${adviceText(advice)}`, breakMode: 'always' };
});

interface StopInfo {
  exceptionId: string;
  /** What happened in its first line, details in those below. */
  explanation: string;
  advice: Advice;
  details?: { message: string; typeName: string; fullTypeName: string; stackTrace: string };
}

/** Of exceptions, exits and holes; the other stops need none. */
export function stopInfo(target: Debuggee, stop: Stop): StopInfo | undefined {
  if (stop.kind === 'silent-hole') {
    const { mnemonic, difference, gva } = stop.hole;
    const explanation = `${mnemonic} at ${target.placeName(gva)}: ${difference}`;
    return { exceptionId: `silent hole (${mnemonic})`, explanation, advice: HOLE };
  }
  if (stop.kind === 'vm-exit') return exitInfo(target, stop);
  return stop.kind === 'trap' || stop.kind === 'triple-fault' ? trapInfo(target, stop) : undefined;
}

function trapInfo(target: Debuggee, { kind, cpu, event }: Extract<Stop, { kind: 'trap' | 'triple-fault' }>): StopInfo {
  const { id, description, details } = explainTrap(event, target.machine.inspect, cpu, target.placeName(event.rip));
  const message = kind === 'triple-fault' ? `Triple fault while delivering ${description}` : description;
  return {
    exceptionId: kind === 'triple-fault' ? `triple fault (${id})` : id,
    explanation: details === '' ? message : `${message}\n${details}`,
    advice: kind === 'triple-fault' ? TRIPLE_FAULT : trapAdvice(event.vector, event.source),
    details: { message, typeName: id, fullTypeName: `vector ${event.vector}`, stackTrace: details },
  };
}

function exitInfo(target: Debuggee, { cpu, exit }: Extract<Stop, { kind: 'vm-exit' }>): StopInfo {
  const technique = target.machine.virtualization?.technique ?? 'none';
  const message = `${exitText(exit)}, in ${privilegeName(exit.cpl, exit.ported)} at ${target.placeName(exit.gva)}`;
  const walk = exit.gpa === undefined ? [] : [translateAddress(target, { space: 'gp', value: BigInt(exit.gpa) }, { cpu }).text]; // prettier-ignore
  const details = [...detailsOf(target, exit), ...walk].join('\n');
  return {
    exceptionId: `VM exit (${exit.reason})`,
    explanation: `${message}\n${details}`,
    advice: exitAdvice(exit.reason),
    details: { message, typeName: exit.reason, fullTypeName: `${exit.reason} under ${technique}`, stackTrace: details },
  };
}
