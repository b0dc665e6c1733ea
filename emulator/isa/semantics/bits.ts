/** Shifts, rotates, bit tests and scans. SDM vol. 2: SAL/SAR/SHL/SHR, RCL/RCR/ROL/ROR, SHLD, BT, BSF. */
import type { Emitter, Size } from '../../execution/builder';
import { i32 } from '../../execution/wasm';
import type { Value } from '../../execution/wasm';

/** The count operand masked to 5 bits, 6 for 64-bit operands; I32. */
const countOf = (e: Emitter, index: number): Value => e.let(e.read(index, 8).and(e.size === 64 ? 63 : 31));
const as = (e: Emitter, value: Value): Value => (e.size === 64 ? value.extendU() : value);
const bit = (e: Emitter, value: Value): Value => (e.size === 64 ? value.wrap() : value).and(1);

/** A count of 0 changes nothing, flags neither, but memory is still accessed for writing. */
const unlessZero = (e: Emitter, count: Value, left: Value, body: () => void): void => {
  if (count.constant !== undefined) {
    if (count.constant === 0) e.write(0, left);
    else body();
    return;
  }
  e.if(count.eqz(), () => e.write(0, left), body);
};

/** OF is defined for a count of 1 only; we give it as if the last step were the only one. AF is undefined: 0. */
const shift = (kind: 'shl' | 'shr' | 'sar') => (e: Emitter): void => {
  const count = countOf(e, 1);
  const left = e.modify(0);
  unlessZero(e, count, left, () => {
    const n = as(e, count);
    const before = e.let(as(e, count.sub(1)));
    const source = kind === 'sar' ? e.let(e.signed(left)) : left;
    // Below 32 bits the I32 holds what is shifted out: counts up to 31 lose nothing that matters.
    const last = e.let(kind === 'shl' ? left.shl(before) : kind === 'sar' ? source.shrS(before) : source.shrU(before));
    const carry = e.let(kind === 'shl' ? e.sign(last) : bit(e, last));
    const result = e.let(e.truncate(kind === 'shl' ? left.shl(n) : kind === 'sar' ? source.shrS(n) : source.shrU(n)));
    e.write(0, result);
    const overflow =
      kind === 'shl' ? e.sign(result).xor(carry) : kind === 'sar' ? i32(0) : e.sign(e.truncate(last));
    e.flags({ carry, overflow, adjust: i32(0), result });
  });
}; // prettier-ignore
export const shl = shift('shl');
export const shr = shift('shr');
export const sar = shift('sar');

/** Rotates change CF and OF only. */
const rotate = (left: boolean) => (e: Emitter): void => {
  const count = countOf(e, 1);
  const value = e.modify(0);
  unlessZero(e, count, value, () => {
    const n = e.let(as(e, count.and(e.size - 1)));
    const back = as(e, i32(e.size).sub(count).and(e.size - 1));
    const rotated = e.size >= 32
      ? left ? value.rotl(n) : value.rotr(n)
      : left ? value.shl(n).or(value.shrU(back)) : value.shrU(n).or(value.shl(back));
    const result = e.let(e.truncate(rotated));
    e.write(0, result);
    const top = e.let(e.sign(result));
    const carry = left ? e.let(bit(e, result)) : top;
    const second = left ? carry : (e.size === 64 ? result.shrU(62).wrap() : result.shrU(e.size - 2)).and(1);
    e.flags({ carry, overflow: top.xor(second) });
  });
}; // prettier-ignore
export const rol = rotate(true);
export const ror = rotate(false);

/** Through carry: a rotation of size+1 bits, one step at a time (rare, counts are small). */
const rotateThroughCarry = (left: boolean) => (e: Emitter): void => {
  const masked = countOf(e, 1);
  const count = e.size < 32 ? e.let(masked.remU(e.size + 1)) : masked;
  const value = e.modify(0);
  const current = e.variable(value.type);
  const carry = e.variable(count.type);
  const left1 = e.variable(count.type);
  e.f.set(current, value);
  e.f.set(carry, e.carry());
  e.f.set(left1, count);
  const get = (): Value => e.f.get(current);
  e.f.loop((again) => {
    e.if(e.f.get(left1), () => {
      const out = e.let(left ? e.sign(get()) : bit(e, get()));
      const inBit = as(e, e.f.get(carry));
      e.f.set(current, e.truncate(left ? get().shl(1).or(inBit) : get().shrU(1).or(inBit.shl(e.size - 1))));
      e.f.set(carry, out);
      e.f.set(left1, e.f.get(left1).sub(1));
      e.f.branch(again);
    });
  });
  e.write(0, get());
  const top = e.sign(get());
  const second = left ? e.f.get(carry) : (e.size === 64 ? get().shrU(62).wrap() : get().shrU(e.size - 2)).and(1);
  e.if(masked.ne(0), () => e.flags({ carry: e.f.get(carry), overflow: e.let(top.xor(second)) }));
}; // prettier-ignore
export const rcl = rotateThroughCarry(true);
export const rcr = rotateThroughCarry(false);

