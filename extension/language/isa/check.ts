/** What the assembler would refuse of an instruction: number, kinds and sizes of its operands. Where in doubt, nothing. */
import type { OperandNotation } from '../../../emulator/isa/encoding';
import type { Row } from '../../../emulator/isa/instruction';
import type { Dialect, Instruction, Shape } from '../syntax/tree';
import { ANY_WIDTH, bitsOf, encodingOf, fit } from './forms';
import type { Fit, OperandSize } from './forms';
import { readingsOf } from './readings';
import type { Reading } from './readings';
import { registerNamed } from './registers';

export interface Problem {
  message: string;
  /** Which operand; absent: the whole instruction. */
  operand?: number;
}

/** AT&T writes these in the manual's order, too (manual of as, "i386-Bugs"). */
const SAME_ORDER = /^(enter|bound|invlpga|monitor|mwait|int|jmp|call)$/;
const SIZES: readonly OperandSize[] = [16, 32, 64];

interface Writing {
  shapes: readonly Shape[];
  att: boolean;
  dialect: Dialect;
  codeSize: 16 | 32 | 64 | undefined;
}

/** All problems are one: the first that no row does without. Undefined: nothing to object to, or nothing known. */
export function checkOperands(
  instruction: Instruction,
  isValue: (name: string) => boolean,
  text: string,
): Problem | undefined {
  const { mnemonic, operands, dialect, codeSize } = instruction;
  const readings = readingsOf(mnemonic.text, dialect);
  if (readings.length === 0) return undefined;
  // A macro's name, or a constant's, may stand for any operand.
  const shapes = operands.map(({ shape, tokens }): Shape => {
    const named = tokens.some((token) => token.kind === 'name' && isValue(text.slice(token.start, token.end)));
    return named ? { kind: 'unknown' } : shape;
  });
  if (dialect !== 'att' && /^mov[dq]$/.test(readings[0].base)) return undefined;
  if (
    shapes.some(beyondRows) ||
    readings.some(({ rows }) => rows.some((row) => lenient(row, dialect))) ||
    (dialect === 'nasm' && mnemonic.text.toLowerCase() === 'pop')
  )
    return undefined;
  const { writing, outcomes } = outcomesOf(instruction, shapes);
  const counted = outcomes.filter(({ notations }) => notations.length === shapes.length);
  const name = mnemonic.text;
  if (counted.length === 0) return { message: `${name} takes ${countsText(outcomes.map(({ notations }) => notations.length))}, not ${shapes.length}` }; // prettier-ignore
  const fits = counted.map(({ row, reading, notations }) => fitAll(notations, row, reading, writing));
  const fitting = counted.filter((_, n) => fits[n] === 'fits');
  if (fitting.length) return modeProblem(fitting.map(({ row }) => row), name, codeSize) ?? ambiguity(fitting, name, writing); // prettier-ignore
  return fits.includes('size') ? sizeProblem(name, readings, writing) : { message: `${name} does not take ${shapes.map(kindText).join(', ') || 'no operand'} together` }; // prettier-ignore
}

interface Outcome {
  row: Row;
  reading: Reading;
  notations: OperandNotation[];
}

/** Every way to take the instruction, whether its operands fit or not. */
function outcomesOf(
  { mnemonic, dialect, codeSize }: Instruction,
  shapes: readonly Shape[],
): { writing: Writing; outcomes: Outcome[] } {
  const readings = readingsOf(mnemonic.text, dialect);
  const att = dialect === 'att';
  const ordered = att && !SAME_ORDER.test(readings[0].base) ? [...shapes].reverse() : shapes;
  const writing: Writing = { shapes: ordered, att, dialect, codeSize };
  const outcomes = readings.flatMap((reading) =>
    reading.rows.flatMap((row) => variants(row, reading, writing).map((notations) => ({ row, reading, notations }))),
  );
  return { writing, outcomes };
}

/** Rows that the operands fit, as far as they tell. Empty where none does, or the mnemonic has no row. */
export function fittingRows(instruction: Instruction): Row[] {
  const shapes = instruction.operands.map(({ shape }) => shape);
  if (readingsOf(instruction.mnemonic.text, instruction.dialect).length === 0) return [];
  const { writing, outcomes } = outcomesOf(instruction, shapes);
  const fitting = outcomes.filter(({ row, reading, notations }) => notations.length === shapes.length && fitAll(notations, row, reading, writing) === 'fits'); // prettier-ignore
  // Of shifts by 1 the assembler takes the form that says so.
  const byOne = fitting.filter(({ notations }) => notations.some(({ where }) => where === '1'));
  const literal = shapes.some((shape) => shape.kind === 'immediate' && shape.value === 1n);
  return [...new Set((literal && byOne.length > 0 ? byOne : fitting).map(({ row }) => row))];
}

