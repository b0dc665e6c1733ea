/** ALU operations, decimal adjustment; multiplication and division are in multiply.ts. Flags: SDM vol. 1 appendix A. */
import type { Emitter } from '../../execution/builder';
import { i32, select } from '../../execution/wasm';
import type { Value } from '../../execution/wasm';
import { GPR, VECTOR } from '../../x86/registers';

export function add(e: Emitter): void {
  const right = e.read(1);
  const left = e.modify(0);
  const result = e.let(e.truncate(left.add(right)));
  e.write(0, result);
  e.flagsAdd(left, right, result);
}

export function sub(e: Emitter): void {
  const right = e.read(1);
  const left = e.modify(0);
  const result = e.let(e.truncate(left.sub(right)));
  e.write(0, result);
  e.flagsSub(left, right, result);
}

export function cmp(e: Emitter): void {
  const left = e.read(0);
  const right = e.read(1);
  e.flagsSub(left, right, e.let(e.truncate(left.sub(right))));
}

const carryIn = (e: Emitter, carry: Value): Value => (e.size === 64 ? carry.extendU() : carry);

/** AF of a sum or a difference: the carry out of bit 3. */
const adjustOf = (e: Emitter, left: Value, right: Value, result: Value): Value => {
  const bits = left.xor(right).xor(result);
  return (e.size === 64 ? bits.wrap() : bits).shrU(4).and(1);
};

export function adc(e: Emitter): void {
  const right = e.read(1);
  const left = e.modify(0);
  const carry = e.carry();
  const result = e.let(e.truncate(left.add(right).add(carryIn(e, carry))));
  e.write(0, result);
  e.flags({
    carry: select(carry, result.leU(left), result.ltU(left)),
    overflow: e.sign(result.xor(left).and(result.xor(right))),
    adjust: adjustOf(e, left, right, result),
    result,
  });
}

export function sbb(e: Emitter): void {
  const right = e.read(1);
  const left = e.modify(0);
  const borrow = e.carry();
  const result = e.let(e.truncate(left.sub(right).sub(carryIn(e, borrow))));
  e.write(0, result);
  e.flags({
    carry: select(borrow, left.leU(right), left.ltU(right)),
    overflow: e.sign(left.xor(right).and(left.xor(result))),
    adjust: adjustOf(e, left, right, result),
    result,
  });
}

const logical =
  (operation: (left: Value, right: Value) => Value) =>
  (e: Emitter): void => {
    const right = e.read(1);
    const left = e.modify(0);
    const result = e.let(operation(left, right));
    e.write(0, result);
    e.flagsLogic(result);
  };
export const and = logical((left, right) => left.and(right));
export const or = logical((left, right) => left.or(right));
export const xor = logical((left, right) => left.xor(right));

export function test(e: Emitter): void {
  e.flagsLogic(e.let(e.read(0).and(e.read(1))));
}

export function not(e: Emitter): void {
  e.write(0, e.truncate(e.modify(0).not()));
}

export function neg(e: Emitter): void {
  const right = e.modify(0);
  const zero = e.constant(0);
  const result = e.let(e.truncate(zero.sub(right)));
  e.write(0, result);
  e.flagsSub(zero, right, result);
}

/** INC and DEC leave CF alone. */
const step = (by: 1 | -1) => (e: Emitter): void => {
  const left = e.modify(0);
  const result = e.let(e.truncate(left.add(by)));
  e.write(0, result);
  const limit = 1n << BigInt(e.size - 1);
  const low = e.size === 64 ? result.wrap() : result;
  e.flags({
    carry: e.carry(),
    overflow: result.eq(e.constant(by === 1 ? limit : limit - 1n)),
    adjust: low.and(15).eq(by === 1 ? 0 : 15),
    result,
  });
}; // prettier-ignore
export const inc = step(1);
export const dec = step(-1);

export function xadd(e: Emitter): void {
  const left = e.modify(0);
  const right = e.read(1);
  const result = e.let(e.truncate(left.add(right)));
  if (e.isMemory(0)) {
    e.write(0, result);
    e.write(1, left);
  } else {
    // XADD of a register with itself ends with the sum: the destination is written last.
    e.write(1, left);
    e.write(0, result);
  }
  e.flagsAdd(left, right, result);
}

