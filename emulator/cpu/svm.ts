/**
 * AMD-V, the guest's side of it: what a guest leaves for, and what the VMCB then says (APM vol. 2 chapter 15). The unit
 * oversees the processor from VMRUN to #VMEXIT. VMRUN as an instruction, with GIF and the host's save area, is in svm-unit.ts;
 * our own engine (hypervisor/engines/amd-v.ts) uses this class alone.
 */
import { nextRip } from '../execution/forms';
import type { Instruction } from '../isa/instruction';
import { MAXPHYADDR, nptContext } from '../mmu/guest-paging';
import { SecondStage } from '../mmu/second-stage';
import { CR0, CR4, EFER, VECTOR } from '../x86/registers';
import { CONTROL, EVENT, EXIT, IOIO, MISC1, MISC2, MSRPM_RANGES, NPF, STATE, SVME } from '../x86/vmcb';
import type { Intercept } from '../x86/vmcb';
import type { Cpu } from './cpu';
import { interceptedBy } from './intercepts';
import type { Interceptable } from './intercepts';
import type { ExitCause, PendingEvent } from './exit-cause';
import { GuestExit } from './ports';
import type { Overseer } from './ports';
import type { Vmcb } from './svm-state';
import { loadGuest, saveGuest } from './svm-state';

const MISC1_BIT = Object.fromEntries(MISC1.map((name, bit) => [name, bit])) as Record<(typeof MISC1)[number], number>;
const MISC2_BIT = Object.fromEntries(MISC2.map((name, bit) => [name, bit])) as Record<(typeof MISC2)[number], number>;
const codeOf = (name: Intercept): number =>
  name in MISC1_BIT
    ? EXIT.MISC1 + MISC1_BIT[name as keyof typeof MISC1_BIT]
    : EXIT.MISC2 + MISC2_BIT[name as keyof typeof MISC2_BIT];

/** A check of VMRUN that failed, in words (15.5.1). */
export interface FailedCheck {
  field: string;
  rule: string;
}
interface EntryCheck extends FailedCheck {
  /** True: the VMCB is refused. */
  fails(vmcb: Vmcb): boolean;
}
const EFER_KNOWN = BigInt(EFER.SCE | EFER.LME | EFER.LMA | EFER.NXE | EFER.SVME | EFER.FFXSR);
const wide = (address: bigint): boolean => address >> BigInt(MAXPHYADDR) !== 0n;
const has = (value: bigint, mask: number): boolean => (value & BigInt(mask >>> 0)) !== 0n;
const CHECKS: readonly EntryCheck[] = [
  { field: 'EFER', rule: 'SVME must be set', fails: (v) => !has(v.read(STATE.EFER), SVME) },
  { field: 'CR0', rule: 'NW without CD is not allowed', fails: (v) => has(v.read(STATE.CR0), CR0.NW) && !has(v.read(STATE.CR0), CR0.CD) },
  { field: 'CR0', rule: 'bits 63:32 must be 0', fails: (v) => v.read(STATE.CR0) >> 32n !== 0n },
  { field: 'CR4', rule: 'reserved bits must be 0', fails: (v) => v.read(STATE.CR4) >> 32n !== 0n },
  { field: 'DR6', rule: 'bits 63:32 must be 0', fails: (v) => v.read(STATE.DR6) >> 32n !== 0n },
  { field: 'DR7', rule: 'bits 63:32 must be 0', fails: (v) => v.read(STATE.DR7) >> 32n !== 0n },
  { field: 'CR4', rule: 'long mode with paging needs PAE', fails: (v) => long(v) && !has(v.read(STATE.CR4), CR4.PAE) },
  { field: 'CR0', rule: 'long mode with paging needs PE', fails: (v) => long(v) && !has(v.read(STATE.CR0), CR0.PE) },
  { field: 'CS', rule: 'L and D may not both be set in long mode', fails: (v) => long(v) && (v.readSegment('cs').attributes & 0x6000) === 0x6000 },
  { field: 'intercepts, vector 4', rule: 'VMRUN must be intercepted', fails: (v) => !has(v.read(CONTROL.INTERCEPT_MISC2), 1 << MISC2_BIT.vmrun) },
  { field: 'guest ASID', rule: '0 is the host\'s', fails: (v) => v.read(CONTROL.GUEST_ASID) === 0n },
  { field: 'EFER', rule: 'reserved bits must be 0', fails: (v) => (v.read(STATE.EFER) & ~EFER_KNOWN) !== 0n },
  { field: 'CR3', rule: 'bits beyond the width of physical addresses must be 0', fails: (v) => long(v) && wide(v.read(STATE.CR3)) },
  { field: 'nested CR3', rule: 'bits beyond the width of physical addresses must be 0', fails: (v) => has(v.read(CONTROL.NP_ENABLE), 1) && wide(v.read(CONTROL.N_CR3)) },
]; // prettier-ignore
/** The first rule that is broken. */
export const failedVmrunCheck = (vmcb: Vmcb): FailedCheck | undefined => CHECKS.find((check) => check.fails(vmcb));
const long = (vmcb: Vmcb): boolean => has(vmcb.read(STATE.EFER), EFER.LME) && has(vmcb.read(STATE.CR0), CR0.PG);

