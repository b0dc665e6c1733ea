/**
 * Random programs of user mode: blocks of any instructions, loops that end, calls, jumps by tables and registers, code that
 * is written while it runs, faults. What a program begins with belongs to it, so that whoever executes it ends alike.
 */
import type { Encoding } from '../../emulator/isa/encoding';
import { decode } from '../../emulator/isa/decode';
import type { Instruction, Row } from '../../emulator/isa/instruction';
import { encode, little, placeRipRelative, setPointers } from './encode';
import type { Encoded } from './encode';
import { PLACE } from './oracle';
import * as parts from './program-code';
import { CODE_BYTES, DATA_OFFSET } from './program-code';
import type { Code } from './program-code';
import { makeData, makeFloats } from './program-data';
import { interestingInteger } from './random';
import type { Random } from './random';

/** What programs may have in them. */
export interface Style {
  code: Code;
  /** What to take instructions from: one in so many from each. */
  choose(random: Random): Encoding;
  /** An instruction of the host's programs: what is undefined must not reach anything that is compared. */
  admits?(insn: Instruction): boolean;
  /** Exceptions of floats are masked, and stay so. */
  masked: boolean;
  writesCode: boolean;
  /** How often loops go round, all together. */
  fuel: number;
}

/** An instruction that was generated. */
export interface Place {
  at: number;
  /** Letters of flags that are undefined when it faults. */
  unclear: string;
  row?: Row;
}

const SURE_OF_FLAGS = /^(?!ro[lr]|rc[lr]|sh[lr]|sar|scas|cmps|fu?comi)/;
/** host/sequences.c has room for so many. */
export const MOST_HEADS = 16;
const STACK_USERS = /^(push|pop|call|ret|enter|leave)/;
/** How far one of these came before it faulted is the processor's own affair. */
const STACK_WALKERS = /^(pusha|popa|enter)/;
const WITHOUT = (flags: string, gone = ''): string => [...flags].filter((f) => !gone.includes(f)).join('');
const JUMP = { CALL: [0xe8], JMP: [0xe9], JS: [0x0f, 0x88] } as const;

export class Program {
  readonly code = new Uint8Array(CODE_BYTES).fill(PLACE.FILLING);
  readonly data: Uint8Array;
  readonly gprs: BigUint64Array;
  readonly fx: Uint8Array;
  readonly upper: Uint8Array;
  readonly rflags: number;
  /** Offsets: of the first instruction, of the INT3 that ends it, of loops' heads, where it goes on when it has gone astray. */
  readonly entry: number;
  readonly end: number;
  readonly heads: number[] = [];
  /** All instructions, in order: after a fault it goes on with the next one. */
  readonly places: Place[] = [];
  /** Of them, those that are random, as their bytes. */
  readonly random: string[] = [];

  private at: number;
  /** Letters of flags that are undefined here. */
  private undefinedFlags = '';
  private readonly blocks: number[] = [];
  private readonly jumps: { at: number; width: number; to: 'head' | 'end' | 'function' | number }[] = [];
  private readonly patches: { at: number; mask: number }[] = [];
  private readonly flips: { at: number; length: number }[] = [];

  constructor(
    readonly style: Style,
    private readonly dice: Random,
  ) {
    // Across the border of two pages.
    this.entry = this.at = 0x1000 - dice.below(0x800);
    const count = 10 + dice.below(20);
    for (let i = 0; i < count && this.hasRoom; i++) this.block(i);
    this.settle();
    this.jump(JUMP.JMP, 'head');
    this.end = this.at;
    this.put([0xcc]);
    const functions: number[] = [];
    for (let i = 0; i < 3 && this.hasRoom; i++) {
      functions.push(this.at);
      for (let n = dice.below(5); n > 0; n--) this.instruction();
      this.settle();
      this.put([0xc3]);
    }
    this.resolve(functions);
    this.gprs = BigUint64Array.from({ length: 16 }, () => interestingInteger(dice));
    if (style.code.size !== 64) this.gprs.forEach((value, i) => (this.gprs[i] = i < 8 ? value & 0xffff_ffffn : 0n));
    this.gprs[4] = this.stack();
    this.rflags = 0x202 | (dice.u32() & 0x8d5);
    ({ fx: this.fx, upper: this.upper } = makeFloats(style, dice));
    this.data = makeData(style, this.heads, dice);
  }

  /** Of each instruction the next one's offset. */
  readonly next = new Map<number, number>();