/** AVX-512 gives more registers, masks and forms than the rows have. */
const beyondRows = (shape: Shape): boolean => {
  const register = shape.kind === 'register' ? registerNamed(shape.name) : undefined;
  if (register === undefined) return shape.kind === 'register' && !/^st/.test(shape.name);
  return register.class === 'mask' || register.class === 'bound' || register.class === 'test' || (register.class === 'vector' && (register.bits === 512 || register.number > 15)); // prettier-ignore
};
/** Vector instructions have EVEX forms with the same names, NASM leaves repeated registers out; AMD's take explicit registers. */
const lenient = (row: Row, dialect: Dialect): boolean =>
  row.opcode.startsWith('vex') && row.mnemonic.startsWith('v') || row.attributes.feature === 'svm' || (dialect === 'nasm' && /^(shld|shrd)$/.test(row.mnemonic)); // prettier-ignore

/** Number of operands may differ from the row's: what is implied may be left out. */
function variants(row: Row, reading: Reading, { att, dialect }: Writing): OperandNotation[][] {
  const { operands } = encodingOf(row);
  const gnu = dialect !== 'nasm';
  const all = [reading.implied ? operands.slice(0, -1) : [...operands]];
  const [first, second, third] = operands.map(({ where }) => where);
  const last = operands.length - 1;
  if (row.attributes.repeat || row.mnemonic === 'xlat' || /^aa[md]$/.test(row.mnemonic))
    all.push(
      [],
      operands.filter(({ where }) => /^[XY]$/.test(where)),
    );
  if (gnu && /^sh[lr]d$/.test(row.mnemonic) && third === 'CL') all.push(operands.slice(0, -1));
  if (gnu && /^(in|out)$/.test(row.mnemonic)) all.push(operands.filter(({ where }) => /^(I|DX)$/.test(where)));
  if (operands[last]?.where === '1' && gnu) all.push(operands.slice(0, -1));
  if (row.mnemonic === 'imul' && third === 'I') all.push([operands[0], operands[2]]);
  if (/^(test|xchg)$/.test(row.mnemonic) && operands.length === 2 && second !== 'I')
    all.push([operands[1], operands[0]]);
  if (/^ST[0i]$/.test(first ?? '')) {
    // `fadd`, `fadd %st(1)`, `faddp`, `fxch`, `fcomi`...
    const whole = gnu && row.mnemonic.startsWith('fcmov');
    if (second && !whole) all.push([], [operands[first === 'STi' ? 0 : 1]], [operands[1], operands[0]]);
    else if (!whole)
      all.push(
        ...(gnu ? [] : [[]]),
        [operands[0], { where: 'ST0', size: '' }],
        [{ where: 'ST0', size: '' }, operands[0]],
      );
  }
  if (/^f/.test(row.mnemonic) && first === 'M') all.push([{ where: 'ST0', size: '' }, operands[0]]);
  if (operands[last]?.where === 'XMM0') all.push(operands.slice(0, -1));
  if (/^(mul|imul|i?div)$/.test(row.mnemonic) && operands.length === 1 && gnu) all.push([{ where: operands[0].size === 'b' ? 'AL' : 'rAX', size: '' }, operands[0]]); // prettier-ignore
  if (first === 'A') {
    all.push([
      { where: 'I', size: 'w' },
      { where: 'I', size: 'v' },
    ]);
    if (att) all.shift();
  }
  if (/^(retf?|sysret|sysexit|iret|nop|fcompp|fucompp|int|fnstsw|push|ud[01]|loop\w*|jcxz)$/.test(row.mnemonic)) all.push(...extra(row.mnemonic, dialect)); // prettier-ignore
  return all.map((each) => [...each]);
}

/** Forms that the rows do not say because the encoding is that of another. */
function extra(mnemonic: string, dialect: Dialect): OperandNotation[][] {
  if (mnemonic === 'nop') return [[{ where: 'E', size: '' }], [{ where: 'M', size: '' }]];
  if (/^ud/.test(mnemonic)) return [[]];
  if (mnemonic === 'fnstsw') return [[], [{ where: 'AX', size: '' }], [{ where: 'rAX', size: '' }]];
  // NASM writes the width of the counter behind the target.
  if (/^(loop|jcxz)/.test(mnemonic) && dialect === 'nasm')
    return [
      [
        { where: 'J', size: 'b' },
        { where: 'G', size: '' },
      ],
    ];
  return [];
}

function fitAll(notations: OperandNotation[], row: Row, reading: Reading, writing: Writing): Fit {
  let best: Fit = 'kind';
  for (const size of SIZES) {
    const found = fitAt(notations, row, reading, writing, size);
    if (found === 'fits') return found;
    if (found === 'size') best = found;
  }
  return best;
}

function fitAt(notations: OperandNotation[], row: Row, reading: Reading, writing: Writing, size: OperandSize): Fit {
  const fits = notations.map((notation, n) => fit(writing.shapes[n], notation, size, row, writing.dialect));
  if (fits.includes('kind')) return 'kind';
  return fits.includes('size') || !suffixFits(notations, row, reading, size) ? 'size' : 'fits';
}

