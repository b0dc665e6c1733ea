/**
 * WebAssembly modules as bytes: values (expression trees), functions, modules. Knows nothing of x86.
 * Structure and opcodes: WebAssembly core specification 2.0, chapter 5 (binary format).
 */
import { assert } from '../util/assert';

export const I32 = 0x7f;
export const I64 = 0x7e;
export const F32 = 0x7d;
export const F64 = 0x7c;
export const V128 = 0x7b;
export type ValueType = typeof I32 | typeof I64 | typeof F32 | typeof F64 | typeof V128;

/** A growing byte buffer with the format's integers. */
export class Bytes {
  private buffer = new Uint8Array(256);
  length = 0;

  private room(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return;
    const grown = new Uint8Array(Math.max(this.buffer.length * 2, this.length + bytes));
    grown.set(this.buffer.subarray(0, this.length));
    this.buffer = grown;
  }
  u8(value: number): void {
    this.room(1);
    this.buffer[this.length++] = value;
  }
  /** Unsigned LEB128. */
  u32(value: number): void {
    value >>>= 0;
    for (; value >= 0x80; value >>>= 7) this.u8((value & 0x7f) | 0x80);
    this.u8(value);
  }
  /** Signed LEB128, 32 bits. */
  s32(value: number): void {
    value |= 0;
    for (;;) {
      const byte = value & 0x7f;
      value >>= 7;
      if ((value === 0 && !(byte & 0x40)) || (value === -1 && byte & 0x40)) return this.u8(byte);
      this.u8(byte | 0x80);
    }
  }
  /** Signed LEB128, 64 bits. */
  s64(value: bigint): void {
    value = BigInt.asIntN(64, value);
    if (value === BigInt.asIntN(31, value)) return this.s32(Number(value));
    for (;;) {
      const byte = Number(value & 0x7fn);
      value >>= 7n;
      if ((value === 0n && !(byte & 0x40)) || (value === -1n && byte & 0x40)) return this.u8(byte);
      this.u8(byte | 0x80);
    }
  }
  append(bytes: ArrayLike<number>): void {
    this.room(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }
  /** A vector of bytes: length first. */
  vector(bytes: Uint8Array): void {
    this.u32(bytes.length);
    this.append(bytes);
  }
  name(text: string): void {
    this.vector(Uint8Array.from(text, (c) => c.charCodeAt(0)));
  }
  bytes(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }
}

/** Opcodes of the i32 form; the i64 form of an operator is 0x12 further, of a comparison 0x0b. */
const OP = {
  add: 0x6a, sub: 0x6b, mul: 0x6c, divS: 0x6d, divU: 0x6e, remS: 0x6f, remU: 0x70, and: 0x71, or: 0x72, xor: 0x73,
  shl: 0x74, shrS: 0x75, shrU: 0x76, rotl: 0x77, rotr: 0x78,
  eq: 0x46, ne: 0x47, ltS: 0x48, ltU: 0x49, gtS: 0x4a, gtU: 0x4b, leS: 0x4c, leU: 0x4d, geS: 0x4e, geU: 0x4f,
} as const; // prettier-ignore
type Op = keyof typeof OP;

const FOLD32: Partial<Record<Op, (a: number, b: number) => number>> = {
  add: (a, b) => a + b, sub: (a, b) => a - b, and: (a, b) => a & b, or: (a, b) => a | b, xor: (a, b) => a ^ b,
  shl: (a, b) => a << b, shrS: (a, b) => a >> b, shrU: (a, b) => a >>> b,
}; // prettier-ignore
const FOLD64: Partial<Record<Op, (a: bigint, b: bigint) => bigint>> = {
  add: (a, b) => a + b, sub: (a, b) => a - b, and: (a, b) => a & b, or: (a, b) => a | b, xor: (a, b) => a ^ b,
  shl: (a, b) => a << (b & 63n), shrS: (a, b) => BigInt.asIntN(64, a) >> (b & 63n), shrU: (a, b) => BigInt.asUintN(64, a) >> (b & 63n),
}; // prettier-ignore
const ZERO_IS_NEUTRAL: readonly Op[] = ['add', 'sub', 'or', 'xor', 'shl', 'shrS', 'shrU', 'rotl', 'rotr'];

type Literal = number | bigint;

/**
 * An expression that leaves one value on the stack. Pure as long as its leaves are (constants and locals that are
 * written once): using one twice computes it twice, FunctionBuilder.let computes it once.
 */
export class Value {
  constructor(
    readonly type: ValueType,
    readonly emit: (code: Bytes) => void,
    /** Known value: number for I32, bigint for I64. */
    readonly constant?: Literal,
    /** The I32 of which this I64 is the extension. */
    private readonly narrow?: Value,
  ) {}