export class Svm implements Overseer {
  /** The VMCB of the guest that runs. */
  vmcb?: Vmcb;
  private misc1 = 0;
  private misc2 = 0;

  constructor(protected readonly cpu: Cpu) {}

  readonly asks = true;
  get takesInterrupts(): boolean {
    return false;
  }
  private nested?: { root: number; second: SecondStage };

  /** VMRUN's part for the guest. The other general registers are loaded already. Answers the check that failed, if one did. */
  enter(vmcb: Vmcb): FailedCheck | undefined {
    const failed = failedVmrunCheck(vmcb);
    if (failed) {
      vmcb.write(CONTROL.EXITCODE, EXIT.INVALID);
      return { field: failed.field, rule: failed.rule };
    }
    const { cpu } = this;
    loadGuest(vmcb, cpu.state);
    cpu.state.setSystem('interruptibility', vmcb.read(CONTROL.INTERRUPT_SHADOW) & 1n);
    cpu.state.setSystem('activity', 0n);
    this.obey(vmcb);
    cpu.refresh();
    return undefined;
  }
  /** Intercepts as the VMCB has them. */
  obey(vmcb: Vmcb): void {
    this.vmcb = vmcb;
    this.misc1 = Number(vmcb.read(CONTROL.INTERCEPT_MISC1));
    this.misc2 = Number(vmcb.read(CONTROL.INTERCEPT_MISC2));
    this.cpu.mmu.walker.second = this.secondStage(vmcb);
    this.cpu.overseer = this;
  }
  /** The same guest goes on where it was: nothing to load. */
  resume(): void {
    this.cpu.overseer = this;
    this.cpu.modeChanged();
  }

  private secondStage(vmcb: Vmcb): SecondStage | null {
    if (!(vmcb.read(CONTROL.NP_ENABLE) & 1n)) return null;
    const root = Number(vmcb.read(CONTROL.N_CR3) & 0xf_ffff_ffff_f000n);
    if (this.nested?.root !== root) {
      this.nested = { root, second: new SecondStage(this.cpu.mmu.physical, nptContext(root)) };
    }
    return this.nested!.second;
  }

  protected wants(name: Intercept): boolean {
    return name in MISC1_BIT
      ? (this.misc1 & (1 << MISC1_BIT[name as keyof typeof MISC1_BIT])) !== 0
      : (this.misc2 & (1 << MISC2_BIT[name as keyof typeof MISC2_BIT])) !== 0;
  }

  // --- Overseer