export function cmpxchg(e: Emitter): void {
  const destination = e.modify(0);
  const source = e.read(1);
  const accumulator = e.let(e.gpr(GPR.RAX, e.size));
  const equal = e.let(accumulator.eq(destination));
  // Memory is written either way (SDM vol. 2, CMPXCHG): with its old value when the comparison fails. A register is not:
  // the upper half of a 32-bit one stays (seen on AMD's family 17h).
  if (e.isMemory(0)) e.write(0, select(equal, source, destination));
  else e.if(equal, () => e.write(0, source));
  e.if(equal.eqz(), () => e.setGpr(GPR.RAX, e.size, destination));
  e.flagsSub(accumulator, destination, e.let(e.truncate(accumulator.sub(destination))));
}

/** CMPXCHG8B and CMPXCHG16B: EDX:EAX against memory, ECX:EBX into it. */
export function cmpxchgPair(e: Emitter): void {
  const half = e.size === 64 ? 64 : 32;
  const at = e.offset();
  const bytes = half / 8;
  if (half === 64) e.raiseIf(at.and(15).ne(0n), VECTOR.GP, 0);
  const second = e.let(e.truncateAddress(at.add(bytes)));
  const lowCell = e.modifyAt('memory', at, half);
  const highCell = e.modifyAt('memory', second, half);
  const [low, high] = [lowCell.value, highCell.value];
  const equal = e.let(low.eq(e.gpr(GPR.RAX, half)).and(high.eq(e.gpr(GPR.RDX, half))));
  lowCell.set(select(equal, e.let(e.gpr(GPR.RBX, half)), low));
  highCell.set(select(equal, e.let(e.gpr(GPR.RCX, half)), high));
  e.if(equal.eqz(), () => {
    e.setGpr(GPR.RAX, half, low);
    e.setGpr(GPR.RDX, half, high);
  });
  e.setZero(equal);
}

// --- Decimal adjustment: not in 64-bit mode. OF (and for AAA/AAS SF, ZF, PF) undefined.
/** DAA adds, DAS subtracts: SDM vol. 2, "DAA", operation section. */
const decimalAdjust = (direction: 1 | -1) => (e: Emitter): void => {
  const al = e.let(e.gpr(GPR.RAX, 8));
  const carry = e.carry();
  const low = e.let(al.and(15).gtU(9).or(e.adjust()));
  const high = e.let(al.gtU(0x99).or(carry));
  const by = select(low, i32(6), i32(0)).add(select(high, i32(0x60), i32(0)));
  const result = e.let(e.truncate(direction === 1 ? al.add(by) : al.sub(by), 8));
  // DAS also borrows out of the low step when AL was below 6 (operation section of DAS).
  const borrow = direction === -1 ? low.and(al.ltU(6)) : i32(0);
  e.setGpr(GPR.RAX, 8, result);
  e.flags({ carry: high.or(borrow), overflow: i32(0), adjust: low, result }, 8);
}; // prettier-ignore
export const daa = decimalAdjust(1);
export const das = decimalAdjust(-1);

const asciiAdjust = (direction: 1 | -1) => (e: Emitter): void => {
  const ax = e.let(e.gpr(GPR.RAX, 16));
  const adjust = e.let(ax.and(15).gtU(9).or(e.adjust()));
  const by = select(adjust, i32(0x106), i32(0));
  const result = e.let(e.truncate(direction === 1 ? ax.add(by) : ax.sub(by), 16).and(0xff0f));
  e.setGpr(GPR.RAX, 16, result);
  e.flags({ carry: adjust, overflow: i32(0), adjust, result: result.and(0xff) }, 8);
}; // prettier-ignore
export const aaa = asciiAdjust(1);
export const aas = asciiAdjust(-1);

export function aam(e: Emitter): void {
  const base = e.read(0);
  e.raiseIf(base.eqz(), VECTOR.DE);
  const al = e.let(e.gpr(GPR.RAX, 8));
  const low = e.let(al.remU(base));
  e.setGpr(GPR.RAX, 16, al.divU(base).shl(8).or(low));
  e.flags({ carry: i32(0), overflow: i32(0), adjust: i32(0), result: low }, 8);
}

export function aad(e: Emitter): void {
  const base = e.read(0);
  const result = e.let(e.truncate(e.gpr(GPR.RAX, 16).shrU(8).mul(base).add(e.gpr(GPR.RAX, 8)), 8));
  e.setGpr(GPR.RAX, 16, result);
  e.flags({ carry: i32(0), overflow: i32(0), adjust: i32(0), result }, 8);
}
