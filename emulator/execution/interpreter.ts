/**
 * The first tier: one WebAssembly function that dispatches on the handler number of a record. The forms that guests use
 * most are cases of its br_table; the others are functions of their own behind a table, made when first met.
 * The code of a form comes from the row's meaning; here is only where operands are found and how an instruction ends.
 */
import { Emitter, HELPERS } from './builder';
import type { Form, HelperCallees, Size } from './builder';
import { FunctionBuilder, I32, ModuleBuilder, call, i32, load, load32S } from './wasm';
import type { Label, Value } from './wasm';
import * as layout from './layout';
import {
  EXIT,
  FIRST_HELPER_INDEX,
  GUARD_BYTES,
  GUARD_INDEX,
  HEADER,
  HEADER_BYTES,
  LEAVE,
  RECORD,
  RECORD_BYTES,
} from './record';
import { addHelpers, forward, HELPER_NAMES, helpersInTable, HOST_HELPERS } from './helpers';
import type { HostHelper } from './helpers';
import { followLink, leave, probeJumpCache } from './links';
import type { Ways } from './links';

/** A form with the meaning that makes its code. `ends`: the row ends its block. */
export interface FormCode {
  form: Form;
  emit: (e: Emitter) => void;
  ends: boolean;
}

const REGISTER_SLOTS = [RECORD.SLOT0, RECORD.SLOT1, RECORD.SLOT2];

class RecordEmitter extends Emitter {
  private readonly record: Value;

  constructor(
    f: FunctionBuilder,
    private readonly code: FormCode,
    helpers: HelperCallees,
    private readonly ways: Ways,
  ) {
    super(f, code.form, helpers);
    this.record = f.parameter(0);
  }

  /** Emits the whole instruction, its end included. */
  emitForm(): void {
    this.code.emit(this);
    if (!this.code.ends) this.ways.next(this.nextRecord());
  }
  private nextRecord(): Value {
    return this.record.add(RECORD_BYTES);
  }
  private field16(offset: number): Value {
    return load(16, this.record, offset);
  }
  private at(size: number, address: Value): Value {
    return load(size as Size, address);
  }
  private put(size: number, address: Value, value: Value): void {
    // A 32-bit result clears the upper half (SDM vol. 1 section 3.4.1.1).
    if (size === 32) this.f.store(64, address, value.extendU());
    else this.f.store(size as Size, address, value);
  }

