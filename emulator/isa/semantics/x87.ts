/** x87 loads, stores, arithmetic, constants. SDM vol. 1 sections 8.3.1 to 8.3.8, vol. 2 F... */
import type { Processor } from '../../cpu/ports';
import * as float from '../../util/float80';
import type { Float80 } from '../../util/float80';
import * as integer from '../../util/float80-integer';
import { EXCEPTION, Environment, FORMAT32, FORMAT64, ROUND } from '../../util/softfloat';
import type { Instruction, SystemMeaning } from '../instruction';
import { memoryLinear, memoryOffset, readWide, writeWide } from './x87-memory';
import { STATUS, available, recordPointers } from './x87-unit';
import type { Unit } from './x87-unit';

export type Result = Float80 | undefined;
type Binary = (env: Environment, a: Float80, b: Float80) => Result;

/** How memory operands are read and written. */
export type MemoryFormat = 'm16int' | 'm32int' | 'm64int' | 'm32' | 'm64' | 'm80' | 'decimal';
const BYTES: Record<MemoryFormat, number> = { m16int: 2, m32int: 4, m64int: 8, m32: 4, m64: 8, m80: 10, decimal: 10 };

export const unpack80 = (bits: bigint): Float80 => {
  const high = Number(bits >> 64n);
  return { sign: high >> 15, exponent: high & 0x7fff, significand: BigInt.asUintN(64, bits) };
};
export const pack80 = (a: Float80): bigint => (BigInt((a.sign << 15) | a.exponent) << 64n) | a.significand;

function convertFrom(env: Environment, format: MemoryFormat, bits: bigint): Result {
  switch (format) {
    case 'm32': return float.fromBinary(env, FORMAT32, bits);
    case 'm64': return float.fromBinary(env, FORMAT64, bits);
    case 'm80': return unpack80(bits);
    case 'decimal': return integer.fromDecimal(bits);
    default: return integer.fromInteger(BigInt.asIntN(BYTES[format] * 8, bits));
  } // prettier-ignore
}

/** Undefined when an unmasked exception forbids to store. */
function convertTo(env: Environment, format: MemoryFormat, value: Float80, rounding: number): bigint | undefined {
  switch (format) {
    case 'm32': return float.toBinary(env, FORMAT32, value);
    case 'm64': return float.toBinary(env, FORMAT64, value);
    case 'm80': return pack80(value);
    case 'decimal': return integer.toDecimal(env, value);
    default: return integer.toSigned(env, value, (BYTES[format] * 8) as 16 | 32 | 64, rounding);
  } // prettier-ignore
}

/** Available, with the memory operand read: every fault comes before every change. */
export function withMemory(
  cpu: Processor,
  instruction: Instruction,
  format: MemoryFormat,
): { unit: Unit; bits: bigint } {
  const unit = available(cpu);
  const bits = readWide(cpu, memoryLinear(cpu, instruction, BYTES[format], 'read'), BYTES[format]);
  recordPointers(unit, instruction, memoryOffset(cpu, instruction));
  return { unit, bits };
}
export function withRegisters(cpu: Processor, instruction: Instruction): Unit {
  const unit = available(cpu);
  recordPointers(unit, instruction);
  return unit;
}
/** i of the ST(i) that the instruction names besides ST0; 1 where it is implied. */
export const sti = ({ operands, row }: Instruction): number => {
  const operand = operands[row.operands.startsWith('ST0,') ? 1 : 0];
  return operand?.kind === 'st' ? operand.index : 1;
};

// --- Loads.
export const loadMemory =
  (format: MemoryFormat): SystemMeaning =>
  (cpu, instruction) => {
    const { unit, bits } = withMemory(cpu, instruction, format);
    unit.push((env) => convertFrom(env, format, bits));
  };
export const loadRegister: SystemMeaning = (cpu, instruction) => {
  const unit = withRegisters(cpu, instruction);
  const i = sti(instruction);
  if (!unit.isEmpty(i)) return unit.push(() => unit.get(i));
  if (unit.stackFault()) {
    unit.top--;
    unit.set(0, float.INDEFINITE);
  }
};