  instruction(instruction: Instruction): undefined {
    const what = interceptedBy(this.cpu, instruction);
    if (what && this.intercepts(what)) throw new GuestExit(what, instruction);
    return undefined;
  }
  private intercepts(cause: Interceptable): boolean {
    const vmcb = this.vmcb!;
    switch (cause.reason) {
      case 'io':
        return this.wants('io') && this.portBit(cause.port, cause.bytes);
      case 'msr-read':
      case 'msr-write':
        return this.wants('msr') && this.msrBit(cause.msr, cause.reason === 'msr-write');
      case 'cr-access': {
        const writes = cause.access !== 'read' && cause.access !== 'smsw';
        const field = writes ? CONTROL.INTERCEPT_CR_WRITE : CONTROL.INTERCEPT_CR_READ;
        return has(vmcb.read(field), 1 << cause.register) || (writes && this.selective(cause));
      }
      case 'dr-access':
        return has(
          vmcb.read(cause.write ? CONTROL.INTERCEPT_DR_WRITE : CONTROL.INTERCEPT_DR_READ),
          1 << cause.register,
        );
      case 'descriptor-table':
        return this.wants(`${cause.register}-${cause.store ? 'read' : 'write'}` as Intercept);
      case 'virtualization':
        return this.wants(cause.mnemonic as Intercept);
      default:
        return cause.reason in MISC1_BIT || cause.reason in MISC2_BIT ? this.wants(cause.reason as Intercept) : false;
    }
  }
  /** Writes of CR0 that change more than TS and MP (15.9). */
  private selective({ register, access, value }: Extract<Interceptable, { reason: 'cr-access' }>): boolean {
    if (register !== 0 || access === 'clts' || !this.wants('cr0-selective-write')) return false;
    const changed = value ^ this.cpu.state.system('cr0');
    return access === 'lmsw' || (changed & ~BigInt(CR0.TS | CR0.MP)) !== 0n;
  }
  /** The maps lie in host-physical memory (15.10.1, 15.11). */
  private bit(base: bigint, bit: number): boolean {
    const { physical } = this.cpu.mmu;
    const host = physical.hostAddress(Number(base) + (bit >>> 3));
    return host < 0 || (physical.data[host] & (1 << (bit & 7))) !== 0;
  }
  private portBit(port: number, bytes: number): boolean {
    const base = this.vmcb!.read(CONTROL.IOPM_BASE_PA) & ~0xfffn;
    for (let i = 0; i < bytes; i++) if (this.bit(base, port + i)) return true;
    return false;
  }
  private msrBit(msr: number, write: boolean): boolean {
    const range = MSRPM_RANGES.find(({ first, last }) => msr >= first && msr <= last);
    if (!range) return true;
    const base = this.vmcb!.read(CONTROL.MSRPM_BASE_PA) & ~0xfffn;
    return this.bit(base + BigInt(range.bytes), (msr - range.first) * 2 + (write ? 1 : 0));
  }

  /** The event that entry delivers: it does not leave the guest again. */
  injecting?: PendingEvent;
  event(event: PendingEvent): void {
    if (event === this.injecting) return;
    const exit = this.exitFor(event);
    if (exit) throw exit;
  }
  exitFor(event: PendingEvent): GuestExit | undefined {
    const { kind, vector } = event;
    if (kind === 'int' && this.wants('int')) return new GuestExit({ reason: 'int' });
    const exception = kind === 'fault' || kind === 'trap' || kind === 'int3' || kind === 'into' || kind === 'int1';
    const wanted = exception && has(this.vmcb!.read(CONTROL.INTERCEPT_EXCEPTIONS), 1 << vector);
    return wanted ? new GuestExit({ reason: 'exception', event }) : undefined;
  }
  tripleFault(): void {
    if (this.wants('shutdown')) throw new GuestExit({ reason: 'triple-fault' });
  }
  due(): GuestExit | undefined {
    return undefined;
  }
  taskSwitch(cause: Extract<ExitCause, { reason: 'task-switch' }>): void {
    if (this.wants('task-switch')) throw new GuestExit(cause);
  }

  leave(exit: GuestExit): void {
    this.record(exit);
    this.cpu.overseer = undefined;
  }
  /** #VMEXIT (15.6): what the guest leaves behind is in the VMCB; the processor's registers are still its. */
  record(exit: GuestExit): void {
    const { cpu, vmcb } = this;
    const { code, info1, info2 } = encode(exit, cpu);
    saveGuest(vmcb!, cpu.state);
    vmcb!.write(CONTROL.INTERRUPT_SHADOW, cpu.state.system('interruptibility') & 3n ? 1n : 0n);
    vmcb!.write(CONTROL.EXITCODE, BigInt(code));
    vmcb!.write(CONTROL.EXITINFO1, info1);
    vmcb!.write(CONTROL.EXITINFO2, info2);
    vmcb!.write(CONTROL.EXITINTINFO, exit.during ? eventWord(exit.during) : 0n);
    vmcb!.write(CONTROL.NRIP, exit.instruction ? nextRip(exit.instruction) : 0n);
    this.injecting = undefined;
  }
}