/** SHLD, SHRD. With 16-bit operands and a count above 16 the result is undefined: bits come from the source again. */
const doubleShift = (left: boolean) => (e: Emitter): void => {
  const count = countOf(e, 2);
  const filler = e.read(1);
  const value = e.modify(0);
  unlessZero(e, count, value, () => {
    let result: Value;
    let carry: Value;
    if (e.size === 16) {
      // Three words end to end in 64 bits: destination, source, destination.
      const wide = value.extendU();
      const all = e.let(wide.shl(32).or(filler.extendU().shl(16)).or(wide));
      const n = e.let(count.extendU());
      result = e.let(e.truncate(left ? all.shl(n).shrU(32) : all.shrU(n)));
      carry = e.let((left ? all.shrU(e.let(i32(48).sub(count).extendU())) : all.shrU(n.sub(1n))).wrap().and(1));
    } else {
      const n = as(e, count);
      const back = as(e, i32(e.size).sub(count));
      const before = as(e, count.sub(1));
      result = e.let(left ? value.shl(n).or(filler.shrU(back)) : value.shrU(n).or(filler.shl(back)));
      carry = e.let(left ? e.sign(value.shl(before)) : bit(e, value.shrU(before)));
    }
    e.write(0, result);
    e.flags({ carry, overflow: e.sign(result.xor(value)), adjust: i32(0), result });
  });
}; // prettier-ignore
export const shld = doubleShift(true);
export const shrd = doubleShift(false);

// --- Bit tests: CF only. With a register offset and a memory operand the bit string extends beyond the operand.
const changed = { bt: undefined, bts: (v: Value, m: Value) => v.or(m), btr: (v: Value, m: Value) => v.and(m.not()), btc: (v: Value, m: Value) => v.xor(m) }; // prettier-ignore

export const bitTest = (kind: keyof typeof changed) => (e: Emitter): void => {
  const change = changed[kind];
  const offset = e.read(1);
  const inString = e.isMemory(0) && e.form.operands[1].kind === 'gpr';
  const index = e.let((offset.type === e.constant(0).type ? offset : as(e, offset)).and(e.size - 1));
  const mask = e.constant(1).shl(index);
  if (inString) {
    const bytes = e.signed64(offset).shrS(Math.log2(e.size)).shl(Math.log2(e.size / 8));
    const at = e.let(e.truncateAddress(e.offset().add(bytes)));
    const size = e.size as Size;
    const cell = change && e.modifyAt('memory', at, size);
    const value = cell?.value ?? e.loadAt('memory', at, size);
    cell?.set(e.truncate(change!(value, mask)));
    e.flags({ carry: e.let(bit(e, value.shrU(index))) });
    return;
  }
  const value = change ? e.modify(0) : e.read(0);
  if (change) e.write(0, e.truncate(change(value, mask)));
  e.flags({ carry: e.let(bit(e, value.shrU(index))) });
}; // prettier-ignore

/** BSF, BSR: a source of 0 sets ZF and leaves the destination (AMD documents it, Intel behaves so). */
const scan = (forward: boolean) => (e: Emitter): void => {
  const source = e.read(1);
  const zero = e.let(source.eqz());
  const found = forward ? source.ctz() : e.constant(e.size === 64 ? 63 : 31).sub(source.clz());
  // A 32-bit destination's upper half stays too when the source is 0.
  e.if(zero.eqz(), () => e.write(0, found));
  e.setZero(zero);
}; // prettier-ignore
export const bsf = scan(true);
export const bsr = scan(false);

/** TZCNT, LZCNT: CF when the source is 0, ZF when the result is. OF, SF, PF, AF undefined. */
const countZeros = (trailing: boolean) => (e: Emitter): void => {
  const source = e.read(1);
  const excess = 32 - e.size;
  const result = e.let(
    trailing
      ? e.size === 16 ? source.or(0x10000).ctz() : source.ctz()
      : e.size === 16 ? source.clz().sub(excess) : source.clz(),
  );
  e.write(0, result);
  e.flags({ carry: e.let(source.eqz()) });
  e.setZero(result.eqz());
}; // prettier-ignore
export const tzcnt = countZeros(true);
export const lzcnt = countZeros(false);

export function popcnt(e: Emitter): void {
  const source = e.read(1);
  e.write(0, source.popcnt());
  e.flags({ carry: i32(0), overflow: i32(0), adjust: i32(0), result: e.constant(1) });
  e.setZero(e.let(source.eqz()));
}
