/** Running to a place as part of a step, behind a temporary breakpoint. */
import type { Inspector, Stop } from '../emulator/machine/api';
import { TEMPORARY_ID, type Breakpoints } from './breakpoints';
import type { UnwindContext } from './frames';
import type { Program } from './program';
import type { Need } from './runner';

export interface StepContext extends UnwindContext {
  inspect: Inspector;
  program: Program;
  breakpoints: Breakpoints;
}

/** CR3 without PCID and flags: kernels change those between entries of the same address space (SDM 4.10.1). */
const CR3_TABLE = 0x000f_ffff_ffff_e000n;
/** A part of a step: undefined when it has arrived, otherwise what stopped it on the way. */
export type Part = Generator<Need, Stop | undefined, Stop>;

/**
 * Undefined: arrived. Otherwise what stopped on the way. `returning`: to where an interrupt was taken, whose own
 * breakpoints have had their say.
 */
export function* until(
  context: StepContext,
  cpu: number,
  gva: bigint,
  minimumSp: bigint | undefined,
  returning = false,
): Part {
  const { inspect, breakpoints } = context;
  const registers = inspect.registers(cpu);
  const space = registers.get('cr3');
  const sameSpace = (): boolean =>
    ((inspect.registers(cpu).get('cr3') ?? 0n) & CR3_TABLE) === ((space ?? 0n) & CR3_TABLE);
  const arrived = (at: number): boolean =>
    at === cpu && sameSpace() && (minimumSp === undefined || stackPointer(inspect, cpu) >= minimumSp);
  breakpoints.setTemporary([{ gva, when: arrived }]);
  breakpoints.resumeFrom(cpu);
  const stop = yield { kind: 'run' };
  breakpoints.setTemporary([]);
  if (stop.kind !== 'breakpoint') return stop;
  const others = stop.ids.filter((id) => id !== TEMPORARY_ID);
  return others.length === 0 || (returning && others.length < stop.ids.length) ? undefined : { ...stop, ids: others };
}

export const stackPointer = (inspect: Inspector, cpu: number): bigint => {
  const registers = inspect.registers(cpu);
  return (inspect.mode(cpu) === 'long' ? registers.get('rsp') : registers.get('esp')) ?? 0n;
};
