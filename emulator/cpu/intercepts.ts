/** What an instruction with an `intercept` would leave a guest for: the cause, with the fields that every vendor wants. */
import type { Instruction } from '../isa/instruction';
import { effectiveAddress } from '../isa/operands';
import { GPR } from '../x86/registers';
import type { Cpu } from './cpu';
import { PLAIN_EXITS } from './exit-cause';
import type { ExitCause, PlainExit } from './exit-cause';

export type Interceptable = Extract<
  ExitCause,
  {
    reason:
      | PlainExit
      | 'invlpg'
      | 'io'
      | 'msr-read'
      | 'msr-write'
      | 'cr-access'
      | 'dr-access'
      | 'descriptor-table'
      | 'virtualization';
  }
>;
const PLAIN = new Set<string>(PLAIN_EXITS);

/** Undefined: nobody can ask for this instruction. */
export function interceptedBy(cpu: Cpu, instruction: Instruction): Interceptable | undefined {
  const { intercept } = instruction.row.attributes;
  if (intercept === undefined) return undefined;
  if (PLAIN.has(intercept)) return { reason: intercept as PlainExit };
  const { state } = cpu;
  switch (intercept) {
    case 'virtualization':
      return { reason: intercept, mnemonic: instruction.row.mnemonic };
    case 'invlpg':
      return { reason: intercept, gva: linearOf(cpu, instruction) };
    case 'msr-read':
    case 'msr-write':
      return { reason: intercept, msr: state.gpr32(GPR.RCX) };
    case 'io':
      return portAccess(cpu, instruction);
    case 'cr-access':
      return controlAccess(cpu, instruction);
    case 'dr-access': {
      const { operands } = instruction;
      const at = operands.findIndex((o) => o.kind === 'debug');
      const [debug, gpr] = [operands[at], operands[1 - at]];
      if (debug?.kind !== 'debug' || gpr?.kind !== 'gpr') return undefined;
      return { reason: intercept, register: debug.index, write: at === 0, gpr: gpr.index };
    }
    case 'descriptor-table':
    case 'task-register': {
      const [, verb, name] = /^([sl])(gdt|idt|ldt|t)/.exec(instruction.row.mnemonic) ?? [];
      const registers = { gdt: 'gdtr', idt: 'idtr', ldt: 'ldtr', t: 'tr' } as const;
      return { reason: 'descriptor-table', register: registers[name as keyof typeof registers], store: verb === 's' };
    }
    default:
      return undefined;
  }
}

function linearOf({ state, long }: Cpu, { memory }: Instruction): bigint {
  if (!memory) return 0n;
  const sum = state.segmentBase(memory.segment) + effectiveAddress(state, memory);
  return BigInt.asUintN(long ? 64 : 32, sum);
}

function portAccess(cpu: Cpu, instruction: Instruction): Interceptable {
  const { operands, row, rep, operandSize, memory } = instruction;
  const immediate = operands.find((o) => o.kind === 'immediate');
  const value = operands.find((o) => (o.kind === 'gpr' && o.index === GPR.RAX) || o.kind === 'memory');
  const bits = value && 'size' in value && value.size > 0 ? value.size : operandSize;
  return {
    reason: 'io',
    port: immediate?.kind === 'immediate' ? Number(immediate.value & 0xffn) : cpu.state.gpr16(GPR.RDX),
    bytes: (Math.min(bits, 32) / 8) as 1 | 2 | 4,
    write: row.mnemonic.startsWith('out'),
    string: row.mnemonic.endsWith('s'),
    rep: rep !== 'none',
    immediate: immediate !== undefined,
    ...(memory ? { gva: linearOf(cpu, instruction) } : {}),
  };
}

function controlAccess(cpu: Cpu, instruction: Instruction): Interceptable {
  const { operands, row, memory } = instruction;
  const at = operands.findIndex((o) => o.kind === 'control');
  const control = operands[at];
  const other = operands[at === 0 ? 1 : 0];
  const gpr = other?.kind === 'gpr' ? other.index : 0;
  const register = control?.kind === 'control' ? control.index : 0;
  const access = at === 0 ? 'write' : at === 1 ? 'read' : row.mnemonic === 'clts' ? 'clts' : row.mnemonic === 'smsw' ? 'smsw' : 'lmsw'; // prettier-ignore
  const cause = { reason: 'cr-access', register, access, gpr } as const;
  if (access !== 'lmsw' || !memory) return { ...cause, value: cpu.state.gpr(gpr) };
  const gva = linearOf(cpu, instruction);
  return { ...cause, gva, value: cpu.read(gva, 2) };
}
