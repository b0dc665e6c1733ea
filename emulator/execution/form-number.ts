/** Forms as two numbers, for those who look them up often. */
import type { Form } from './builder';

const SIZES = { 8: 0, 16: 1, 32: 2, 64: 3 } as const;
const ADDRESSINGS = { flat64: 0, flat32: 1, general: 2 } as const;
export const REPEATS = { none: 0, rep: 1, repne: 2 } as const;
const KINDS = {
  gpr: 0,
  memory: 1,
  absolute: 2,
  rip: 3,
  immediate: 4,
  target: 5,
  vector: 6,
  mmx: 7,
  segment: 8,
} as const;
/** Row and form but its operands as one number, the operands as another: formKey for those who ask often. */
export const shapeOf = (row: { index: number }, form: Form): number =>
  (((((((row.index * 4 + SIZES[form.operandSize]) * 4 + SIZES[form.addressSize]) * 4 + SIZES[form.stackSize]) * 4 +
    ADDRESSINGS[form.addressing]) * 4 + ADDRESSINGS[form.stackAddressing]) * 2 + (form.based ? 1 : 0)) * 4 +
    REPEATS[form.rep]); // prettier-ignore
export const operandsOf = ({ operands }: Form): number => {
  let number = 0;
  for (const { kind, size } of operands) number = number * 1024 + (KINDS[kind] << 6) + (size >> 3) + 1;
  return number;
};
