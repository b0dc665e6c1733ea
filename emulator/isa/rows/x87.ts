/** The escape opcodes D8 to DF and WAIT. SDM vol. 2D tables. */
import { called } from '../row';
import type { RowSpec } from '../row';
import type { RowAttributes, SystemMeaning } from '../instruction';
import { RFLAGS } from '../../x86/registers';
import { fxrstor, fxsave } from '../semantics/fxsave';
import * as compare from '../semantics/x87-compare';
import * as control from '../semantics/x87-control';
import * as functions from '../semantics/x87-transcendental';
import * as x87 from '../semantics/x87';
import type { MemoryFormat, Operation } from '../semantics/x87';

const memory: RowAttributes = { form: 'memory' };
const register: RowAttributes = { form: 'register' };
const plain = (byte: string, mnemonic: string, meaning: SystemMeaning): RowSpec => called(byte, mnemonic, '', meaning);

/** In the order of ModRM.reg; compare at 2 and 3. */
const ORDER: readonly (Operation | undefined)[] = ['add', 'mul', undefined, undefined, 'sub', 'subr', 'div', 'divr'];

/** D8, DC, DA, DE with memory: arithmetic and comparisons of one format. */
const arithmeticWith = (byte: string, format: MemoryFormat, operands: string, prefix: string): RowSpec[] =>
  ORDER.map((operation, i) =>
    operation
      ? called(`${byte} /${i}`, prefix + operation, operands, x87.arithmeticMemory(operation, format), memory)
      : called(
          `${byte} /${i}`,
          `${prefix}com${i === 3 ? 'p' : ''}`,
          operands,
          compare.compareMemory(format, i - 2),
          memory,
        ),
  );

/** DC and DE name the reversed operations the other way round than D8. */
const REVERSED: Record<Operation, Operation> = {
  add: 'add',
  mul: 'mul',
  sub: 'subr',
  subr: 'sub',
  div: 'divr',
  divr: 'div',
};
const arithmeticRegisters: RowSpec[] = ORDER.flatMap((operation, i) => {
  if (!operation) return [];
  const meaning = REVERSED[operation];
  return [
    called(`d8 /${i}`, `f${operation}`, 'ST0,STi', x87.arithmeticToTop(operation), register),
    called(`dc /${i}`, `f${meaning}`, 'STi,ST0', x87.arithmeticToRegister(meaning, false), register),
    called(`de /${i}`, `f${meaning}p`, 'STi,ST0', x87.arithmeticToRegister(meaning, true), register),
  ];
});

const CONDITIONS: readonly [string, number, string][] = [
  ['b', RFLAGS.CF, 'C'], ['e', RFLAGS.ZF, 'Z'], ['be', RFLAGS.CF | RFLAGS.ZF, 'CZ'], ['u', RFLAGS.PF, 'P'],
]; // prettier-ignore
const conditionalMoves: RowSpec[] = CONDITIONS.flatMap(([name, flags, reads], i) => [
  called(`da /${i}`, `fcmov${name}`, 'ST0,STi', x87.conditionalMove(flags, false), { ...register, reads }),
  called(`db /${i}`, `fcmovn${name}`, 'ST0,STi', x87.conditionalMove(flags, true), { ...register, reads }),
]);

const comparisons: RowSpec[] = [
  called('d8 /2', 'fcom', 'ST0,STi', compare.compareRegister(false, 0), register),
  called('d8 /3', 'fcomp', 'ST0,STi', compare.compareRegister(false, 1), register),
  // DC /2, DC /3 and DE /2 are undocumented aliases.
  called('dc /2', 'fcom', 'ST0,STi', compare.compareRegister(false, 0), register),
  called('dc /3', 'fcomp', 'ST0,STi', compare.compareRegister(false, 1), register),
  called('de /2', 'fcomp', 'ST0,STi', compare.compareRegister(false, 1), register),
  called('dd /4', 'fucom', 'ST0,STi', compare.compareRegister(true, 0), register),
  called('dd /5', 'fucomp', 'ST0,STi', compare.compareRegister(true, 1), register),
  plain('de d9', 'fcompp', compare.compareRegister(false, 2)),
  plain('da e9', 'fucompp', compare.compareRegister(true, 2)),
  called('db /6', 'fcomi', 'ST0,STi', compare.compareRegister(false, 0, 'flags'), { ...register, writes: 'OSZAPC' }),
  called('df /6', 'fcomip', 'ST0,STi', compare.compareRegister(false, 1, 'flags'), { ...register, writes: 'OSZAPC' }),
  called('db /5', 'fucomi', 'ST0,STi', compare.compareRegister(true, 0, 'flags'), { ...register, writes: 'OSZAPC' }),
  called('df /5', 'fucomip', 'ST0,STi', compare.compareRegister(true, 1, 'flags'), { ...register, writes: 'OSZAPC' }),
  plain('d9 e4', 'ftst', compare.test),
  plain('d9 e5', 'fxam', compare.examine),
];