  private operator(op: Op, other: Value | Literal, comparison = false): Value {
    const b = other instanceof Value ? other : constant(this.type, other);
    assert(this.type === b.type && (this.type === I32 || this.type === I64), `operands of ${op} differ in type`);
    if (b.constant !== undefined && !comparison) {
      if (this.constant !== undefined) {
        const folded = this.type === I32 ? FOLD32[op]?.(this.constant as number, b.constant as number) : FOLD64[op]?.(this.constant as bigint, b.constant as bigint); // prettier-ignore
        if (folded !== undefined) return constant(this.type, folded);
      }
      if (Number(b.constant) === 0 && ZERO_IS_NEUTRAL.includes(op)) return this;
    }
    const opcode = OP[op] + (this.type === I32 ? 0 : comparison ? 0x0b : 0x12);
    return new Value(comparison ? I32 : this.type, (code) => {
      this.emit(code);
      b.emit(code);
      code.u8(opcode);
    });
  }
  add(b: Value | Literal): Value {
    return this.operator('add', b);
  }
  sub(b: Value | Literal): Value {
    return this.operator('sub', b);
  }
  mul(b: Value | Literal): Value {
    return this.operator('mul', b);
  }
  divS(b: Value | Literal): Value {
    return this.operator('divS', b);
  }
  divU(b: Value | Literal): Value {
    return this.operator('divU', b);
  }
  remS(b: Value | Literal): Value {
    return this.operator('remS', b);
  }
  remU(b: Value | Literal): Value {
    return this.operator('remU', b);
  }
  and(b: Value | Literal): Value {
    return this.operator('and', b);
  }
  or(b: Value | Literal): Value {
    return this.operator('or', b);
  }
  xor(b: Value | Literal): Value {
    return this.operator('xor', b);
  }
  shl(b: Value | Literal): Value {
    return this.operator('shl', b);
  }
  shrS(b: Value | Literal): Value {
    return this.operator('shrS', b);
  }
  shrU(b: Value | Literal): Value {
    return this.operator('shrU', b);
  }
  rotl(b: Value | Literal): Value {
    return this.operator('rotl', b);
  }
  rotr(b: Value | Literal): Value {
    return this.operator('rotr', b);
  }
  eq(b: Value | Literal): Value {
    return this.operator('eq', b, true);
  }
  ne(b: Value | Literal): Value {
    return this.operator('ne', b, true);
  }
  ltS(b: Value | Literal): Value {
    return this.operator('ltS', b, true);
  }
  ltU(b: Value | Literal): Value {
    return this.operator('ltU', b, true);
  }
  gtS(b: Value | Literal): Value {
    return this.operator('gtS', b, true);
  }
  gtU(b: Value | Literal): Value {
    return this.operator('gtU', b, true);
  }
  leS(b: Value | Literal): Value {
    return this.operator('leS', b, true);
  }
  leU(b: Value | Literal): Value {
    return this.operator('leU', b, true);
  }
  geS(b: Value | Literal): Value {
    return this.operator('geS', b, true);
  }
  geU(b: Value | Literal): Value {
    return this.operator('geU', b, true);
  }
  private unary(type: ValueType, opcode: number, narrow?: Value): Value {
    return new Value(
      type,
      (code) => {
        this.emit(code);
        code.u8(opcode);
      },
      undefined,
      narrow,
    );
  }
  /** 1 where the value is 0. */
  eqz(): Value {
    return this.unary(I32, this.type === I64 ? 0x50 : 0x45);
  }
  clz(): Value {
    return this.unary(this.type, this.type === I64 ? 0x79 : 0x67);
  }
  ctz(): Value {
    return this.unary(this.type, this.type === I64 ? 0x7a : 0x68);
  }
  popcnt(): Value {
    return this.unary(this.type, this.type === I64 ? 0x7b : 0x69);
  }
  not(): Value {
    return this.xor(this.type === I64 ? -1n : -1);
  }
  neg = (): Value => constant(this.type, 0).sub(this);
  /** I64 to its low 32 bits. */
  wrap(): Value {
    if (this.constant !== undefined) return constant(I32, Number(BigInt.asIntN(32, this.constant as bigint)));
    return this.narrow ?? this.unary(I32, 0xa7);
  }
  /** I32 to I64. */
  extendU(): Value {
    return this.constant !== undefined ? constant(I64, BigInt((this.constant as number) >>> 0)) : this.unary(I64, 0xad, this); // prettier-ignore
  }
  extendS(): Value {
    return this.constant !== undefined ? constant(I64, BigInt(this.constant)) : this.unary(I64, 0xac, this);
  }
  /** The low 8, 16 or 32 bits sign-extended over the type. */
  signExtend(from: 8 | 16 | 32): Value {
    if (this.constant !== undefined) return constant(this.type, BigInt.asIntN(from, BigInt(this.constant)));
    if (this.type === I32) return from === 32 ? this : this.unary(I32, from === 8 ? 0xc0 : 0xc1);
    return this.unary(I64, from === 8 ? 0xc2 : from === 16 ? 0xc3 : 0xc4);
  }
  /** Any one-operand instruction that is not named above: conversions, reinterpretations, float functions. */
  convert(type: ValueType, opcode: number): Value {
    return this.unary(type, opcode);
  } /** Any two-operand instruction that is not named above. */
  binary(type: ValueType, opcode: number, b: Value): Value {
    return new Value(type, (code) => {
      this.emit(code);
      b.emit(code);
      code.u8(opcode);
    });
  }
}

export function constant(type: ValueType, value: Literal): Value {
  if (type === I32) {
    const number = Number(BigInt.asIntN(32, BigInt(value)));
    return new Value(I32, (code) => (code.u8(0x41), code.s32(number)), number);
  }
  assert(type === I64, 'constants are I32 or I64');
  const wide = BigInt.asIntN(64, BigInt(value));
  return new Value(I64, (code) => (code.u8(0x42), code.s64(wide)), wide);
}
export const i32 = (value: number): Value => constant(I32, value);
export const i64 = (value: Literal): Value => constant(I64, value);

/** `condition` is I32; both sides are computed. */
export const select = (condition: Value, whenTrue: Value, whenFalse: Value): Value => {
  assert(whenTrue.type === whenFalse.type, 'sides of select differ in type');
  return new Value(whenTrue.type, (code) => {
    whenTrue.emit(code);
    whenFalse.emit(code);
    condition.emit(code);
    if (whenTrue.type === V128) code.append([0x1c, 1, V128]);
    else code.u8(0x1b);
  });
};

/** SIMD instruction `opcode` (0xfd space) on operands from left to right, with immediate bytes. */
export const simd = (type: ValueType, opcode: number, operands: readonly Value[], immediates: readonly number[] = []): Value =>
  new Value(type, (code) => {
    for (const operand of operands) operand.emit(code);
    code.u8(0xfd);
    code.u32(opcode);
    code.append(immediates);
  }); // prettier-ignore

export type Width = 8 | 16 | 32 | 64 | 128;
const LOAD: Record<Width, [number, ValueType]> = { 8: [0x2d, I32], 16: [0x2f, I32], 32: [0x28, I32], 64: [0x29, I64], 128: [0, V128] }; // prettier-ignore
const STORE: Record<Exclude<Width, 128>, number> = { 8: 0x3a, 16: 0x3b, 32: 0x36, 64: 0x37 };

/** Zero-extended load: I32 up to 32 bits, I64 for 64, V128 for 128. Not pure: `let` it before memory changes. */
export const load = (width: Width, address: Value, offset = 0): Value => {
  const [opcode, type] = LOAD[width];
  return new Value(type, (code) => {
    address.emit(code);
    if (width === 128) code.append([0xfd, 0]);
    else code.u8(opcode);
    code.u8(0);
    code.u32(offset);
  });
};
/** 32 bits of memory sign-extended to I64. */
export const load32S = (address: Value, offset = 0): Value =>
  new Value(I64, (code) => {
    address.emit(code);
    code.append([0x34, 0]);
    code.u32(offset);
  });
export const loadF = (type: typeof F32 | typeof F64, address: Value, offset = 0): Value =>
  new Value(type, (code) => {
    address.emit(code);
    code.append([type === F32 ? 0x2a : 0x2b, 0]);
    code.u32(offset);
  });
/** Call with one result. */
export const call = (callee: number, type: ValueType, operands: readonly Value[]): Value =>
  new Value(type, (code) => {
    for (const operand of operands) operand.emit(code);
    code.u8(0x10);
    code.u32(callee);
  });

/** Through the module's table. */
export const callIndirect = (signature: number, type: ValueType, operands: readonly Value[], index: Value): Value =>
  new Value(type, (code) => {
    for (const operand of operands) operand.emit(code);
    index.emit(code);
    code.u8(0x11);
    code.u32(signature);
    code.u8(0);
  });

/** A local variable, by index. */
export interface Local {
  readonly index: number;
  readonly type: ValueType;
}
/** A branch target: depth of the enclosing block. */
export type Label = number;

/** One function: statements append to its code. */
export class FunctionBuilder {
  readonly code = new Bytes();
  private readonly locals: ValueType[] = [];
  private readonly free = new Map<ValueType, Local[]>();
  private taken: Local[] = [];
  private depth = 0;