/** Constants with one more digit than fits: rounded as RC says (SDM vol. 1 section 8.3.8). */
const CONSTANTS = {
  fld1: { exponent: 16383, bits: 1n << 63n, rest: 'exact' },
  fldl2t: { exponent: 16384, bits: 0xd49a784bcd1b8afen, rest: 'below half' },
  fldl2e: { exponent: 16383, bits: 0xb8aa3b295c17f0bbn, rest: 'above half' },
  fldpi: { exponent: 16384, bits: 0xc90fdaa22168c234n, rest: 'above half' },
  fldlg2: { exponent: 16381, bits: 0x9a209a84fbcff798n, rest: 'above half' },
  fldln2: { exponent: 16382, bits: 0xb17217f7d1cf79abn, rest: 'above half' },
  fldz: { exponent: 0, bits: 0n, rest: 'exact' },
} as const;
export type Constant = keyof typeof CONSTANTS;
export const loadConstant = (name: Constant): SystemMeaning => (cpu, instruction) => {
  const { exponent, bits, rest } = CONSTANTS[name];
  withRegisters(cpu, instruction).push((env) => {
    const up = rest !== 'exact' && (env.rounding === ROUND.UP || (env.rounding === ROUND.NEAREST && rest === 'above half'));
    return { sign: 0, exponent, significand: up ? bits + 1n : bits };
  });
}; // prettier-ignore

// --- Stores.
export const storeMemory = (format: MemoryFormat, pop: boolean, truncate = false): SystemMeaning => (cpu, instruction) => {
  const unit = available(cpu);
  const bytes = BYTES[format];
  const gva = memoryLinear(cpu, instruction, bytes, 'write');
  cpu.probeWrite(gva, bytes);
  recordPointers(unit, instruction, memoryOffset(cpu, instruction));
  const env = unit.environment();
  if (unit.isEmpty(0)) {
    if (!unit.stackFault()) return;
    // The indefinite of each format is what a NaN without payload becomes; the invalid flag is there already.
    const masked = unit.environment();
    writeWide(cpu, gva, bytes, convertTo(masked, format, float.INDEFINITE, ROUND.NEAREST)!);
  } else {
    const bits = convertTo(env, format, unit.get(0), truncate ? ROUND.ZERO : env.rounding);
    unit.finish(env);
    if (bits === undefined) return;
    writeWide(cpu, gva, bytes, bits);
  }
  if (pop) unit.pop();
}; // prettier-ignore

export const storeRegister = (pop: boolean): SystemMeaning => (cpu, instruction) => {
  const unit = withRegisters(cpu, instruction);
  const i = sti(instruction);
  let value: Float80 = float.INDEFINITE;
  if (unit.isEmpty(0)) {
    if (!unit.stackFault()) return;
  } else {
    value = unit.get(0);
    unit.setConditions(0, STATUS.C1);
  }
  unit.set(i, value);
  if (pop) unit.pop();
}; // prettier-ignore

export const exchange: SystemMeaning = (cpu, instruction) => {
  const unit = withRegisters(cpu, instruction);
  const i = sti(instruction);
  const value = (j: number): Float80 => (unit.isEmpty(j) ? float.INDEFINITE : unit.get(j));
  if (unit.isEmpty(0) || unit.isEmpty(i)) {
    if (!unit.stackFault()) return;
  } else unit.setConditions(0, STATUS.C1);
  const [a, b] = [value(0), value(i)];
  unit.set(0, b);
  unit.set(i, a);
};

/** FCMOVcc: `flags` of which one must be set, or none with `not`. */
export const conditionalMove = (flags: number, not: boolean): SystemMeaning => (cpu, instruction) => {
  const unit = withRegisters(cpu, instruction);
  const i = sti(instruction);
  if (unit.isEmpty(0) || unit.isEmpty(i)) {
    if (unit.stackFault()) unit.set(0, float.INDEFINITE);
    return;
  }
  if (((cpu.state.rflags & flags) !== 0) !== not) unit.set(0, unit.get(i));
}; // prettier-ignore

// --- Arithmetic.
export type Operation = 'add' | 'mul' | 'sub' | 'subr' | 'div' | 'divr';
const OPERATIONS: Record<Operation, Binary> = {
  add: float.add,
  mul: float.multiply,
  sub: float.subtract,
  subr: (env, a, b) => float.subtract(env, b, a),
  div: float.divide,
  divr: (env, a, b) => float.divide(env, b, a),
};

/** destination = operation(ST(destination), value); false when an unmasked exception kept it from completing. */
function combine(unit: Unit, destination: number, operation: Operation, empty: boolean, value: (env: Environment) => Result): boolean {
  if (empty) {
    if (!unit.stackFault()) return false;
    unit.set(destination, float.INDEFINITE);
    return true;
  }
  const env = unit.environment();
  const source = value(env);
  const result = source && OPERATIONS[operation](env, unit.get(destination), source);
  unit.finish(env);
  if (result) unit.set(destination, result);
  return result !== undefined;
} // prettier-ignore

export const arithmeticMemory = (operation: Operation, format: MemoryFormat): SystemMeaning => (cpu, instruction) => {
  const { unit, bits } = withMemory(cpu, instruction, format);
  // A signalling NaN in memory is converted by the operation itself, so that it is chosen as such.
  combine(unit, 0, operation, unit.isEmpty(0), (env) => operandFromMemory(env, format, bits));
}; // prettier-ignore

