/** One WebAssembly function: locals, statements, control flow (core specification 2.0, sections 5.4 and 5.5.13). */
import { assert } from '../util/assert';
import { Bytes } from './wasm-bytes';
import { emitCall, Value } from './wasm-value';
import type { Callee, ValueType, Width } from './wasm-value';

const STORE: Record<Exclude<Width, 128>, number> = { 8: 0x3a, 16: 0x3b, 32: 0x36, 64: 0x37 };

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
  /** Where in `code` a branch is known to go one way, and which: for the engine's optimising compiler. */
  private readonly hints: { at: number; likely: boolean }[] = [];

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
    if (value.constant !== undefined || value.kept) return value;
    const local = this.local(value.type);
    this.set(local, value);
    const kept = this.get(local);
    kept.kept = true;
    return kept;
  }
  store(width: Width, address: Value, value: Value, offset = 0): void {
    address.emit(this.code);
    value.emit(this.code);
    if (width === 128) this.code.append([0xfd, 11]);
    else this.code.u8(STORE[width]);
    this.code.u8(0);
    this.code.u32(offset);
  }
  /** Bytes within memory, from one address to another; they may overlap. Then: the low byte of a value to so many bytes. */
  copy(to: Value, from: Value, bytes: Value): void {
    for (const operand of [to, from, bytes]) operand.emit(this.code);
    this.code.append([0xfc, 10, 0, 0]);
  }
  fill(to: Value, value: Value, bytes: Value): void {
    for (const operand of [to, value, bytes]) operand.emit(this.code);
    this.code.append([0xfc, 11, 0]);
  }
  /** Call without a result. */
  call(callee: Callee, operands: readonly Value[]): void {
    for (const operand of operands) operand.emit(this.code);
    emitCall(this.code, callee);
  }
  /** `likely`: which way it goes nearly always, where that is known. */
  if(condition: Value, then: () => void, otherwise?: () => void, likely?: boolean): void {
    condition.emit(this.code);
    if (likely !== undefined) this.hints.push({ at: this.code.length, likely });
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
  private declarations(): Uint8Array {
    const runs: { type: ValueType; count: number }[] = [];
    for (const type of this.locals) {
      const last = runs[runs.length - 1];
      if (last?.type === type) last.count++;
      else runs.push({ type, count: 1 });
    }
    const out = new Bytes();
    out.u32(runs.length);
    for (const { type, count } of runs) {
      out.u32(count);
      out.u8(type);
    }
    return out.bytes();
  }
  /** Locals and code, without the length. */
  body(): Uint8Array {
    const out = new Bytes();
    out.append(this.declarations());
    out.append(this.code.bytes());
    out.u8(0x0b);
    return out.bytes();
  }
  /** By offset in `body()`. */
  branchHints(): { at: number; likely: boolean }[] {
    const before = this.declarations().length;
    return this.hints.map(({ at, likely }) => ({ at: at + before, likely }));
  }
}