  protected registerOperand(index: number, size: number, upper: boolean): Value {
    return load(size as Size, this.field16(REGISTER_SLOTS[index]), upper ? 16 : 0);
  }
  protected setRegisterOperand(index: number, size: number, value: Value, upper: boolean): void {
    const { kind } = this.form.operands[index];
    const slot = this.field16(REGISTER_SLOTS[index]);
    if (kind === 'gpr') this.put(size, slot, value);
    else this.f.store(size as Size, slot, value, upper ? 16 : 0);
    // What lies above in the x87 register becomes ones (SDM vol. 1 section 9.2.1).
    if (kind === 'mmx') this.f.store(16, slot, i32(0xffff), 8);
  }
  protected immediateOperand(size: number): Value {
    return this.at(size, this.record.add(RECORD.IMMEDIATE));
  }
  protected addressSum(): Value {
    if (this.form.operands.some((o) => o.kind === 'absolute')) return load(64, this.record, RECORD.IMMEDIATE);
    const displacement = load32S(this.record, RECORD.DISPLACEMENT);
    if (this.form.operands.some((o) => o.kind === 'rip')) return this.nextRip().add(displacement);
    const base = load(64, this.field16(RECORD.BASE));
    const index = load(64, this.field16(RECORD.INDEX)).shl(load(8, this.record, RECORD.SCALE).extendU());
    return base.add(index).add(displacement);
  }
  protected memorySegmentBase(): Value {
    return load(64, this.field16(RECORD.SEGMENT_BASE));
  }
  protected memorySegment(): Value {
    return load(8, this.record, RECORD.SEGMENT);
  }
  protected site(): Value {
    return this.record;
  }
  protected leaveFaulted(): void {
    leave(this.f, EXIT.FAULT, this.record);
    this.ways.exit();
  }
  gpr(index: number, size: Size): Value {
    return this.let(this.at(size, i32(layout.GPRS + index * 8)));
  }
  setGpr(index: number, size: Size, value: Value): void {
    this.put(size, i32(layout.GPRS + index * 8), value);
  }
  protected flagWord(address: number): Value {
    return load(64, i32(0), address);
  }
  protected setFlagWord(address: number, value: Value): void {
    this.f.store(64, i32(0), value, address);
  }
  nextRip(): Value {
    return load(64, this.record, RECORD.NEXT_RIP);
  }
  jump(): void {
    this.follow(RECORD.LINK_TAKEN, load(64, this.record, RECORD.IMMEDIATE));
  }
  fallThrough(): void {
    if (this.code.ends) this.follow(RECORD.LINK_NEXT, this.nextRip());
    else this.ways.next(this.nextRecord());
  }
  jumpIndirect(target: Value): void {
    const rip = this.let(target);
    probeJumpCache(this.f, rip, (found) => this.ways.enter(found));
    this.f.store(64, i32(0), rip, layout.RIP);
    this.f.store(32, i32(0), i32(0), layout.EXIT_LINK);
    leave(this.f, EXIT.LINK, this.record);
    this.ways.exit();
  }
  private follow(link: number, rip: Value): void {
    followLink(this.f, this.record, link, rip, this.ways);
  }
  again(): void {
    const left = this.let(load(32, i32(0), layout.BUDGET).sub(1));
    this.if(left.ltS(0), () => {
      leave(this.f, EXIT.AGAIN, this.record);
      this.ways.exit();
    });
    this.f.store(32, i32(0), left, layout.BUDGET);
    this.ways.next(this.record);
  }
  plain(): void {
    callMeaning(this.f, this.record, this.helpers, this.ways);
  }
  ticks(): Value {
    // The block was paid for as a whole: what comes from here on has not happened.
    const position = this.let(load(8, this.record, RECORD.POSITION));
    const header = this.record.sub(position.mul(RECORD_BYTES)).sub(HEADER_BYTES);
    const ahead = load(32, i32(0), layout.BUDGET)
      .add(load(32, header, HEADER.COUNT))
      .sub(position);
    return load(64, i32(0), layout.TICKS_BASE).sub(ahead.extendS());
  }
  protected bulk(info: Value): Value {
    return this.helper('bulkString', I32, [this.record, info]);
  }
}

/** The row's plain meaning, and on with what it answers (record.ts). */
function callMeaning(f: FunctionBuilder, record: Value, helpers: HelperCallees, ways: Ways): void {
  const answer = f.let(call(helpers.called, I32, [record]));
  f.if(answer, () => {
    f.if(answer.eq(LEAVE), () => ways.exit());
    const to = f.let(call(helpers.resume, I32, []));
    f.if(to.eqz(), () => ways.exit());
    ways.enter(to.sub(1));
  });
  ways.next(record.add(RECORD_BYTES));
}