function eventWord({ vector, kind, errorCode }: PendingEvent): bigint {
  const type = kind === 'interrupt' ? EVENT.INTERRUPT : kind === 'nmi' ? EVENT.NMI : kind === 'int' ? EVENT.SOFTWARE : EVENT.EXCEPTION; // prettier-ignore
  const error = errorCode === undefined ? 0n : EVENT.ERROR_VALID | (BigInt(errorCode) << 32n);
  return BigInt(vector) | (BigInt(type) << 8n) | error | EVENT.VALID;
}

interface Encoded {
  code: number;
  info1: bigint;
  info2: bigint;
}
/** Exit code and information of a cause: appendix C, and the sections of each intercept. */
function encode({ cause, instruction }: GuestExit, cpu: Cpu): Encoded {
  const plain = (code: number, info1 = 0n, info2 = 0n): Encoded => ({ code, info1, info2 });
  const next = instruction ? nextRip(instruction) : 0n;
  switch (cause.reason) {
    case 'io': {
      const { port, bytes, write, string, rep } = cause;
      const info =
        (write ? 0 : IOIO.IN) | (string ? IOIO.STRING : 0) | (rep ? IOIO.REP : 0) | (bytes << IOIO.SIZE_SHIFT);
      return plain(codeOf('io'), (BigInt(port) << BigInt(IOIO.PORT_SHIFT)) | BigInt(info), next);
    }
    case 'msr-read':
    case 'msr-write':
      return plain(codeOf('msr'), cause.reason === 'msr-write' ? 1n : 0n);
    case 'cr-access': {
      const writes = cause.access !== 'read' && cause.access !== 'smsw';
      // Decode assist (15.10.2): MOV says so in bit 63, and which register.
      const info = cause.access === 'read' || cause.access === 'write' ? (1n << 63n) | BigInt(cause.gpr) : 0n;
      return plain((writes ? EXIT.CR_WRITE : EXIT.CR_READ) + cause.register, info);
    }
    case 'dr-access':
      return plain((cause.write ? EXIT.DR_WRITE : EXIT.DR_READ) + cause.register, BigInt(cause.gpr));
    case 'descriptor-table':
      return plain(codeOf(`${cause.register}-${cause.store ? 'read' : 'write'}` as Intercept));
    case 'exception': {
      const { vector, errorCode = 0, address = 0n } = cause.event;
      return plain(EXIT.EXCEPTION + vector, BigInt(errorCode), vector === VECTOR.PF ? address : 0n);
    }
    case 'nested-fault':
      return plain(EXIT.NPF, nestedInfo(cause), BigInt(cause.gpa));
    case 'invlpg':
      return plain(codeOf('invlpg'), cause.gva);
    case 'triple-fault':
      return plain(codeOf('shutdown'));
    case 'external-interrupt':
      return plain(codeOf('intr'));
    case 'interrupt-window':
      return plain(codeOf('vintr'));
    case 'nmi':
    case 'init':
      return plain(codeOf(cause.reason));
    case 'task-switch': {
      const source = cause.source === 'iret' ? 1n << 36n : cause.source === 'jump' ? 1n << 38n : 0n;
      const error = cause.errorCode === undefined ? 0n : (1n << 44n) | BigInt(cause.errorCode);
      return plain(codeOf('task-switch'), BigInt(cause.selector), source | error);
    }
    case 'virtualization':
      return plain(codeOf(cause.mnemonic as Intercept));
    default:
      if (cause.reason in MISC1_BIT || cause.reason in MISC2_BIT) return plain(codeOf(cause.reason as Intercept));
      cpu.unsupported(`AMD-V exit for ${cause.reason}`);
      return plain(EXIT.INVALID);
  }
}
function nestedInfo(cause: Extract<ExitCause, { reason: 'nested-fault' }>): bigint {
  let info = NPF.U;
  if (cause.allowed.read) info |= NPF.P;
  if (cause.access === 'write') info |= NPF.W;
  if (cause.access === 'execute') info |= NPF.ID;
  if (cause.misconfigured) info |= NPF.RSVD;
  return info | (cause.table ? NPF.TABLE : NPF.FINAL);
}
