/** Runs call-frame instructions up to an address: how the CFA and each register of the caller are found. DWARF 5 section 6.4.2. */
import { CFA, nameOf } from './dwarf-constants';
import { type Cie, encodedNumber, type Fde } from './frame-tables';
import { DwarfError, Reader } from './reader';

export type RegisterRule =
  | { kind: 'undefined' | 'same' }
  /** Saved at CFA + n; is CFA + n. */
  | { kind: 'offset' | 'value-offset'; offset: number }
  | { kind: 'register'; number: number }
  /** Saved at the address that it computes; is what it computes. The CFA is on the stack before. */
  | { kind: 'expression' | 'value-expression'; block: Uint8Array };
export type CfaRule = { kind: 'register'; number: number; offset: number } | { kind: 'expression'; block: Uint8Array };

export interface FrameRules {
  cfa: CfaRule | undefined;
  registers: Map<number, RegisterRule>;
}

const copy = (rules: FrameRules): FrameRules => ({ cfa: rules.cfa, registers: new Map(rules.registers) });

/** The row of the table that holds at `pc`, which lies in the FDE's range. */
export const rulesAt = (fde: Fde, pc: number): FrameRules => {
  const machine = new RuleMachine(fde.cie, fde.low, pc);
  machine.run(fde.cie.instructions);
  machine.finishInitial();
  machine.run(fde.instructions);
  return machine.rules;
};

class RuleMachine {
  rules: FrameRules = { cfa: undefined, registers: new Map() };
  private initial: FrameRules = this.rules;
  private readonly saved: FrameRules[] = [];

  constructor(
    private readonly cie: Cie,
    private location: number,
    private readonly pc: number,
  ) {}

  finishInitial(): void {
    this.initial = copy(this.rules);
  }
  run(instructions: Uint8Array): void {
    const reader = new Reader(instructions, 'call-frame instructions');
    while (!reader.done) {
      const opcode = reader.u8();
      const low = opcode & 0x3f;
      switch (opcode >> 6) {
        case 1:
          if (this.advance(low)) return;
          break;
        case 2:
          this.offset(low, reader.uleb() * this.cie.dataAlignment);
          break;
        case 3:
          this.restore(low);
          break;
        default:
          if (this.extended(opcode, reader)) return;
      }
    }
  }

  /** True: the row that begins there is behind `pc`. */
  private advance(units: number): boolean {
    this.location += units * this.cie.codeAlignment;
    return this.location > this.pc;
  }
  private set(register: number, rule: RegisterRule): void {
    this.rules.registers.set(register, rule);
  }
  private offset(register: number, offset: number): void {
    this.set(register, { kind: 'offset', offset });
  }
  private restore(register: number): void {
    const rule = this.initial.registers.get(register);
    if (rule) this.set(register, rule);
    else this.rules.registers.delete(register);
  }
  private cfaRegister(number: number, offset: number): void {
    this.rules.cfa = { kind: 'register', number, offset };
  }
  private plainCfa(): { number: number; offset: number } {
    const { cfa } = this.rules;
    if (cfa?.kind !== 'register')
      throw new DwarfError('call-frame instructions change a CFA that is no register and offset');
    return cfa;
  }

  private extended(opcode: number, reader: Reader): boolean {
    const { cie } = this;
    switch (opcode) {
      case CFA.nop:
        return false;
      case CFA.set_loc:
        this.location = encodedNumber(reader, cie.encoding & 0x0f, cie.addressSize);
        return this.location > this.pc;
      case CFA.advance_loc1:
        return this.advance(reader.u8());
      case CFA.advance_loc2:
        return this.advance(reader.u16());
      case CFA.advance_loc4:
        return this.advance(reader.u32());
      case CFA.remember_state:
        if (this.saved.length > 1000) throw new DwarfError('call-frame instructions remember states without end');
        this.saved.push(copy(this.rules));
        return false;
      case CFA.restore_state: {
        const saved = this.saved.pop();
        if (!saved) throw new DwarfError('call-frame instructions restore a state that was not remembered');
        this.rules = saved;
        return false;
      }
      case CFA.GNU_args_size:
        reader.skipLeb();
        return false;
      default:
        if (!this.defineCfa(opcode, reader)) this.defineRegister(opcode, reader);
        return false;
    }
  }
  private defineCfa(opcode: number, reader: Reader): boolean {
    const { dataAlignment } = this.cie;
    switch (opcode) {
      case CFA.def_cfa:
        this.cfaRegister(reader.uleb(), reader.uleb());
        return true;
      case CFA.def_cfa_sf:
        this.cfaRegister(reader.uleb(), reader.sleb() * dataAlignment);
        return true;
      case CFA.def_cfa_register:
        this.cfaRegister(reader.uleb(), this.plainCfa().offset);
        return true;
      case CFA.def_cfa_offset:
        this.cfaRegister(this.plainCfa().number, reader.uleb());
        return true;
      case CFA.def_cfa_offset_sf:
        this.cfaRegister(this.plainCfa().number, reader.sleb() * dataAlignment);
        return true;
      case CFA.def_cfa_expression:
        this.rules.cfa = { kind: 'expression', block: reader.block(reader.uleb()) };
        return true;
      default:
        return false;
    }
  }
  private defineRegister(opcode: number, reader: Reader): void {
    const { dataAlignment } = this.cie;
    const register = reader.uleb();
    switch (opcode) {
      case CFA.offset_extended:
        return this.offset(register, reader.uleb() * dataAlignment);
      case CFA.offset_extended_sf:
        return this.offset(register, reader.sleb() * dataAlignment);
      case CFA.GNU_negative_offset_extended:
        return this.offset(register, -reader.uleb() * dataAlignment);
      case CFA.restore_extended:
        return this.restore(register);
      case CFA.undefined:
        return this.set(register, { kind: 'undefined' });
      case CFA.same_value:
        return this.set(register, { kind: 'same' });
      case CFA.register:
        return this.set(register, { kind: 'register', number: reader.uleb() });
      case CFA.val_offset:
        return this.set(register, { kind: 'value-offset', offset: reader.uleb() * dataAlignment });
      case CFA.val_offset_sf:
        return this.set(register, { kind: 'value-offset', offset: reader.sleb() * dataAlignment });
      case CFA.expression:
        return this.set(register, { kind: 'expression', block: reader.block(reader.uleb()) });
      case CFA.val_expression:
        return this.set(register, { kind: 'value-expression', block: reader.block(reader.uleb()) });
      default:
        throw new DwarfError(`call-frame instruction DW_CFA_${nameOf(CFA, opcode)} is not known`);
    }
  }
}
