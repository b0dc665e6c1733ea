/** Location expressions: a stack machine that says where a value is. DWARF 5 sections 2.5 and 2.6. */
import type { Location, Target } from './api';
import { AT, ATE, nameOf, OP } from './dwarf-constants';
import type { Dwarf } from './dwarf';
import { littleEndian, Stack, toBytes } from './location-stack';
import type { Entry } from './entries';
import { Reader, toGva } from './reader';
import { binary, convert, type StackType, Unavailable, unary, unsignedOf } from './typed-values';
import type { Unit } from './units';

export interface ExpressionContext {
  dwarf: Dwarf;
  /** Whose addresses, references and sizes the expression uses. */
  unit: Pick<Unit, 'addressSize' | 'offsetSize' | 'version'> & Partial<Unit>;
  target: Target;
  /** Canonical frame address. Throws Unavailable. */
  cfa(): bigint;
  /** Value of the function's frame base. Throws Unavailable. */
  frameBase(): bigint;
  /** Value of an expression as it was when the function was entered. Throws Unavailable. */
  entryValue(block: Uint8Array): bigint;
  /** Address of the object itself, for expressions of types. */
  object?: bigint;
}

/** More steps than any real expression takes: branches can make loops. */
const MOST_STEPS = 20_000;
/** Other entries' expressions that one may go through: they can refer to each other. */
const MOST_CALLS = 32;

/** What an expression has used up, with all that it calls. */
interface Spent {
  steps: number;
  calls: number;
}

/** Where the value is; `unavailable` with a reason instead of an exception for everything a file or guest can cause. */
export const locate = (block: Uint8Array, context: ExpressionContext): Location => {
  try {
    return new Machine(context).locate(block);
  } catch (error) {
    if (error instanceof Unavailable) return { kind: 'unavailable', why: error.message };
    throw error;
  }
};

/** The number that an expression leaves on the stack, `initial` pushed before. Throws Unavailable. */
export const compute = (block: Uint8Array, context: ExpressionContext, initial: bigint[] = []): bigint => {
  const machine = new Machine(context);
  machine.stack.push(...initial.map((bits) => ({ bits })));
  const location = machine.locate(block);
  if (location.kind === 'memory') return location.gva;
  if (location.kind === 'register') return machine.register(location.number);
  if (location.kind === 'value') return littleEndian(location.bytes);
  throw new Unavailable(location.kind === 'unavailable' ? location.why : 'its location is in pieces');
};

export { littleEndian, toBytes };

type Piece = Extract<Location, { kind: 'pieces' }>['pieces'][number];

class Machine extends Stack {
  /** What an operator said outright: a register, a literal. */
  private outright?: Location;
  private readonly pieces: Piece[] = [];

  constructor(
    context: ExpressionContext,
    private readonly spent: Spent = { steps: 0, calls: 0 },
  ) {
    super(context);
  }

  locate(block: Uint8Array): Location {
    this.run(block);
    if (this.pieces.length > 0) return { kind: 'pieces', pieces: this.pieces };
    return this.current();
  }
  /** The location that the operators since the last piece describe. */
  private current(): Location {
    const { outright } = this;
    this.outright = undefined;
    if (outright) return outright;
    const top = this.stack.pop();
    return top ? { kind: 'memory', gva: unsignedOf(top, this.bits) } : { kind: 'unavailable', why: 'optimised out' };
  }

  private run(block: Uint8Array): void {
    const reader = new Reader(block, 'location expression');
    while (!reader.done) {
      if (++this.spent.steps > MOST_STEPS) throw new Unavailable('its location expression does not end');
      this.step(reader.u8(), reader);
    }
  }

  private step(op: number, reader: Reader): void {
    if (op >= OP.lit0 && op < OP.reg0) return this.push(BigInt(op - OP.lit0));
    if (op >= OP.reg0 && op < OP.breg0) {
      this.outright = { kind: 'register', number: op - OP.reg0 };
      return;
    }
    if (op >= OP.breg0 && op < OP.regx) return this.push(this.register(op - OP.breg0) + reader.slebBig());
    if (op >= OP.and && op <= OP.xor && op !== OP.plus_uconst && op !== OP.neg && op !== OP.not)
      return this.twoOperands(op);
    if (op >= OP.eq && op <= OP.ne) return this.twoOperands(op);
    if (op === OP.neg || op === OP.not || op === OP.abs) {
      this.stack.push(unary(op, this.pop(), this.bits));
      return;
    }
    if (op >= OP.addr && op <= OP.rot && this.constant(op, reader)) return;
    if (this.stackShuffle(op, reader) || this.frame(op, reader) || this.whole(op, reader) || this.typed(op, reader))
      return;
    throw new Unavailable(`its location uses DW_OP_${nameOf(OP, op)}, which is not known`);
  }
  private twoOperands(op: number): void {
    const b = this.pop();
    this.stack.push(binary(op, this.pop(), b, this.bits));
  }

