/**
 * The frame of a compiled region's function: state in locals, and how it gets there and back; leaving; calls out. What is
 * in between is the compiler's (compiler.ts).
 */
import { assert } from '../util/assert';
import type { HelperCallees } from './builder';
import type { StackPage } from './builder-tlb';
import * as layout from './layout';
import { leave } from './links';
import { EXIT, GO_ON, RECORD_BYTES } from './record';
import type { Site } from './region-emitter';
import type { Liveness } from './region-liveness';
import { FunctionBuilder, I32, I64, call, i32, load } from './wasm';
import type { Label, Local, Value } from './wasm';

export abstract class RegionFunction {
  readonly f = new FunctionBuilder([I32]);
  private registers: (Local | undefined)[] = [];
  private written = 0;
  protected readonly left = this.f.local(I32);
  protected readonly answer = this.f.local(I32);
  private readonly tables = { read: this.f.local(I32), write: this.f.local(I32) };
  stackPage: StackPage | undefined;
  protected exit: Label = 0;
  protected ends: Label = 0;

  protected constructor(readonly helpers: HelperCallees) {}

  protected allocate({ used, written, stackAccesses }: Liveness): void {
    this.written = written;
    this.registers = Array.from({ length: 16 }, (_, i) => ((used >> i) & 1 ? this.f.local(I64) : undefined));
    if (stackAccesses > 1) this.stackPage = { page: this.f.local(I64), addend: this.f.local(I32) };
  }

  /** Instructions of the cache's block behind the end of this one. */
  protected abstract get excess(): number;

  /** State to locals. */
  protected load(): void {
    const { f } = this;
    this.registers.forEach((local, i) => local && f.set(local, load(64, i32(0), layout.GPRS + i * 8)));
    f.set(this.left, load(32, i32(0), layout.BUDGET));
    f.set(this.tables.read, load(32, i32(0), layout.TLB_READ));
    f.set(this.tables.write, load(32, i32(0), layout.TLB_WRITE));
    this.takeStackPage();
  }
  protected store(): void {
    const { f } = this;
    this.registers.forEach((local, i) => {
      if (local && (this.written >> i) & 1) f.store(64, i32(0), f.get(local), layout.GPRS + i * 8);
    });
    f.store(32, i32(0), f.get(this.left), layout.BUDGET);
  }

  register(index: number): Local {
    const local = this.registers[index];
    assert(local !== undefined, 'a register that the instruction names was found by the analysis');
    return local;
  }
  tlb(writing: boolean): Value {
    return this.f.get(writing ? this.tables.write : this.tables.read);
  }
  takeStackPage(): void {
    if (!this.stackPage) return;
    this.f.set(this.stackPage.page, load(64, i32(0), layout.STACK_PAGE));
    this.f.set(this.stackPage.addend, load(32, i32(0), layout.STACK_ADDEND));
  }
  budget(): Value {
    return this.f.get(this.left);
  }

  // --- Leaving.
  /** The run loop takes it that the whole block of the cache was paid for. */
  protected payExcess(): void {
    if (this.excess > 0) this.f.set(this.left, this.f.get(this.left).sub(this.excess));
  }
  protected exitWith(reason: number, record: number): void {
    this.payExcess();
    leave(this.f, reason, i32(record));
    this.f.set(this.answer, i32(0));
    this.f.branch(this.exit);
  }
  protected stopAt(record: number): void {
    this.exitWith(EXIT.STOP, record);
  }

  // --- Out of the region and back: registers, flags and budget lie where everybody looks for them.
  private publish(): void {
    this.store();
    if (this.excess > 0) this.f.store(32, i32(0), this.f.get(this.left).sub(this.excess), layout.BUDGET);
  }
  private takeBack(): void {
    this.load();
    if (this.excess > 0) this.f.set(this.left, this.f.get(this.left).add(this.excess));
  }
  /** Calls the row's plain meaning; leaves if it wants to, or if somebody asked for an exit meanwhile. */
  protected callOut({ record, insn }: Site): void {
    const { f } = this;
    const { ends } = insn.row.attributes;
    this.publish();
    const answer = f.let(call(this.helpers.called, I32, [i32(record)]));
    f.if(answer, () => {
      if (ends) f.if(answer.eq(GO_ON), () => f.return(call(this.helpers.resume, I32, [])));
      f.return(i32(0));
    });
    if (ends) return f.unreachable();
    this.takeBack();
    f.if(f.get(this.left).ltS(0), () => this.stopAt(record + RECORD_BYTES), undefined, false);
  }
  plain(site: Site): void {
    this.callOut(site);
    if (!site.insn.row.attributes.ends) this.f.branch(this.ends);
  }
  giveWay({ record }: Site): void {
    const { f } = this;
    this.publish();
    f.call(this.helpers.giveWay, [i32(record)]);
    leave(f, EXIT.STOP, i32(record + RECORD_BYTES));
    f.return(i32(0));
  }
  bulkString({ record }: Site, info: Value): Value {
    this.publish();
    const done = this.f.let(call(this.helpers.bulkString, I32, [i32(record), info]));
    this.takeBack();
    return done;
  }
}
