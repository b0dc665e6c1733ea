/** FMA3 and F16C as plain meanings on util/fused-float.ts. SDM vol. 1 sections 14.4 and 14.5. */
import * as float from '../../util/fused-float';
import type { SystemMeaning } from '../instruction';
import { FORMAT32, FORMAT64 } from '../../util/softfloat';
import { linearOperand } from '../operands';
import type { Shape } from './float-lanes';
import { environment, immediateOf, join, laneBits, settle, split } from './sse-float';
import { available, readVector, vectorBytes, writeVector } from './vector-operands';

/** Which of the operands 1, 2, 3 are multiplied, in this order, and which is added. */
export type Order = '132' | '213' | '231';
/** What changes its sign: the product, the addend; `alternate`: the addend of the even or the odd lanes. */
export interface Signs {
  product?: boolean;
  addend?: boolean;
  alternate?: 'even' | 'odd';
}

export const fused = (shape: Shape, order: Order, signs: Signs): SystemMeaning => (cpu, insn) => {
  available(cpu, insn);
  const bits = laneBits(shape);
  const format = bits === 32 ? FORMAT32 : FORMAT64;
  const packed = shape[0] === 'p';
  const bytes = packed ? vectorBytes(insn) : ((bits / 8) as 4 | 8);
  const count = (bytes * 8) / bits;
  const target = cpu.state.vector((insn.operands[0] as { index: number }).index, 32);
  const sources = [target, readVector(cpu, insn, 0, bytes), readVector(cpu, insn, 1, bytes)].map((v) => split(v, bits, count));
  const [x, y, z] = [...order].map((digit) => sources[Number(digit) - 1]);
  const env = environment(cpu);
  const negative = (i: number): boolean => signs.alternate ? (signs.alternate === 'even') === (i % 2 === 0) : signs.addend === true;
  const lanes = x.map((lane, i) => float.multiplyAdd(env, format, [lane, y[i], z[i]], signs.product === true, negative(i)));
  settle(cpu, env);
  if (packed) return writeVector(cpu, insn, join(lanes, bits));
  const rest = BigInt.asUintN(128, target) >> BigInt(bits);
  writeVector(cpu, insn, (rest << BigInt(bits)) | lanes[0]);
}; // prettier-ignore

/** VCVTPH2PS: nothing is lost, and denormals are numbers like others. */
export const fromHalf: SystemMeaning = (cpu, insn) => {
  available(cpu, insn);
  const count = vectorBytes(insn) / 4;
  const lanes = split(readVector(cpu, insn, 1, (count * 2) as 8 | 16), 16, count);
  const env = environment(cpu);
  const wide = lanes.map((lane) => float.fromHalf(env, lane));
  settle(cpu, env);
  writeVector(cpu, insn, join(wide, 32));
};
/** VCVTPS2PH: the immediate says how it rounds, bit 2 that MXCSR does. */
export const toHalf: SystemMeaning = (cpu, insn) => {
  available(cpu, insn);
  const bytes = vectorBytes(insn);
  const source = cpu.state.vector((insn.operands[1] as { index: number }).index, bytes);
  const immediate = immediateOf(insn);
  const env = environment(cpu);
  const rounding = immediate & 4 ? env.rounding : immediate & 3;
  const narrow = join(split(source, 32, bytes / 4).map((lane) => float.toHalf(env, lane, rounding)), 16); // prettier-ignore
  const half = (bytes / 2) as 8 | 16;
  if (insn.operands[0].kind !== 'memory') {
    settle(cpu, env);
    return writeVector(cpu, insn, narrow);
  }
  const gva = linearOperand(cpu, insn, half, 'write');
  cpu.probeWrite(gva, half);
  settle(cpu, env);
  for (let at = 0; at < half; at += 8) cpu.write(gva + BigInt(at), 8, BigInt.asUintN(64, narrow >> BigInt(at * 8)));
};