  private frame(op: number, reader: Reader): boolean {
    const { context } = this;
    switch (op) {
      case OP.fbreg:
        this.push(context.frameBase() + reader.slebBig());
        return true;
      case OP.bregx: {
        const number = reader.uleb();
        this.push(this.register(number) + reader.slebBig());
        return true;
      }
      case OP.call_frame_cfa:
        this.push(context.cfa());
        return true;
      case OP.deref:
        this.push(this.memory(unsignedOf(this.pop(), this.bits), context.unit.addressSize));
        return true;
      case OP.deref_size: {
        const bytes = reader.u8();
        this.push(this.memory(unsignedOf(this.pop(), this.bits), bytes));
        return true;
      }
      case OP.entry_value:
      case OP.GNU_entry_value:
        this.push(context.entryValue(reader.block(reader.uleb())));
        return true;
      case OP.push_object_address:
        if (context.object === undefined) throw new Unavailable('its location needs the address of an object');
        this.push(context.object);
        return true;
      case OP.form_tls_address:
      case OP.GNU_push_tls_address:
        throw new Unavailable('thread-local: where the thread’s block is, only the guest’s C library knows');
      case OP.xderef:
      case OP.xderef_size:
      case OP.xderef_type:
        throw new Unavailable('its location is in another address space');
      case OP.addrx:
      case OP.constx:
      case OP.GNU_addr_index:
      case OP.GNU_const_index:
        this.push(toGva(context.dwarf.indexedAddress(context.unit as Unit, reader.uleb())));
        return true;
      default:
        return false;
    }
  }

  /** Operators that describe a location as a whole, or a piece of one. */
  private whole(op: number, reader: Reader): boolean {
    switch (op) {
      case OP.regx:
        this.outright = { kind: 'register', number: reader.uleb() };
        return true;
      case OP.implicit_value:
        this.outright = { kind: 'value', bytes: reader.block(reader.uleb()) };
        return true;
      case OP.stack_value: {
        const top = this.pop();
        this.outright = { kind: 'value', bytes: toBytes(top.bits, top.type?.bytes ?? this.bits / 8) };
        return true;
      }
      case OP.implicit_pointer:
      case OP.GNU_implicit_pointer: {
        const entry = this.referred(reader.offset(this.context.unit.offsetSize));
        reader.skipLeb();
        const name = entry && this.context.dwarf.nameOf(entry);
        this.outright = {
          kind: 'unavailable',
          why: `points to ${name ?? 'an object'}, which was optimised out of memory`,
        };
        return true;
      }
      case OP.piece: {
        const bytes = reader.uleb();
        this.pieces.push({ location: this.current(), bytes });
        return true;
      }
      case OP.bit_piece: {
        const [size, offset] = [reader.uleb(), reader.uleb()];
        this.pieces.push({ location: this.current(), bytes: Math.ceil(size / 8), bits: { size, offset } });
        return true;
      }
      case OP.call2:
      case OP.call4:
        return this.call(
          this.referred((this.context.unit.start ?? 0) + (op === OP.call2 ? reader.u16() : reader.u32())),
        );
      case OP.call_ref:
        return this.call(this.referred(reader.offset(this.context.unit.offsetSize)));
      case OP.GNU_variable_value:
        return this.variableValue(this.referred(reader.offset(this.context.unit.offsetSize)));
      case OP.GNU_parameter_ref:
        throw new Unavailable('its value is a parameter of a function that was specialised away');
      default:
        return false;
    }
  }
  private referred(offset: number): Entry | undefined {
    return this.context.dwarf.entry(offset);
  }
  private enter(): void {
    if (++this.spent.calls > MOST_CALLS) throw new Unavailable('its location expression calls itself');
  }
  private call(entry: Entry | undefined): boolean {
    this.enter();
    const block = entry?.block(AT.location);
    if (block) this.run(block);
    return true;
  }
  private variableValue(entry: Entry | undefined): boolean {
    const block = entry?.block(AT.location);
    if (!entry || !block) throw new Unavailable('its location needs a variable that was optimised out');
    this.enter();
    const location = new Machine(this.context, this.spent).locate(block);
    if (location.kind === 'memory')
      this.push(this.memory(location.gva, entry.reference(AT.type)?.number(AT.byte_size) ?? this.bits / 8));
    else if (location.kind === 'register') this.push(this.register(location.number));
    else if (location.kind === 'value') this.push(littleEndian(location.bytes));
    else throw new Unavailable('its location needs a variable that was optimised out');
    return true;
  }

  private typed(op: number, reader: Reader): boolean {
    switch (op) {
      case OP.const_type:
      case OP.GNU_const_type: {
        const type = this.type(reader.uleb());
        this.push(littleEndian(reader.block(reader.u8())), type);
        return true;
      }
      case OP.regval_type:
      case OP.GNU_regval_type: {
        const number = reader.uleb();
        this.push(this.register(number), this.type(reader.uleb()));
        return true;
      }
      case OP.deref_type:
      case OP.GNU_deref_type: {
        const bytes = reader.u8();
        this.push(this.memory(unsignedOf(this.pop(), this.bits), bytes), this.type(reader.uleb()));
        return true;
      }
      case OP.convert:
      case OP.GNU_convert:
        this.stack.push(convert(this.pop(), this.type(reader.uleb()), this.bits));
        return true;
      case OP.reinterpret:
      case OP.GNU_reinterpret:
        this.push(this.pop().bits, this.type(reader.uleb()));
        return true;
      default:
        return false;
    }
  }
  /** A base type of the unit, by offset from the unit's start; 0 is the generic type. */
  private type(offset: number): StackType | undefined {
    if (offset === 0) return undefined;
    const entry = this.referred((this.context.unit.start ?? 0) + offset);
    const bytes = entry?.number(AT.byte_size);
    if (!entry || !bytes || bytes > 16) throw new Unavailable('its location expression is damaged: a type is missing');
    const encoding = entry.number(AT.encoding);
    if (encoding === ATE.float) return { encoding: 'float', bytes };
    return { encoding: encoding === ATE.signed || encoding === ATE.signed_char ? 'signed' : 'unsigned', bytes };
  }
}
