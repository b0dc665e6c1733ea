/** One step up the stack by call-frame information. DWARF 5 section 6.4.4. */
import type { Target, UnwoundFrame } from './api';
import type { Dwarf } from './dwarf';
import { type CfaRule, type FrameRules, type RegisterRule, rulesAt } from './frame-rules';
import type { Fde, FrameTable } from './frame-tables';
import { compute, type ExpressionContext, littleEndian } from './location-expressions';
import { toAddress } from './reader';
import { Unavailable } from './typed-values';

const STACK_POINTER = { 8: 7, 4: 4 } as const;
const REGISTERS = { 8: 17, 4: 9 } as const;

export class Unwinder {
  constructor(
    private readonly tables: readonly FrameTable[],
    private readonly dwarf: Dwarf,
    private readonly addressSize: 4 | 8,
  ) {}

  get count(): number {
    return this.tables.reduce((n, t) => n + t.count, 0);
  }

  private find(pc: bigint): Fde | undefined {
    const address = toAddress(pc);
    for (const table of this.tables) {
      const fde = table.find(address);
      if (fde) return fde;
    }
    return undefined;
  }

  unwind(pc: bigint, target: Target): UnwoundFrame | undefined {
    const fde = this.find(pc);
    if (!fde) return undefined;
    const rules = rulesAt(fde, toAddress(pc));
    const context = this.context(target);
    let cfa: bigint;
    try {
      cfa = this.mask(cfaBy(rules.cfa, context));
    } catch (error) {
      if (error instanceof Unavailable) return undefined;
      throw error;
    }
    return {
      cfa,
      registers: this.registers(rules, cfa, fde, context),
      outermost: rules.registers.get(fde.cie.returnRegister)?.kind === 'undefined',
      signalFrame: fde.cie.signalFrame,
    };
  }
  /** The CFA alone; undefined where it is not known. */
  cfa(pc: bigint, target: Target): bigint | undefined {
    const fde = this.find(pc);
    if (!fde) return undefined;
    try {
      return this.mask(cfaBy(rulesAt(fde, toAddress(pc)).cfa, this.context(target)));
    } catch (error) {
      if (error instanceof Unavailable) return undefined;
      throw error;
    }
  }

  private registers(rules: FrameRules, cfa: bigint, fde: Fde, context: ExpressionContext): Map<number, bigint> {
    const registers = new Map<number, bigint>();
    const { target } = context;
    // What has no rule keeps its value, also where the ABI lets the callee clobber it: gcc lets callers rely on what it knows
    // of a callee (-fipa-ra), and ends a variable's range before a call that does clobber its register.
    for (let number = 0; number < REGISTERS[this.addressSize]; number++)
      this.keep(registers, number, target.register(number));
    registers.delete(fde.cie.returnRegister);
    registers.set(STACK_POINTER[this.addressSize], cfa);
    for (const [number, rule] of rules.registers) {
      try {
        this.keep(registers, number, this.apply(rule, number, cfa, context));
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error;
        registers.delete(number);
      }
    }
    return registers;
  }
  private keep(registers: Map<number, bigint>, number: number, value: bigint | undefined): void {
    if (value === undefined) registers.delete(number);
    else registers.set(number, value);
  }

  private apply(rule: RegisterRule, number: number, cfa: bigint, context: ExpressionContext): bigint | undefined {
    const { target } = context;
    switch (rule.kind) {
      case 'undefined':
        return undefined;
      case 'same':
        return target.register(number);
      case 'register':
        return target.register(rule.number);
      case 'offset':
        return this.load(this.mask(cfa + BigInt(rule.offset)), target);
      case 'value-offset':
        return this.mask(cfa + BigInt(rule.offset));
      case 'expression':
        return this.load(this.mask(compute(rule.block, context, [cfa])), target);
      case 'value-expression':
        return this.mask(compute(rule.block, context, [cfa]));
    }
  }
  private load(gva: bigint, target: Target): bigint | undefined {
    const bytes = target.memory(gva, this.addressSize);
    return bytes.length < this.addressSize ? undefined : littleEndian(bytes);
  }
  private mask(value: bigint): bigint {
    return BigInt.asUintN(this.addressSize * 8, value);
  }
  /** Expressions of call-frame information know registers and memory only. */
  private context(target: Target): ExpressionContext {
    const none = (): never => {
      throw new Unavailable('call-frame expressions have no frame of their own');
    };
    return {
      dwarf: this.dwarf,
      unit: { addressSize: this.addressSize, offsetSize: 4, version: 4 },
      target,
      cfa: none,
      frameBase: none,
      entryValue: none,
    };
  }
}

const cfaBy = (rule: CfaRule | undefined, context: ExpressionContext): bigint => {
  if (!rule) throw new Unavailable('the CFA is not defined');
  if (rule.kind === 'expression') return compute(rule.block, context);
  const value = context.target.register(rule.number);
  if (value === undefined) throw new Unavailable(`register ${rule.number} (DWARF number) is not known in this frame`);
  return value + BigInt(rule.offset);
};
