/** From what made a guest leave to the exit that people see. */
import type { Cpu } from '../cpu/cpu';
import type { ExitCause, ExitReason, PendingEvent } from '../cpu/exit-cause';
import { PLAIN_EXITS } from '../cpu/exit-cause';
import { linearRip } from '../cpu/mode';
import { GuestExit } from '../cpu/ports';
import type { Interruption, GuestFault } from '../cpu/ports';
import type { Instruction } from '../isa/instruction';
import { GPR, VECTOR } from '../x86/registers';
import type { VmExit, VmExitReason } from './exit';
import type { Guest } from './guest';

/** Faults that privileged instructions raise when they are executed deprivileged. */
const PRIVILEGE: readonly number[] = [VECTOR.GP, VECTOR.UD, VECTOR.TS, VECTOR.NP, VECTOR.SS];
const REASONS = new Set<string>([...PLAIN_EXITS, 'io', 'msr-read', 'msr-write', 'cr-access', 'dr-access', 'invlpg', 'descriptor-table', 'task-register']); // prettier-ignore

/** What a deprivileged guest left for. `look`: the instruction at its RIP. */
export function exitOf(guest: Guest, cpu: Cpu, thrown: Interruption, look: () => Instruction | undefined): VmExit {
  const cause = causeOf(cpu, thrown);
  const exit: VmExit = {
    reason: cause.reason,
    cause,
    domain: guest.index,
    vcpu: cpu.apicId,
    gva: linearRip(cpu.state),
    cpl: cpu.state.cpl,
    at: guest.instructions,
  };
  if (cause.reason !== 'exception') return exit;
  const { event } = cause;
  if (event.address !== undefined) exit.address = event.address;
  exit.reason = 'reflected-event';
  if (event.kind !== 'fault' || event.vector === VECTOR.PF || !PRIVILEGE.includes(event.vector)) return exit;
  const instruction = look();
  if (!instruction) return exit;
  exit.mnemonic = instruction.row.mnemonic;
  const { privileged, io, intercept } = instruction.row.attributes;
  if (privileged || io || exit.cpl === 0) {
    exit.reason = reasonOf(intercept);
    exit.cause = detailed(cpu, exit.reason, instruction) ?? cause;
  }
  return exit;
}

const reasonOf = (intercept: string | undefined): VmExitReason => {
  if (intercept === 'task-register') return 'descriptor-table';
  return intercept !== undefined && REASONS.has(intercept) ? (intercept as VmExitReason) : 'privileged-instruction';
};

function causeOf(cpu: Cpu, thrown: Interruption): ExitCause {
  if (thrown instanceof GuestExit) return thrown.cause;
  const { vector, errorCode, address, trap } = thrown as GuestFault;
  const event: PendingEvent = { vector, kind: trap ? 'trap' : 'fault', returnRip: cpu.state.rip };
  if (errorCode !== undefined) event.errorCode = errorCode;
  if (address !== undefined) event.address = address;
  return { reason: 'exception', event };
}

/** The fields that hardware would have filled in. */
function detailed(cpu: Cpu, reason: VmExitReason, { operands, row, rep }: Instruction): ExitCause | undefined {
  const { state } = cpu;
  const gpr = operands.find((o) => o.kind === 'gpr');
  switch (reason) {
    case 'msr-read':
    case 'msr-write':
      return { reason, msr: state.gpr32(GPR.RCX) };
    case 'io': {
      const immediate = operands.find((o) => o.kind === 'immediate');
      const value = operands.find((o) => (o.kind === 'gpr' && o.index === GPR.RAX) || o.kind === 'memory');
      const bits = value && 'size' in value ? Math.min(value.size, 32) : 8;
      return {
        reason,
        port: immediate?.kind === 'immediate' ? Number(immediate.value & 0xffn) : state.gpr16(GPR.RDX),
        bytes: (bits / 8) as 1 | 2 | 4,
        write: row.mnemonic.startsWith('out'),
        string: row.mnemonic.endsWith('s'),
        rep: rep !== 'none',
        immediate: immediate !== undefined,
      };
    }
    case 'cr-access': {
      const control = operands.findIndex((o) => o.kind === 'control');
      const register = operands[control];
      const index = gpr?.kind === 'gpr' ? gpr.index : 0;
      const access = control === 0 ? 'write' : control === 1 ? 'read' : row.mnemonic === 'clts' ? 'clts' : row.mnemonic === 'smsw' ? 'smsw' : 'lmsw'; // prettier-ignore
      return { reason, register: register?.kind === 'control' ? register.index : 0, access, gpr: index, value: state.gpr(index) };
    } // prettier-ignore
    case 'dr-access': {
      const debug = operands.findIndex((o) => o.kind === 'debug');
      const register = operands[debug];
      return { reason, register: register?.kind === 'debug' ? register.index : 0, write: debug === 0, gpr: gpr?.kind === 'gpr' ? gpr.index : 0 };
    } // prettier-ignore
    case 'descriptor-table': {
      const [, verb, name] = /^([sl])(gdt|idt|ldt|t)/.exec(row.mnemonic) ?? ['', 'l', 'gdt'];
      const registers = { gdt: 'gdtr', idt: 'idtr', ldt: 'ldtr', t: 'tr' } as const;
      return { reason, register: registers[name as keyof typeof registers], store: verb === 's' };
    }
    default:
      return (PLAIN_EXITS as readonly string[]).includes(reason) ? ({ reason } as { reason: ExitReason } as ExitCause) : undefined;
  }
} // prettier-ignore