  private get hasRoom(): boolean {
    return this.at < CODE_BYTES - 0x400;
  }
  private put(bytes: readonly number[], row?: Row): void {
    const place = { at: this.at, row, unclear: this.undefinedFlags + (row?.attributes.undefined ?? '') };
    this.places.push(place);
    this.code.set(bytes, this.at);
    this.next.set(this.at, (this.at += bytes.length));
  }
  private jump(opcode: readonly number[], to: (typeof this.jumps)[number]['to']): void {
    const { bytes, width } = parts.nearJump(this.style.code, [...opcode]);
    this.put(bytes);
    this.jumps.push({ at: this.at - width, width, to });
  }
  /** Nothing undefined is seen from here on. */
  private settle(): void {
    if (!this.style.admits || !this.undefinedFlags) return;
    const registers = this.style.code.size === 64 ? 16 : 8;
    this.put(parts.compare(this.style.code, this.dice.below(registers), this.dice.below(registers)));
    this.undefinedFlags = '';
  }
  private stack(): bigint {
    const place = this.dice.below(256);
    const low = this.style.code.low ? PLACE.DATA_LOW : PLACE.DATA;
    return BigInt(low + DATA_OFFSET.STACK - 0x200 + (this.dice.oneIn(4) ? place : place & -8));
  }

  private block(index: number): void {
    const { dice, style } = this;
    const head = index > 0 && this.heads.length < MOST_HEADS && dice.oneIn(2);
    if (!head) this.settle();
    this.blocks.push(this.at);
    if (head || index === 0) {
      this.heads.push(this.at);
      this.put(parts.burnFuel(style.code));
      this.undefinedFlags = '';
      this.jump(JUMP.JS, 'end');
    }
    for (let n = 1 + dice.below(10); n > 0; n--) this.part();
    this.settle();
    const condition = [0x0f, 0x80 + dice.below(16)];
    switch (dice.below(9)) {
      case 0: case 1: return this.jump(condition, index + 1 + dice.below(4));
      case 2: case 3: case 4: return this.jump(condition, 'head');
      case 5: return this.jump(JUMP.JMP, 'head');
      case 6: return this.indirect();
      default: return;
    } // prettier-ignore
  }
  private indirect(): void {
    const { dice, style } = this;
    const register = dice.pick([0, 1, 2, 3, 6, 7, ...(style.code.size === 64 ? [8, 12, 13] : [])]);
    if (style.code.size !== 16 && dice.oneIn(2)) {
      // AND and JMP are two instructions.
      const bytes = parts.jumpByTable(style.code, register);
      const mask = style.code.size === 64 ? 4 : 3;
      this.put(bytes.slice(0, mask));
      return this.put(bytes.slice(mask));
    }
    const target = BigInt(style.code.rip + dice.pick(this.heads));
    this.put(parts.setRegister(style.code, register, target));
    this.put(parts.jumpToRegister(register, dice.oneIn(2)));
  }

  private part(): void {
    const { dice, style } = this;
    if (!this.hasRoom) return;
    switch (dice.below(40)) {
      case 0: return this.call();
      case 1: case 2: return this.skip([0x70 + dice.below(16)]);
      case 3: return this.skip([0xe0 + dice.below(4)]);
      case 4: return this.put(dice.oneIn(2) ? parts.loadMxcsr(style.code, dice.below(16)) : parts.loadControl(style.code, dice.below(16)));
      case 5: return this.patchable();
      case 6: return style.writesCode ? this.flip() : this.instruction();
      default: return this.instruction();
    } // prettier-ignore
  }
  private call(): void {
    this.settle();
    this.put(parts.setRegister(this.style.code, 4, this.stack()));
    this.jump(JUMP.CALL, 'function');
  }
  /** A short branch over a few instructions. */
  private skip(opcode: number[]): void {
    this.settle();
    this.put([...opcode, 0]);
    const from = this.at;
    for (let n = 1 + this.dice.below(3); n > 0; n--) this.instruction();
    // Flags may be those from before or those of the last instruction: both sides' undefined ones.
    this.settle();
    if (this.at - from < 128) this.code[from - 1] = this.at - from;
  }
  /** MOV or an operation with an immediate: what is flipped there still is an instruction of the same length. */
  private patchable(): void {
    const { dice, style } = this;
    if (dice.oneIn(2)) {
      this.put(parts.setRegister(style.code, dice.pick([0, 1, 2, 3, 6, 7]), interestingInteger(dice)));
      this.patches.push({ at: this.at - 1 - dice.below(3), mask: 1 + dice.below(255) });
    } else {
      // ADC and SBB may take the place of ADD, and OR, AND, XOR leave AF undefined.
      this.settle();
      this.put([0x83, 0xc0 | (dice.below(8) << 3) | dice.pick([0, 1, 2, 3, 6, 7]), dice.below(256)]);
      this.undefinedFlags = 'A';
      this.patches.push({ at: this.at - 2, mask: (1 + dice.below(7)) << 3 });
    }
  }
  /** Now and then a byte of code becomes another one. */
  private flip(): void {
    const { dice, style } = this;
    this.put(parts.testFuel(style.code, dice.pick([15, 63, 255])));
    this.put([0x75, 0]);
    const from = this.at;
    const bytes = parts.flipCode(style.code, 0, 0);
    this.put(bytes);
    this.flips.push({ at: from, length: bytes.length });
    this.code[from - 1] = bytes.length;
    // TEST or XOR was the last.
    this.undefinedFlags = 'A';
  }