  constructor(readonly parameters: readonly ValueType[] = []) {}

  parameter(index: number): Value {
    return this.get({ index, type: this.parameters[index] });
  }
  local(type: ValueType): Local {
    const reused = this.free.get(type)?.pop();
    const local = reused ?? { index: this.parameters.length + this.locals.push(type) - 1, type };
    this.taken.push(local);
    return local;
  }
  /** Locals taken inside are free again afterwards. */
  scope(body: () => void): void {
    const outer = this.taken;
    this.taken = [];
    body();
    for (const local of this.taken) {
      const list = this.free.get(local.type);
      if (list) list.push(local);
      else this.free.set(local.type, [local]);
    }
    this.taken = outer;
  }
  get(local: Local): Value {
    return new Value(local.type, (code) => {
      code.u8(0x20);
      code.u32(local.index);
    });
  }
  set(local: Local, value: Value): void {
    assert(local.type === value.type, 'local and value differ in type');
    value.emit(this.code);
    this.code.u8(0x21);
    this.code.u32(local.index);
  }
  /** Computes it here, once. */
  let(value: Value): Value {
    if (value.constant !== undefined) return value;
    const local = this.local(value.type);
    this.set(local, value);
    return this.get(local);
  }
  store(width: Width, address: Value, value: Value, offset = 0): void {
    address.emit(this.code);
    value.emit(this.code);
    if (width === 128) this.code.append([0xfd, 11]);
    else this.code.u8(STORE[width]);
    this.code.u8(0);
    this.code.u32(offset);
  }
  storeF(type: typeof F32 | typeof F64, address: Value, value: Value, offset = 0): void {
    address.emit(this.code);
    value.emit(this.code);
    this.code.append([type === F32 ? 0x38 : 0x39, 0]);
    this.code.u32(offset);
  }
  /** Call without a result. */
  call(callee: number, operands: readonly Value[]): void {
    for (const operand of operands) operand.emit(this.code);
    this.code.u8(0x10);
    this.code.u32(callee);
  }
  if(condition: Value, then: () => void, otherwise?: () => void): void {
    condition.emit(this.code);
    this.code.append([0x04, 0x40]);
    this.depth++;
    then();
    if (otherwise) {
      this.code.u8(0x05);
      otherwise();
    }
    this.end();
  }
  block(body: (label: Label) => void): void {
    this.code.append([0x02, 0x40]);
    body(++this.depth);
    this.end();
  }
  loop(body: (label: Label) => void): void {
    this.code.append([0x03, 0x40]);
    body(++this.depth);
    this.end();
  }
  private end(): void {
    this.code.u8(0x0b);
    this.depth--;
  }
  /** Opens a block that `close` ends: for nests whose depth is only known at run time. */
  open(): Label {
    this.code.append([0x02, 0x40]);
    return ++this.depth;
  }
  close(): void {
    this.end();
  }
  branch(label: Label): void {
    this.code.u8(0x0c);
    this.code.u32(this.depth - label);
  }
  branchIf(label: Label, condition: Value): void {
    condition.emit(this.code);
    this.code.u8(0x0d);
    this.code.u32(this.depth - label);
  }
  branchTable(index: Value, labels: readonly Label[], otherwise: Label): void {
    index.emit(this.code);
    this.code.u8(0x0e);
    this.code.u32(labels.length);
    for (const label of labels) this.code.u32(this.depth - label);
    this.code.u32(this.depth - otherwise);
  }
  return(value?: Value): void {
    value?.emit(this.code);
    this.code.u8(0x0f);
  }
  unreachable(): void {
    this.code.u8(0x00);
  }
  /** Locals and code, without the length. */
  body(): Uint8Array {
    const out = new Bytes();
    out.u32(this.locals.length);
    for (const type of this.locals) out.append([1, type]);
    out.append(this.code.bytes());
    out.u8(0x0b);
    return out.bytes();
  }
}

interface Signature {
  parameters: readonly ValueType[];
  results: readonly ValueType[];
}

/** A module that imports its memory as `env.memory` and, when asked, the function table as `env.table`. */
export class ModuleBuilder {
  private readonly signatures: Signature[] = [];
  private readonly imports: { name: string; type: number }[] = [];
  private readonly functions: { type: number; builder: FunctionBuilder; name?: string }[] = [];

