/** x87 comparisons, into the condition bits or into RFLAGS, and FXAM. SDM vol. 1 section 8.3.6, tables 8-6 and 8-7. */
import * as float from '../../util/float80';
import type { Environment } from '../../util/softfloat';
import { RFLAGS } from '../../x86/registers';
import type { SystemMeaning } from '../instruction';
import { operandFromMemory, sti, withMemory, withRegisters } from './x87';
import type { MemoryFormat, Result } from './x87';
import { STATUS } from './x87-unit';
import type { Unit } from './x87-unit';

const CONDITIONS: Record<float.Order, number> = {
  less: STATUS.C0, equal: STATUS.C3, greater: 0, unordered: STATUS.C0 | STATUS.C2 | STATUS.C3,
}; // prettier-ignore
type Destination = 'conditions' | 'flags';

function answer(unit: Unit, order: float.Order, destination: Destination): void {
  if (destination === 'conditions') return unit.setConditions(CONDITIONS[order]);
  unit.setConditions(0, STATUS.C1);
  const { state } = unit.cpu;
  const c = CONDITIONS[order];
  const arithmetic = RFLAGS.CF | RFLAGS.PF | RFLAGS.AF | RFLAGS.ZF | RFLAGS.SF | RFLAGS.OF;
  const flags = (c & STATUS.C0 ? RFLAGS.CF : 0) | (c & STATUS.C2 ? RFLAGS.PF : 0) | (c & STATUS.C3 ? RFLAGS.ZF : 0);
  state.rflags = (state.rflags & ~arithmetic) | flags;
}

function compareWith(unit: Unit, empty: boolean, other: (env: Environment) => Result, quiet: boolean, pops: number, destination: Destination): void {
  if (empty) {
    if (!unit.stackFault()) return;
    answer(unit, 'unordered', destination);
  } else {
    const env = unit.environment();
    const b = other(env);
    const order = b && float.compare(env, unit.get(0), b, quiet);
    unit.finish(env);
    if (!order) return;
    answer(unit, order, destination);
  }
  for (let i = 0; i < pops; i++) unit.pop();
} // prettier-ignore

export const compareMemory = (format: MemoryFormat, pops: number): SystemMeaning => (cpu, instruction) => {
  const { unit, bits } = withMemory(cpu, instruction, format);
  compareWith(unit, unit.isEmpty(0), (env) => operandFromMemory(env, format, bits), false, pops, 'conditions');
}; // prettier-ignore
export const compareRegister = (quiet: boolean, pops: number, destination: Destination = 'conditions'): SystemMeaning => (cpu, instruction) => {
  const unit = withRegisters(cpu, instruction);
  const i = sti(instruction);
  compareWith(unit, unit.isEmpty(0) || unit.isEmpty(i), () => unit.get(i), quiet, pops, destination);
}; // prettier-ignore
export const test: SystemMeaning = (cpu, instruction) => {
  const unit = withRegisters(cpu, instruction);
  compareWith(unit, unit.isEmpty(0), () => float.zero(0), false, 0, 'conditions');
};

/** Class of ST0, empty or not (SDM vol. 1 table 8-7). */
export const examine: SystemMeaning = (cpu, instruction) => {
  const unit = withRegisters(cpu, instruction);
  const { C0, C1, C2, C3 } = STATUS;
  const a = unit.get(0);
  const classes: Record<float.Kind, number> = {
    unsupported: 0, quiet: C0, signalling: C0, normal: C2, infinity: C2 | C0, zero: C3, denormal: C3 | C2,
  }; // prettier-ignore
  unit.setConditions((unit.isEmpty(0) ? C3 | C0 : classes[float.kindOf(a)]) | (a.sign ? C1 : 0));
};