/**
 * As convertFrom, but signalling NaNs and denormals raise nothing yet: the operation sees them as such, and what it raises
 * depends on the other operand as well (SDM vol. 1 section 8.5: priorities).
 */
export function operandFromMemory(env: Environment, format: MemoryFormat, bits: bigint): Result {
  if (format !== 'm32' && format !== 'm64') return convertFrom(env, format, bits);
  const [n, top, signBit] = format === 'm32' ? [23n, 0xffn, 31n] : [52n, 0x7ffn, 63n];
  if (isSignalling(bits, n, top)) {
    const significand = (1n << 63n) | ((bits & ((1n << n) - 1n)) << (63n - n));
    return { sign: Number(bits >> signBit), exponent: 0x7fff, significand };
  }
  const quiet = new Environment(env.rounding, env.precision, 0x3f);
  const value = convertFrom(quiet, format, bits)!;
  return quiet.flags & EXCEPTION.DENORMAL ? { ...value, wasDenormal: true } : value;
}
function isSignalling(bits: bigint, n: bigint, top: bigint): boolean {
  const fraction = bits & ((1n << n) - 1n);
  return ((bits >> n) & top) === top && fraction !== 0n && fraction >> (n - 1n) === 0n;
}

/** ST0 op STi into ST0. */
export const arithmeticToTop = (operation: Operation): SystemMeaning => (cpu, instruction) => {
  const unit = withRegisters(cpu, instruction);
  const i = sti(instruction);
  combine(unit, 0, operation, unit.isEmpty(0) || unit.isEmpty(i), () => unit.get(i));
}; // prettier-ignore
/** STi op ST0 into STi, then perhaps a pop. */
export const arithmeticToRegister = (operation: Operation, pop: boolean): SystemMeaning => (cpu, instruction) => {
  const unit = withRegisters(cpu, instruction);
  const i = sti(instruction);
  const done = combine(unit, i, operation, unit.isEmpty(0) || unit.isEmpty(i), () => unit.get(0));
  if (pop && done) unit.pop();
}; // prettier-ignore

/** ST0 = f(ST0). */
export const unary = (f: (env: Environment, a: Float80) => Result): SystemMeaning => (cpu, instruction) => {
  const unit = withRegisters(cpu, instruction);
  if (unit.isEmpty(0)) {
    if (unit.stackFault()) unit.set(0, float.INDEFINITE);
    return;
  }
  const env = unit.environment();
  const result = f(env, unit.get(0));
  unit.finish(env);
  if (result) unit.set(0, result);
}; // prettier-ignore
export const negate = unary((_, a) => float.negate(a));
export const absolute = unary((_, a) => ({ ...a, sign: 0 }));
export const squareRoot = unary(float.squareRoot);
export const roundToInteger = unary(integer.roundToInteger);

export const scale: SystemMeaning = (cpu, instruction) => {
  const unit = withRegisters(cpu, instruction);
  if (unit.isEmpty(0) || unit.isEmpty(1)) {
    if (unit.stackFault()) unit.set(0, float.INDEFINITE);
    return;
  }
  const env = unit.environment();
  const result = integer.scale(env, unit.get(0), unit.get(1));
  unit.finish(env);
  if (result) unit.set(0, result);
};

export const extract: SystemMeaning = (cpu, instruction) => {
  const unit = withRegisters(cpu, instruction);
  if (unit.isEmpty(0) || !unit.isEmpty(7)) {
    if (!unit.stackFault(!unit.isEmpty(0))) return;
    unit.set(0, float.INDEFINITE);
    unit.top--;
    unit.set(0, float.INDEFINITE);
    return;
  }
  const env = unit.environment();
  const parts = integer.extract(env, unit.get(0));
  unit.finish(env);
  if (!parts) return;
  unit.set(0, parts.exponent);
  unit.top--;
  unit.set(0, parts.significand);
};

export const remainder = (nearest: boolean): SystemMeaning => (cpu, instruction) => {
  const unit = withRegisters(cpu, instruction);
  if (unit.isEmpty(0) || unit.isEmpty(1)) {
    unit.setConditions(0, STATUS.C2);
    if (unit.stackFault()) unit.set(0, float.INDEFINITE);
    return;
  }
  const env = unit.environment();
  const result = integer.remainder(env, unit.get(0), unit.get(1), nearest);
  unit.finish(env);
  unit.setConditions(0, STATUS.C2);
  if (!result) return;
  unit.set(0, result.value);
  const q = result.quotient;
  if (q === 'none') return;
  const bits = q === undefined ? STATUS.C2 : (q & 4 ? STATUS.C0 : 0) | (q & 2 ? STATUS.C3 : 0) | (q & 1 ? STATUS.C1 : 0);
  unit.setConditions(bits);
}; // prettier-ignore