  private instruction(): void {
    const { dice, style } = this;
    if (!this.hasRoom) return;
    const encoding = style.choose(dice);
    const encoded = encode(encoding, style.code.size, dice);
    if (!encoded || encoded.bytes.length > 15) return;
    const insn = decode(Uint8Array.from([...encoded.bytes, 0, 0]), 0n, style.code.size);
    if (typeof insn === 'string' ? style.admits : insn.length !== encoded.bytes.length) return;
    const first = typeof insn !== 'string' && insn.operands[0];
    // The stack pointer is a number like others only now and then.
    if (first && first.kind === 'gpr' && first.index === 4 && !dice.oneIn(16)) return;
    const { mnemonic, attributes } = encoding.row;
    if (typeof insn !== 'string' && style.admits && !style.admits(insn)) return;
    if ([...(attributes.reads ?? '')].some((flag) => this.undefinedFlags.includes(flag))) this.settle();
    this.registers(encoding, encoded, typeof insn === 'string' ? undefined : insn);
    placeRipRelative(encoded, style.code.rip + this.at);
    this.random.push(String.fromCharCode(...encoded.bytes));
    this.put(encoded.bytes, encoding.row);
    const kept = SURE_OF_FLAGS.test(mnemonic) ? WITHOUT(this.undefinedFlags, attributes.writes) : this.undefinedFlags;
    this.undefinedFlags = kept + (attributes.undefined ?? '');
    if (style.admits && /^fu?comip?$/.test(mnemonic)) this.put(parts.exchangeTop);
  }

  /** Sets what an instruction's addresses are made of. */
  private registers(encoding: Encoding, encoded: Encoded, insn?: Instruction): void {
    const { dice, style } = this;
    const { mnemonic } = encoding.row;
    const gprs = BigUint64Array.from({ length: 16 }, () => interestingInteger(dice));
    const touched = new Set<number>();
    const noting = new Proxy(gprs, {
      get: (target, key) => (touched.add(Number(key)), target[Number(key)]),
      set: (target, key, value: bigint) => (touched.add(Number(key)), (target[Number(key)] = value), true),
    });
    if (STACK_WALKERS.test(mnemonic) || (STACK_USERS.test(mnemonic) && dice.oneIn(2))) noting[4] = this.stack();
    setPointers(encoding, encoded, style.code.size, dice, noting);
    // A bit's offset reaches far beyond the operand.
    const bits = insn?.operands[1];
    if (/^bt[src]?$/.test(mnemonic) && insn?.memory && bits?.kind === 'gpr')
      noting[bits.index] = BigInt.asUintN(64, BigInt(dice.below(4096) - 2048));
    encoded.address(noting);
    if (!style.admits && dice.oneIn(20)) return;
    for (const register of touched) this.put(parts.setRegister(style.code, register, gprs[register]));
  }

  private resolve(functions: readonly number[]): void {
    const { dice, code } = this;
    for (const { at, width, to } of this.jumps) {
      const target = to === 'end' ? this.end : to === 'head' ? dice.pick(this.heads) : to === 'function' ? (functions.length ? dice.pick(functions) : this.end) : (this.blocks[to] ?? dice.pick(this.heads)); // prettier-ignore
      code.set(little(BigInt(target - at - width), width), at);
    }
    for (const { at, length } of this.flips) {
      const { at: where, mask } = this.patches.length ? dice.pick(this.patches) : { at: 0, mask: 0 };
      code.set(parts.flipCode(this.style.code, where, mask).slice(0, length), at);
    }
  }
}
