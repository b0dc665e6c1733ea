/** Memory through the software TLB: the same for every tier. */
import { I32, call, i32, load } from './wasm';
import type { FunctionBuilder, Local, Value, ValueType, Width } from './wasm';
import type { Cell, Form, Helper, HelperCallees, Size } from './builder-types';
import * as layout from './layout';

type Intent = 'read' | 'write' | 'modify';

/** STACK_PAGE and STACK_ADDEND (layout.ts) in variables. */
export interface StackPage {
  readonly page: Local;
  readonly addend: Local;
}
/** With the bytes in what stackAddress is told. */
export const WRITING = 0x100;

/** Of the table at an address: whether it knows the page of a gva and of the last byte of what begins there, and where that is. */
export function entryOf(f: FunctionBuilder, table: Value, gva: Value, last = gva): { hit: Value; host: Value } {
  const index = gva
    .shrU(8)
    .wrap()
    .and((layout.TLB_ENTRIES - 1) << 4);
  const entry = f.let(table.add(index));
  return { hit: load(64, entry).eq(last.and(-4096n)), host: gva.wrap().add(load(32, entry, 8)) };
}
/** Address of the table in force. */
export const tableOf = (writing: boolean): Value => load(32, i32(0), writing ? layout.TLB_WRITE : layout.TLB_READ);

/** The part of an Emitter that accesses linear addresses. */
export abstract class TlbEmitter {
  constructor(
    readonly f: FunctionBuilder,
    readonly form: Form,
    protected readonly helpers: HelperCallees,
  ) {}

  // --- What a tier supplies.
  /** Names the instruction to the slow paths. */
  protected abstract site(): Value;
  /** Leaves with the fault that is pending; the instruction has not happened. */
  protected abstract leaveFaulted(): void;

  // --- Small things.
  get size(): Size {
    return this.form.operandSize;
  }
  let(value: Value): Value {
    return this.f.let(value);
  }
  if(condition: Value, then: () => void, otherwise?: () => void): void {
    this.f.if(condition, then, otherwise);
  }
  /** A variable for values that differ by path. */
  variable(type: ValueType): Local {
    return this.f.local(type);
  }
  helper(name: Helper, type: ValueType, operands: readonly Value[]): Value {
    return call(this.helpers[name], type, operands);
  }

  // --- Accesses.
  /** Address of the table in force. */
  protected tlbTable(writing: boolean): Value {
    return tableOf(writing);
  }
  /** Who answers a miss. */
  protected slowPath(writing: boolean): Helper {
    return writing ? 'slowWrite' : 'slowRead';
  }
  /** The page of the stack, which is tried before the TLB; undefined: none is remembered. */
  protected get stackPage(): StackPage | undefined {
    return undefined;
  }
  /** The TLB may be another one now. */
  protected tlbChanged(): void {}
  /** Where in linear memory to access `bytes` at a gva; leaves when that faults. */
  private hostAddress(linear: Value, bytes: number, intent: Intent, onStack: boolean): Value {
    const { f } = this;
    const address = this.variable(I32);
    const result = f.get(address);
    const known = onStack ? this.stackPage : undefined;
    if (!known) this.throughTlb(address, linear, bytes, intent);
    else
      f.if(
        // Unaligned accesses, which may cross into the next page, have bits set that no page address has.
        linear.and(-4096n | BigInt(bytes - 1)).eq(f.get(known.page)),
        () => f.set(address, linear.wrap().add(f.get(known.addend))),
        () => {
          const info = i32(bytes | (intent === 'read' ? 0 : WRITING));
          f.set(address, this.helper('stackAddress', I32, [linear, info, this.site()]));
          f.if(result.eqz(), () => this.leaveFaulted(), undefined, false);
          this.tlbChanged();
        },
        true,
      );
    return result;
  }
  private throughTlb(address: Local, linear: Value, bytes: number, intent: Intent): void {
    const writing = intent !== 'read';
    const { hit, host } = entryOf(this.f, this.tlbTable(writing), linear, bytes === 1 ? linear : linear.add(bytes - 1));
    this.f.if(
      hit,
      () => this.f.set(address, host),
      () => {
        const info = bytes | (intent === 'modify' ? 0x100 : 0);
        const parts = [linear.wrap(), linear.shrU(32).wrap(), i32(info), this.site()];
        this.f.set(address, this.helper(this.slowPath(writing), I32, parts));
        this.f.if(this.f.get(address).eqz(), () => this.leaveFaulted(), undefined, false);
        this.tlbChanged();
      },
      true,
    );
  }
  loadLinear(linear: Value, size: Width, onStack = false): Value {
    return this.let(load(size, this.hostAddress(linear, size / 8, 'read', onStack)));
  }
  /** 256 bits as two halves, one access. */
  loadPair(linear: Value): readonly [Value, Value] {
    const host = this.hostAddress(linear, 32, 'read', false);
    return [this.let(load(128, host)), this.let(load(128, host, 16))];
  }
  storePair(linear: Value, low: Value, high: Value): void {
    const host = this.hostAddress(linear, 32, 'write', false);
    this.f.store(128, host, high, 16);
    this.storeHost(host, 128, low);
  }
  storeLinear(linear: Value, size: Width, value: Value, onStack = false): void {
    const kept = this.let(value);
    this.storeHost(this.hostAddress(linear, size / 8, 'write', onStack), size, kept);
  }
  protected storeHost(host: Value, size: Width, value: Value): void {
    this.f.store(size, host, value);
    this.f.if(host.ltU(layout.SCRATCH_END), () => this.f.call(this.helpers.slowCommit, [host]), undefined, false);
  }
  protected cell(linear: Value, size: Width, onStack: boolean): Cell {
    const host = this.hostAddress(linear, size / 8, 'modify', onStack);
    // Memory that answers through SCRATCH has one value there at a time: what was read is kept.
    return { value: this.let(load(size, host)), set: (value) => this.storeHost(host, size, value) };
  }
}
