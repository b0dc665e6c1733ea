/** Multiplication and division: products and dividends of twice the operand size. Flags: SDM vol. 1 appendix A. */
import type { Emitter } from '../../execution/builder';
import { I64, i32, i64, load } from '../../execution/wasm';
import type { Value } from '../../execution/wasm';
import { GPR, VECTOR } from '../../x86/registers';
import * as layout from '../../execution/layout';

// --- Multiplication. SF, ZF, AF and PF are undefined; we set them from the low half, AF to 0.
const multiplied = (e: Emitter, result: Value, overflow: Value): void => {
  if (!e.flagsWanted) return;
  const kept = e.let(overflow);
  e.flags({ carry: kept, overflow: kept, adjust: i32(0), result });
};

/** IMUL with two or three operands: `left` and `right` by position. */
const imulOf = (left: number, right: number) => (e: Emitter): void => {
  const a = e.read(left);
  const b = e.read(right);
  const result = e.let(e.truncate(a.mul(b)));
  e.write(0, result);
  multiplied(
    e,
    result,
    e.size === 64
      ? e.helper('mulHighS', I64, [a, b]).ne(result.shrS(63))
      : e.signed64(a).mul(e.signed64(b)).ne(e.signed64(result)),
  );
}; // prettier-ignore
export const imul2 = imulOf(0, 1);
export const imul3 = imulOf(1, 2);

const multiplyAccumulator = (signed: boolean) => (e: Emitter): void => {
  const a = e.let(e.gpr(GPR.RAX, e.size));
  const b = e.read(0);
  if (e.size === 64) {
    const low = e.let(a.mul(b));
    const high = e.let(e.helper(signed ? 'mulHighS' : 'mulHighU', I64, [a, b]));
    e.setGpr(GPR.RAX, 64, low);
    e.setGpr(GPR.RDX, 64, high);
    return multiplied(e, low, signed ? high.ne(low.shrS(63)) : high.ne(0n));
  }
  const extend = (v: Value): Value => (signed ? e.signed64(v) : v.extendU());
  const product = e.let(extend(a).mul(extend(b)));
  const low = e.let(e.truncate(product));
  const high = e.let(e.truncate(product.shrU(e.size)));
  if (e.size === 8) e.setGpr(GPR.RAX, 16, e.truncate(product, 16));
  else {
    e.setGpr(GPR.RAX, e.size, low);
    e.setGpr(GPR.RDX, e.size, high);
  }
  multiplied(e, low, signed ? product.ne(e.signed64(low)) : high.ne(0));
}; // prettier-ignore
export const mul = multiplyAccumulator(false);
export const imul1 = multiplyAccumulator(true);

// --- Division. All flags are undefined: they stay.
const NARROW_ACCUMULATOR = { 8: 16, 16: 32, 32: 64 } as const;

const divide = (signed: boolean) => (e: Emitter): void => {
  const divisor = e.read(0);
  e.raiseIf(divisor.eqz(), VECTOR.DE);
  if (e.size === 64) return signed ? divide128Signed(e, divisor) : divide128(e, divisor);
  const size = e.size;
  const low = e.gpr(GPR.RAX, size);
  const dividend = e.let(
    size === 8
      ? signed ? e.signed64(e.gpr(GPR.RAX, 16), 16) : e.gpr(GPR.RAX, 16).extendU()
      : size === 32 || !signed
        ? e.gpr(GPR.RDX, size).extendU().shl(size).or(low.extendU())
        : e.signed64(e.gpr(GPR.RDX, size).shl(size).or(low), NARROW_ACCUMULATOR[size]),
  );
  const wide = e.let(signed ? e.signed64(divisor) : divisor.extendU());
  // The one signed quotient that WebAssembly traps on overflows here too.
  if (signed && size === 32) e.raiseIf(dividend.eq(-(1n << 63n)).and(wide.eq(-1n)), VECTOR.DE);
  const quotient = e.let(signed ? dividend.divS(wide) : dividend.divU(wide));
  const limit = 1n << BigInt(size - 1);
  e.raiseIf(signed ? quotient.add(limit).geU(limit * 2n) : quotient.geU(limit * 2n), VECTOR.DE);
  const remainder = e.let(signed ? dividend.remS(wide) : dividend.remU(wide));
  if (size === 8) e.setGpr(GPR.RAX, 16, e.truncate(quotient).or(e.truncate(remainder).shl(8)));
  else {
    e.setGpr(GPR.RAX, size, e.truncate(quotient));
    e.setGpr(GPR.RDX, size, e.truncate(remainder));
  }
}; // prettier-ignore
export const div = divide(false);
export const idiv = divide(true);

const remainderOfHelper = (): Value => load(64, i32(0), layout.SCRATCH);

function divide128(e: Emitter, divisor: Value): void {
  const high = e.let(e.gpr(GPR.RDX, 64));
  const low = e.let(e.gpr(GPR.RAX, 64));
  e.raiseIf(high.geU(divisor), VECTOR.DE);
  const quotient = e.variable(I64);
  const remainder = e.variable(I64);
  e.if(
    high.eqz(),
    () => {
      e.f.set(quotient, low.divU(divisor));
      e.f.set(remainder, low.remU(divisor));
    },
    () => {
      e.f.set(quotient, e.helper('divideU', I64, [high, low, divisor]));
      e.f.set(remainder, remainderOfHelper());
    },
  );
  e.setGpr(GPR.RAX, 64, e.f.get(quotient));
  e.setGpr(GPR.RDX, 64, e.f.get(remainder));
}

/** Signs apart: divides magnitudes and puts the signs back (the quotient truncates toward 0). */
function divide128Signed(e: Emitter, divisor: Value): void {
  const high = e.let(e.gpr(GPR.RDX, 64));
  const low = e.let(e.gpr(GPR.RAX, 64));
  const dividendSign = e.let(high.shrS(63));
  const divisorSign = e.let(divisor.shrS(63));
  const absDivisor = e.let(divisor.xor(divisorSign).sub(divisorSign));
  const absLow = e.let(low.xor(dividendSign).sub(dividendSign));
  const borrow = dividendSign.ne(0n).and(low.ne(0n)).extendU();
  const absHigh = e.let(high.xor(dividendSign).sub(dividendSign).sub(borrow));
  e.raiseIf(absHigh.geU(absDivisor), VECTOR.DE);
  const quotient = e.let(e.helper('divideU', I64, [absHigh, absLow, absDivisor]));
  const remainder = e.let(remainderOfHelper());
  const sign = e.let(dividendSign.xor(divisorSign));
  e.raiseIf(quotient.gtU(i64((1n << 63n) - 1n).sub(sign)), VECTOR.DE);
  e.setGpr(GPR.RAX, 64, quotient.xor(sign).sub(sign));
  e.setGpr(GPR.RDX, 64, remainder.xor(dividendSign).sub(dividendSign));
}
