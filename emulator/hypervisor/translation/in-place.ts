/** Call-outs that are answered without leaving the guest: CLI, STI, PUSHF and POPF on the flags that the guest believes to have. */
import type { Cpu } from '../../cpu/cpu';
import { somethingWaits } from '../../cpu/turns';
import type { Instruction } from '../../isa/instruction';
import { RFLAGS } from '../../x86/registers';
import type { Host } from '../host';
import type { Treatment } from './treatment';

/** Flags that the virtual processor keeps. */
const BELIEVED = RFLAGS.IF | RFLAGS.IOPL | RFLAGS.VIF | RFLAGS.VIP;
/** Flags that POPF changes at CPL 0, of those that need no more than a change: not TF, AC, IOPL, NT. */
const SIMPLE =
  RFLAGS.CF | RFLAGS.PF | RFLAGS.AF | RFLAGS.ZF | RFLAGS.SF | RFLAGS.OF | RFLAGS.DF | RFLAGS.IF | RFLAGS.ID;
const CHANGEABLE = SIMPLE | RFLAGS.TF | RFLAGS.AC | RFLAGS.IOPL | RFLAGS.NT;

export class InPlace {
  /** The virtual processor whose guest runs. */
  believed!: Cpu;

  /** `end`: count of instructions at which the run is over. */
  constructor(
    private readonly host: Host,
    private readonly end: () => number,
  ) {}

  /** False: it takes the virtual processor to do it. */
  answer(insn: Instruction, treatment: Treatment): boolean {
    const { believed } = this;
    switch (treatment) {
      case 'cli':
        believed.state.systemFlags &= ~RFLAGS.IF;
        return true;
      case 'sti':
        return this.open();
      case 'pushf':
        this.host.processor.push(BigInt(this.image(insn.operandSize)), sizeOf(insn));
        return true;
      case 'popf':
        return this.popf(insn);
      default:
        return false;
    }
  }
  /** STI holds interrupts back for one instruction: that counts if one could come there. */
  private open(): boolean {
    const { believed, host } = this;
    if (believed.state.systemFlags & RFLAGS.IF) return true;
    if (somethingWaits(believed) || this.end() - host.generated.instructions <= 2) return false;
    believed.state.systemFlags |= RFLAGS.IF;
    return true;
  }
  private image(size: number): number {
    const flags = (this.host.processor.state.rflags & ~BELIEVED) | (this.believed.state.systemFlags & BELIEVED);
    const seen = flags & ~(RFLAGS.VM | RFLAGS.RF);
    return (size === 16 ? seen & 0xffff : seen) >>> 0;
  }
  private popf(insn: Instruction): boolean {
    const { believed, host } = this;
    const { processor } = host;
    const bytes = sizeOf(insn);
    const now = this.image(64);
    const asked = Number(processor.peek(0, bytes) & 0xffff_ffffn);
    const wanted = bytes === 2 ? (now & ~0xffff) | asked : asked;
    const changed = (now ^ wanted) & CHANGEABLE;
    if (changed & ~SIMPLE || bytes === 2) return false;
    if (changed & RFLAGS.IF && wanted & RFLAGS.IF && (somethingWaits(believed) || this.end() - host.generated.instructions <= 2)) return false;
    processor.release(bytes);
    processor.state.rflags = (processor.state.rflags & ~(SIMPLE & ~RFLAGS.IF)) | (wanted & SIMPLE & ~RFLAGS.IF);
    believed.state.systemFlags = (believed.state.systemFlags & ~RFLAGS.IF) | (wanted & RFLAGS.IF);
    return true;
  } // prettier-ignore
}

const sizeOf = ({ operandSize }: Instruction): 2 | 4 | 8 => (operandSize === 16 ? 2 : operandSize === 64 ? 8 : 4);