const moves: RowSpec[] = [
  called('d9 /0', 'fld', 'Md', x87.loadMemory('m32'), memory),
  called('dd /0', 'fld', 'Mq', x87.loadMemory('m64'), memory),
  called('db /5', 'fld', 'Mt', x87.loadMemory('m80'), memory),
  called('d9 /0', 'fld', 'STi', x87.loadRegister, register),
  called('df /0', 'fild', 'Mw', x87.loadMemory('m16int'), memory),
  called('db /0', 'fild', 'Md', x87.loadMemory('m32int'), memory),
  called('df /5', 'fild', 'Mq', x87.loadMemory('m64int'), memory),
  called('df /4', 'fbld', 'Mt', x87.loadMemory('decimal'), memory),
  called('d9 /2', 'fst', 'Md', x87.storeMemory('m32', false), memory),
  called('d9 /3', 'fstp', 'Md', x87.storeMemory('m32', true), memory),
  called('dd /2', 'fst', 'Mq', x87.storeMemory('m64', false), memory),
  called('dd /3', 'fstp', 'Mq', x87.storeMemory('m64', true), memory),
  called('db /7', 'fstp', 'Mt', x87.storeMemory('m80', true), memory),
  called('dd /2', 'fst', 'STi', x87.storeRegister(false), register),
  called('dd /3', 'fstp', 'STi', x87.storeRegister(true), register),
  // DF /2 and DF /3 are undocumented aliases.
  ...[2, 3].map((i) => called(`df /${i}`, 'fstp', 'STi', x87.storeRegister(true), register)),
  called('df /2', 'fist', 'Mw', x87.storeMemory('m16int', false), memory),
  called('df /3', 'fistp', 'Mw', x87.storeMemory('m16int', true), memory),
  called('db /2', 'fist', 'Md', x87.storeMemory('m32int', false), memory),
  called('db /3', 'fistp', 'Md', x87.storeMemory('m32int', true), memory),
  called('df /7', 'fistp', 'Mq', x87.storeMemory('m64int', true), memory),
  called('df /1', 'fisttp', 'Mw', x87.storeMemory('m16int', true, true), { ...memory, feature: 'sse3' }),
  called('db /1', 'fisttp', 'Md', x87.storeMemory('m32int', true, true), { ...memory, feature: 'sse3' }),
  called('dd /1', 'fisttp', 'Mq', x87.storeMemory('m64int', true, true), { ...memory, feature: 'sse3' }),
  called('df /6', 'fbstp', 'Mt', x87.storeMemory('decimal', true), memory),
  called('d9 /1', 'fxch', 'ST0,STi', x87.exchange, register),
  called('dd /1', 'fxch', 'ST0,STi', x87.exchange, register),
  called('df /1', 'fxch', 'ST0,STi', x87.exchange, register),
  ...(['fld1', 'fldl2t', 'fldl2e', 'fldpi', 'fldlg2', 'fldln2', 'fldz'] as const).map((name, i) =>
    plain(`d9 ${(0xe8 + i).toString(16)}`, name, x87.loadConstant(name)),
  ),
];

const computations: RowSpec[] = [
  plain('d9 e0', 'fchs', x87.negate),
  plain('d9 e1', 'fabs', x87.absolute),
  plain('d9 fa', 'fsqrt', x87.squareRoot),
  plain('d9 fc', 'frndint', x87.roundToInteger),
  plain('d9 fd', 'fscale', x87.scale),
  plain('d9 f4', 'fxtract', x87.extract),
  plain('d9 f8', 'fprem', x87.remainder(false)),
  plain('d9 f5', 'fprem1', x87.remainder(true)),
  plain('d9 f0', 'f2xm1', functions.f2xm1),
  plain('d9 f1', 'fyl2x', functions.fyl2x),
  plain('d9 f9', 'fyl2xp1', functions.fyl2xp1),
  plain('d9 f2', 'fptan', functions.fptan),
  plain('d9 f3', 'fpatan', functions.fpatan),
  plain('d9 fb', 'fsincos', functions.fsincos),
  plain('d9 fe', 'fsin', functions.fsin),
  plain('d9 ff', 'fcos', functions.fcos),
];

const controls: RowSpec[] = [
  plain('9b', 'wait', control.wait),
  plain('d9 d0', 'fnop', control.fnop),
  plain('db e0', 'feni', control.ignored),
  plain('db e1', 'fdisi', control.ignored),
  plain('db e4', 'fsetpm', control.ignored),
  plain('db e2', 'fnclex', control.fnclex),
  plain('db e3', 'fninit', control.fninit),
  plain('df e0', 'fnstsw', control.fnstswAx),
  plain('d9 f6', 'fdecstp', control.moveTop(-1)),
  plain('d9 f7', 'fincstp', control.moveTop(1)),
  called('dd /0', 'ffree', 'STi', control.ffree(false), register),
  called('df /0', 'ffreep', 'STi', control.ffree(true), register),
  called('d9 /5', 'fldcw', 'Mw', control.fldcw, memory),
  called('d9 /7', 'fnstcw', 'Mw', control.fnstcw, memory),
  called('dd /7', 'fnstsw', 'Mw', control.fnstsw, memory),
  called('d9 /4', 'fldenv', 'M', control.fldenv, memory),
  called('d9 /6', 'fnstenv', 'M', control.fnstenv, memory),
  called('dd /4', 'frstor', 'M', control.frstor, memory),
  called('dd /6', 'fnsave', 'M', control.fnsave, memory),
];

/** REX.W gives the 64-bit pointers form. */
const stateTransfers: RowSpec[] = [
  called('np 0f ae /0', 'fxsave', 'M', fxsave, { ...memory, feature: 'fxsr' }),
  called('np 0f ae /1', 'fxrstor', 'M', fxrstor, { ...memory, feature: 'fxsr' }),
];

export const x87Rows: readonly RowSpec[] = [
  ...arithmeticWith('d8', 'm32', 'Md', 'f'),
  ...arithmeticWith('dc', 'm64', 'Mq', 'f'),
  ...arithmeticWith('da', 'm32int', 'Md', 'fi'),
  ...arithmeticWith('de', 'm16int', 'Mw', 'fi'),
  ...arithmeticRegisters,
  ...conditionalMoves,
  ...comparisons,
  ...moves,
  ...computations,
  ...controls,
  ...stateTransfers,
];
