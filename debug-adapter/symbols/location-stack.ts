/** The stack of location expressions, and the operators that need nothing else. DWARF 5 section 2.5.1. */
import type { ExpressionContext } from './location-expressions';
import { OP } from './dwarf-constants';
import type { Reader } from './reader';
import { binary, type StackType, type StackValue, Unavailable } from './typed-values';

export const littleEndian = (bytes: Uint8Array): bigint => {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
  return value;
};
export const toBytes = (value: bigint, length: number): Uint8Array => {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++, value >>= 8n) bytes[i] = Number(value & 0xffn);
  return bytes;
};

export class Stack {
  readonly stack: StackValue[] = [];
  protected readonly bits: number;

  constructor(protected readonly context: ExpressionContext) {
    this.bits = context.unit.addressSize * 8;
  }

  register(number: number): bigint {
    const value = this.context.target.register(number);
    if (value === undefined) throw new Unavailable(`register ${number} (DWARF number) is not known in this frame`);
    return BigInt.asUintN(Math.max(this.bits, 64), value);
  }
  protected push(bits: bigint, type?: StackType): void {
    this.stack.push({ bits: BigInt.asUintN(type ? type.bytes * 8 : this.bits, bits), ...(type && { type }) });
  }
  protected pop(): StackValue {
    const value = this.stack.pop();
    if (!value) throw new Unavailable('its location expression is damaged: the stack is empty');
    return value;
  }
  protected memory(gva: bigint, bytes: number): bigint {
    const read = this.context.target.memory(gva, bytes);
    if (read.length < bytes) throw new Unavailable(`memory at 0x${gva.toString(16)} cannot be read`);
    return littleEndian(read);
  }

  protected constant(op: number, reader: Reader): boolean {
    switch (op) {
      case OP.addr:
        this.push(reader.big(this.context.unit.addressSize));
        return true;
      case OP.const1u:
        this.push(BigInt(reader.u8()));
        return true;
      case OP.const1s:
        this.push(BigInt(reader.i8()));
        return true;
      case OP.const2u:
        this.push(BigInt(reader.u16()));
        return true;
      case OP.const2s:
        this.push(BigInt.asIntN(16, BigInt(reader.u16())));
        return true;
      case OP.const4u:
        this.push(BigInt(reader.u32()));
        return true;
      case OP.const4s:
        this.push(BigInt.asIntN(32, BigInt(reader.u32())));
        return true;
      case OP.const8u:
      case OP.const8s:
        this.push(reader.u64());
        return true;
      case OP.constu:
        this.push(reader.ulebBig());
        return true;
      case OP.consts:
        this.push(reader.slebBig());
        return true;
      default:
        return false;
    }
  }

  protected stackShuffle(op: number, reader: Reader): boolean {
    const { stack } = this;
    const peek = (depth: number): StackValue => {
      const value = stack[stack.length - 1 - depth];
      if (!value) throw new Unavailable('its location expression is damaged: the stack is too short');
      return value;
    };
    switch (op) {
      case OP.dup:
        stack.push(peek(0));
        return true;
      case OP.drop:
        this.pop();
        return true;
      case OP.over:
        stack.push(peek(1));
        return true;
      case OP.pick:
        stack.push(peek(reader.u8()));
        return true;
      case OP.swap:
        stack.splice(-2, 2, peek(0), peek(1));
        return true;
      case OP.rot:
        stack.splice(-3, 3, peek(0), peek(2), peek(1));
        return true;
      case OP.plus_uconst:
        this.stack.push(binary(OP.plus, this.pop(), { bits: reader.ulebBig() }, this.bits));
        return true;
      case OP.skip:
      case OP.bra: {
        const distance = (reader.u16() << 16) >> 16;
        if (op === OP.skip || this.pop().bits !== 0n) {
          const to = reader.at + distance;
          if (to < 0 || to > reader.end) throw new Unavailable('its location expression branches outside of itself');
          reader.at = to;
        }
        return true;
      }
      case OP.nop:
      case OP.GNU_uninit:
        return true;
      default:
        return false;
    }
  }
}