  constructor(private readonly withTable = false) {}

  type(parameters: readonly ValueType[], results: readonly ValueType[]): number {
    const same = (s: Signature): boolean => s.parameters.join() === parameters.join() && s.results.join() === results.join(); // prettier-ignore
    const known = this.signatures.findIndex(same);
    return known >= 0 ? known : this.signatures.push({ parameters, results }) - 1;
  }
  /** All imports before the first function. */
  import(name: string, parameters: readonly ValueType[], results: readonly ValueType[]): number {
    assert(this.functions.length === 0, 'imports come before functions');
    return this.imports.push({ name, type: this.type(parameters, results) }) - 1;
  }
  add(builder: FunctionBuilder, results: readonly ValueType[], name?: string): number {
    const type = this.type(builder.parameters, results);
    return this.imports.length + this.functions.push({ type, builder, name }) - 1;
  }

  build(): Uint8Array<ArrayBuffer> {
    const out = new Bytes();
    out.append([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    const section = (id: number, fill: (content: Bytes) => void): void => {
      const content = new Bytes();
      fill(content);
      out.u8(id);
      out.vector(content.bytes());
    };
    section(1, (c) => {
      c.u32(this.signatures.length);
      for (const { parameters, results } of this.signatures) {
        c.u8(0x60);
        c.vector(Uint8Array.from(parameters));
        c.vector(Uint8Array.from(results));
      }
    });
    section(2, (c) => {
      c.u32(this.imports.length + (this.withTable ? 2 : 1));
      for (const { name, type } of this.imports) {
        c.name('env');
        c.name(name);
        c.u8(0);
        c.u32(type);
      }
      c.name('env');
      c.name('memory');
      c.append([2, 0, 1]);
      if (this.withTable) {
        c.name('env');
        c.name('table');
        c.append([1, 0x70, 0, 1]);
      }
    });
    section(3, (c) => {
      c.u32(this.functions.length);
      for (const { type } of this.functions) c.u32(type);
    });
    section(7, (c) => {
      const exported = this.functions.map((f, i) => [f.name, i] as const).filter(([name]) => name !== undefined);
      c.u32(exported.length);
      for (const [name, i] of exported) {
        c.name(name!);
        c.u8(0);
        c.u32(this.imports.length + i);
      }
    });
    section(10, (c) => {
      c.u32(this.functions.length);
      for (const { builder } of this.functions) c.vector(builder.body());
    });
    return out.bytes().slice();
  }
}