/** A suffix names the size of some operand; of `movzbl` both are named. */
function suffixFits(notations: OperandNotation[], row: Row, { bits, from, base }: Reading, size: OperandSize): boolean {
  if (from !== undefined) return bitsOf(notations[1], size) === from && (bits === undefined || size === bits);
  if (bits === undefined) return true;
  const widths = notations.map((notation) => bitsOf(notation, size));
  const implicit = encodingOf(row).operands.map((notation) => bitsOf(notation, size));
  const own = widths.some((width) => width > 0) ? widths : implicit;
  // A shift's count and a port have sizes of their own.
  const counted = own.filter((_, n) => !/^(CL|DX)$/.test(notations[n]?.where ?? '') && !(notations[n]?.where === 'I' && own.length > 1 && n > 0)); // prettier-ignore
  if (
    /^v?cvt|^movmsk|^crc32|^retf?$|^enter$|^(in|out|movsxd?)$/.test(base) ||
    row.operands.includes('Sw') ||
    row.operands === 'Ap' ||
    ((row.attributes.default64 || row.attributes.force64) && /^[IJ]$/.test(notations[0]?.where ?? ''))
  )
    return true;
  return counted.length === 0 || counted.every((width) => width === 0) || counted.includes(bits);
}

/** Intel syntax and NASM have no suffix: memory alone must say its size where several fit. */
function ambiguity(
  fitting: { row: Row; reading: Reading; notations: OperandNotation[] }[],
  name: string,
  writing: Writing,
): Problem | undefined {
  const { shapes, att, dialect } = writing;
  const index = shapes.findIndex((shape) => shape.kind === 'memory' && shape.bits === undefined);
  if (att || index < 0 || shapes.some(({ kind }) => kind === 'unknown') || /^(mov[sz]x|cvt.*|movd|p(ins|ext)r.)$/i.test(name) || fitting[0].reading.base !== name.toLowerCase() || fitting.some(({ row }) => row.operands.includes('S')) || fitting.some(({ row, notations }) => row.attributes.default64 || row.attributes.force64 || bitsOf(notations[index], 32) === 0 || ANY_WIDTH.test(row.mnemonic))) return undefined; // prettier-ignore
  const widths = new Set(fitting.flatMap(({ row, reading, notations }) =>
    SIZES.filter((size) => fitAt(notations, row, reading, writing, size) === 'fits').map((size) => bitsOf(notations[index], size)))); // prettier-ignore
  return widths.size > 1 ? { message: `${name} needs the size of its memory operand: write ${dialect === 'nasm' ? 'dword' : 'dword ptr'} or another before it`, operand: index } : undefined; // prettier-ignore
}

function modeProblem(rows: Row[], name: string, codeSize: 16 | 32 | 64 | undefined): Problem | undefined {
  if (codeSize === undefined || rows.length === 0) return undefined;
  if (codeSize === 64 && rows.every(({ attributes }) => attributes.not64)) return { message: `${name} with these operands does not exist in 64-bit code` }; // prettier-ignore
  if (codeSize !== 64 && rows.every(({ attributes }) => attributes.only64)) return { message: `${name} exists in 64-bit code only, and this is ${codeSize}-bit code` }; // prettier-ignore
  return undefined;
}

function sizeProblem(name: string, readings: readonly Reading[], { shapes, att }: Writing): Problem {
  const widths = shapes.map((shape) => (shape.kind === 'register' ? registerNamed(shape.name)?.bits : shape.kind === 'memory' ? shape.bits : undefined)); // prettier-ignore
  const bits = readings.find((each) => each.bits !== undefined)?.bits;
  const wrong = bits === undefined ? -1 : widths.findIndex((width) => width !== undefined && width !== bits);
  const at = (n: number): number => (att ? shapes.length - 1 - n : n);
  if (wrong >= 0) return { message: `${name} says ${bits} bits, and ${kindText(shapes[wrong])} has ${widths[wrong]}`, operand: at(wrong) }; // prettier-ignore
  const list = shapes.flatMap((shape, n) =>
    widths[n] === undefined ? [] : [`${kindText(shape)} has ${widths[n]} bits`],
  );
  return { message: `the sizes of ${name}'s operands do not fit: ${(att ? list.reverse() : list).join(', ')}` };
}

const kindText = (shape: Shape): string => {
  switch (shape.kind) {
    case 'register': return shape.name;
    case 'immediate': return 'an immediate';
    case 'memory': return 'memory';
    case 'symbol': return 'an address';
    case 'indirect': return `*${kindText(shape.inner)}`;
    case 'far': return 'a far pointer';
    case 'unknown': return 'something';
  }
}; // prettier-ignore

function countsText(counts: number[]): string {
  const sorted = [...new Set(counts)].sort();
  if (sorted.length === 1 && sorted[0] === 0) return 'no operands';
  const last = sorted.pop()!;
  const text = sorted.length ? `${sorted.join(', ')} or ${last}` : `${last}`;
  return `${text} operand${text === '1' ? '' : 's'}`;
}