/** The dispatcher with the given forms inline, as handlers FIRST_FORM_HANDLER and up. Exports `run(record)`. */
export function buildDispatcher(inline: readonly FormCode[]): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  const imported = Object.fromEntries(
    HOST_HELPERS.map((name) => [name, module.import(name, HELPERS[name].parameters, HELPERS[name].results)]),
  ) as Record<HostHelper, number>;
  const helpers = { ...imported, ...addHelpers(module, imported) };
  const formType = module.type([I32], [I32]);

  const f = new FunctionBuilder([I32]);
  const record = f.parameter(0);
  const current = { index: 0, type: I32 } as const;
  f.block((exit) =>
    f.loop((enter) => {
      const header = f.let(record.sub(HEADER_BYTES));
      const left = f.let(load(32, i32(0), layout.BUDGET).sub(load(32, header, HEADER.COUNT)));
      const go = (target: Value): void => {
        f.set(current, target);
        f.branch(enter);
      };
      f.if(left.ltS(0), () => {
        leave(f, EXIT.BUDGET, record);
        f.branch(exit);
      });
      f.if(left.geS(load(32, header, HEADER.NEED)), () => {
        const answer = f.let(call({ signature: formType, place: load(32, header, HEADER.REGION) }, I32, [record]));
        f.branchIf(exit, answer.eqz());
        go(answer.sub(1));
      });
      const heat = f.let(load(32, header, HEADER.HEAT).sub(1));
      f.store(32, header, heat, HEADER.HEAT);
      f.if(heat.eqz(), () => {
        leave(f, EXIT.HOT, record);
        f.branch(exit);
      });
      f.store(32, i32(0), left, layout.BUDGET);
      f.loop((next) => {
        const to = (label: Label) => (target: Value): void => {
          f.set(current, target);
          f.branch(label);
        }; // prettier-ignore
        const ways: Ways = { next: to(next), enter: to(enter), exit: () => f.branch(exit) };
        const stop = (): void => {
          leave(f, EXIT.STOP, record);
          f.branch(exit);
        };
        const fall = (): void => followLink(f, record, RECORD.LINK_NEXT, load(64, record, RECORD.NEXT_RIP), ways);
        const forms = inline.map((code) => () => new RecordEmitter(f, code, helpers, ways).emitForm());
        dispatch(f, record, [stop, () => callMeaning(f, record, helpers, ways), fall, ...forms], () =>
          outOfLine(f, record, formType, ways),
        );
      });
    }),
  );
  module.add(f, [], 'run');
  module.put(module.add(guardFunction(helpers.guard), [I32]), GUARD_INDEX);
  for (const name of HOST_HELPERS) helpers[name] = module.add(forward(name, imported[name]), HELPERS[name].results);
  HELPER_NAMES.forEach((name, i) => module.put(helpers[name], FIRST_HELPER_INDEX + i));
  return module.build();
}

/** What is entered before a block at a breakpoint: answers with the block, or 0 to leave as if the budget were short. */
function guardFunction(guard: number): FunctionBuilder {
  const f = new FunctionBuilder([I32]);
  const record = f.parameter(0);
  f.if(call(guard, I32, [record]), () => {
    leave(f, EXIT.BUDGET, record);
    f.return(i32(0));
  });
  f.return(record.add(GUARD_BYTES).or(1));
  f.unreachable();
  return f;
}

/** Cases by handler number; each ends by going somewhere. */
function dispatch(f: FunctionBuilder, record: Value, cases: readonly (() => void)[], otherwise: () => void): void {
  const labels = [...cases, otherwise].map(() => f.open()).reverse();
  const last = labels.pop()!;
  f.branchTable(load(32, record, RECORD.HANDLER), labels, last);
  for (const body of [...cases, otherwise]) {
    f.close();
    f.scope(body);
  }
}

/** A form with a function of its own: it answers with the next record, the next block (bit 0 set), or 0 to leave. */
function outOfLine(f: FunctionBuilder, record: Value, type: number, ways: Ways): void {
  const index = load(32, record, RECORD.HANDLER);
  const answer = f.let(call({ signature: type, place: index }, I32, [record]));
  f.if(answer.eqz(), () => ways.exit());
  f.if(answer.and(1), () => ways.enter(answer.sub(1)));
  ways.next(answer);
}

/** A module with one function for each form, to be put to these places of the table; or to those from `env.base` on. */
export function buildForms(codes: readonly FormCode[], places?: readonly number[]): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  const helpers = helpersInTable(module);
  if (!places) module.relative();
  codes.forEach((code, i) => {
    const f = new FunctionBuilder([I32]);
    const ways: Ways = {
      next: (target) => f.return(target),
      enter: (target) => f.return(target.or(1)),
      exit: () => f.return(i32(0)),
    };
    new RecordEmitter(f, code, helpers, ways).emitForm();
    f.unreachable();
    module.put(module.add(f, [I32]), places ? places[i] : i);
  });
  return module.build();
}
