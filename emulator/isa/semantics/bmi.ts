/** BMI1, BMI2 and ADX on general registers: SDM vol. 2 ANDN, BEXTR, BLSI, BZHI, PDEP, MULX, RORX, SARX, ADCX. */
import type { Emitter, Size } from '../../execution/builder';
import { I64, i32, select } from '../../execution/wasm';
import type { Value } from '../../execution/wasm';
import { GPR } from '../../x86/registers';
import { protectedMode } from './sse';

/** Operands are 32 bits, or 64 by VEX.W; never the operand size's 16. */
const sizeOf = (e: Emitter): 32 | 64 => e.operandSize(0) as 32 | 64;
const as = (e: Emitter, value: Value): Value => (sizeOf(e) === 64 ? e.wide(value) : value);
const constant = (e: Emitter, value: number): Value => e.constant(value, sizeOf(e));

/** Written, with SF and ZF of it; OF cleared. Parity and AF are undefined. */
function finish(e: Emitter, result: Value, carry: Value): void {
  const known = e.let(result);
  e.write(0, known);
  e.flags({ carry, overflow: i32(0), adjust: i32(0), result: known }, sizeOf(e));
}

export function andn(e: Emitter): void {
  protectedMode(e);
  const result = e.let(e.read(1).not().and(e.read(2)));
  e.write(0, result);
  e.flagsLogic(result, sizeOf(e));
}

/** The low `count` bits of ones, a count of the size or more giving all. `count` is I32. */
function lowOnes(e: Emitter, count: Value): Value {
  const size = sizeOf(e);
  const partial = constant(e, 1).shl(as(e, count)).sub(1);
  return select(count.geU(size), constant(e, -1), partial);
}
export function bextr(e: Emitter): void {
  protectedMode(e);
  const value = e.read(1);
  const control = e.let(e.truncate(e.read(2), 16));
  const start = e.let(control.and(0xff));
  const moved = select(start.geU(sizeOf(e)), constant(e, 0), value.shrU(as(e, start)));
  finish(e, moved.and(lowOnes(e, e.let(control.shrU(8)))), i32(0));
}
export function bzhi(e: Emitter): void {
  protectedMode(e);
  const value = e.read(1);
  const count = e.let(e.truncate(e.read(2), 8));
  finish(e, value.and(lowOnes(e, count)), e.let(count.geU(sizeOf(e))));
}

const lowest = (f: (value: Value) => Value, carryIfZero: boolean) => (e: Emitter): void => {
  protectedMode(e);
  const value = e.read(1);
  const zero = e.let(value.eqz());
  finish(e, f(value), carryIfZero ? zero : e.let(zero.eqz()));
}; // prettier-ignore
export const blsi = lowest((v) => v.and(v.neg()), false);
export const blsmsk = lowest((v) => v.xor(v.sub(1)), true);
export const blsr = lowest((v) => v.and(v.sub(1)), true);

/** Bit by bit of the mask, from below: PDEP spreads the source's bits over it, PEXT gathers those under it. */
const underMask = (deposit: boolean) => (e: Emitter): void => {
  protectedMode(e);
  const [from, mask] = [e.read(1), e.read(2)];
  const rest = e.variable(mask.type);
  const result = e.variable(mask.type);
  const bit = e.variable(mask.type);
  const get = (local: typeof rest): Value => e.f.get(local);
  e.f.set(rest, mask);
  e.f.set(result, constant(e, 0));
  e.f.set(bit, constant(e, 1));
  e.f.loop((again) => {
    e.if(get(rest).ne(0), () => {
      const lowestBit = get(rest).and(get(rest).neg());
      const [asked, given] = deposit ? [get(bit), lowestBit] : [lowestBit, get(bit)];
      const zero = constant(e, 0);
      e.f.set(result, get(result).or(select(from.and(asked).ne(0), given, zero)));
      e.f.set(rest, get(rest).and(get(rest).sub(1)));
      e.f.set(bit, get(bit).shl(1));
      e.f.branch(again);
    });
  });
  e.write(0, get(result));
}; // prettier-ignore
export const pdep = underMask(true);
export const pext = underMask(false);

/** Destination 0 gets the high half, 1 the low one; the high half wins where they are one register. */
export function mulx(e: Emitter): void {
  protectedMode(e);
  const size = sizeOf(e);
  const [a, b] = [e.gpr(GPR.RDX, size as Size), e.read(2)];
  if (size === 64) {
    const high = e.let(e.helper('mulHighU', I64, [a, b]));
    e.write(1, a.mul(b));
    e.write(0, high);
    return;
  }
  const product = e.let(a.extendU().mul(b.extendU()));
  e.write(1, product.wrap());
  e.write(0, product.shrU(32).wrap());
}

/** No flags; counts modulo the size, which is what WebAssembly does. */
const shift = (f: (value: Value, count: Value) => Value) => (e: Emitter): void => {
  protectedMode(e);
  const value = e.read(1);
  const count = e.read(2);
  e.write(0, f(value, count.type === value.type ? count : as(e, count)));
}; // prettier-ignore
export const rorx = shift((v, n) => v.rotr(n));
export const sarx = shift((v, n) => v.shrS(n));
export const shlx = shift((v, n) => v.shl(n));
export const shrx = shift((v, n) => v.shrU(n));

/** ADCX adds and leaves CF alone, ADOX adds and leaves OF alone. */
const addThrough = (flag: 'carry' | 'overflow') => (e: Emitter): void => {
  const size = sizeOf(e);
  const right = e.read(1);
  const left = e.read(0);
  const carry = flag === 'carry' ? e.carry() : e.let(e.condition(0));
  const result = e.let(left.add(right).add(size === 64 ? carry.extendU() : carry));
  e.write(0, result);
  e.flags({ [flag]: e.let(select(carry, result.leU(left), result.ltU(left))) });
}; // prettier-ignore
export const adcx = addThrough('carry');
export const adox = addThrough('overflow');
