/** What a VMCB says of an exit: code and information (APM vol. 2 appendix C, and the sections of each intercept). */
import { nextRip } from '../execution/forms';
import type { Instruction } from '../isa/instruction';
import { VECTOR } from '../x86/registers';
import { CONTROL, EVENT, EXIT, INSTRUCTION_BYTES, IOIO, MISC1, MISC2, NPF } from '../x86/vmcb';
import type { Intercept } from '../x86/vmcb';
import type { Cpu } from './cpu';
import type { ExitCause, PendingEvent } from './exit-cause';
import { isSoftware } from './events';
import { linearRip } from './mode';
import type { GuestExit } from './ports';
import type { Vmcb } from './svm-state';

const MISC1_BIT = new Map<string, number>(MISC1.map((name, bit) => [name, bit]));
const MISC2_BIT = new Map<string, number>(MISC2.map((name, bit) => [name, bit]));
export const isIntercept = (name: string): name is Intercept => MISC1_BIT.has(name) || MISC2_BIT.has(name);
/** Of the two words of intercepts: which, and its bit. */
export const placeOf = (name: Intercept): { word: 1 | 2; bit: number } => {
  const bit = MISC1_BIT.get(name);
  return bit === undefined ? { word: 2, bit: MISC2_BIT.get(name)! } : { word: 1, bit };
};
const codeOf = (name: Intercept): number => {
  const { word, bit } = placeOf(name);
  return (word === 1 ? EXIT.MISC1 : EXIT.MISC2) + bit;
};

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
function encode({ cause, instruction }: GuestExit, cpu: Cpu, vmcb: Vmcb): Encoded {
  const plain = (code: number, info1 = 0n, info2 = 0n): Encoded => ({ code, info1, info2 });
  const none = (what: string): Encoded => {
    cpu.unsupported(`AMD-V exit for ${what}`);
    return plain(EXIT.INVALID);
  };
  const next = instruction ? nextRip(instruction) : 0n;
  switch (cause.reason) {
    case 'io': {
      const { port, bytes, write, string, rep } = cause;
      const info =
        (write ? 0 : IOIO.IN) |
        (string ? IOIO.STRING : 0) |
        (rep ? IOIO.REP : 0) |
        (bytes << IOIO.SIZE_SHIFT) |
        (instruction ? addressing(instruction) : 0);
      return plain(codeOf('io'), (BigInt(port) << BigInt(IOIO.PORT_SHIFT)) | BigInt(info), next);
    }
    case 'msr-read':
    case 'msr-write':
      return plain(codeOf('msr'), cause.reason === 'msr-write' ? 1n : 0n);
    case 'cr-access': {
      const writes = cause.access !== 'read' && cause.access !== 'smsw';
      // Decode assist (15.10.2): MOV says so in bit 63, and which register.
      const info = cause.access === 'read' || cause.access === 'write' ? (1n << 63n) | BigInt(cause.gpr) : 0n;
      if (!writes) return plain(EXIT.CR_READ + cause.register, info);
      // The selective intercept of CR0 has a code of its own, where it is the only one (15.9).
      const asked = (vmcb.read(CONTROL.INTERCEPT_CR_WRITE) >> BigInt(cause.register)) & 1n;
      return plain(asked ? EXIT.CR_WRITE + cause.register : codeOf('cr0-selective-write'), info);
    }
    case 'dr-access':
      return plain((cause.write ? EXIT.DR_WRITE : EXIT.DR_READ) + cause.register, BigInt(cause.gpr));
    case 'descriptor-table':
      return plain(codeOf(`${cause.register}-${cause.store ? 'read' : 'write'}`));
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
    case 'int':
      return plain(codeOf('int'), vectorOf(instruction));
    case 'int1':
      return plain(codeOf('icebp'));
    case 'entry-failure':
      return plain(EXIT.INVALID);
    case 'virtualization':
      return isIntercept(cause.mnemonic) ? plain(codeOf(cause.mnemonic)) : none(cause.mnemonic);
    case 'sipi':
    case 'nmi-window':
    case 'preemption-timer':
    case 'monitor-trap':
    case 'tpr-below':
    case 'apic-access':
    case 'apic-write':
    case 'virtualized-eoi':
    case 'call-out':
    case 'xsaves':
    case 'rdrand':
    case 'rdseed':
    case 'invpcid':
      return none(cause.reason);
    default:
      return plain(codeOf(cause.reason));
  }
}
/** Figure 15-2: width of the address, and the segment of OUTS. */
const addressing = ({ addressSize, memory }: Instruction): number =>
  ((addressSize / 16) << IOIO.ADDRESS_SHIFT) | ((memory?.segment ?? 0) << IOIO.SEGMENT_SHIFT);
/** Decode assist of INT n (15.33.3). */
function vectorOf(instruction: Instruction | undefined): bigint {
  const immediate = instruction?.operands.find((o) => o.kind === 'immediate');
  return immediate?.kind === 'immediate' ? immediate.value & 0xffn : 0n;
}
function nestedInfo(cause: Extract<ExitCause, { reason: 'nested-fault' }>): bigint {
  let info = NPF.U;
  if (cause.allowed.read) info |= NPF.P;
  if (cause.access === 'write') info |= NPF.W;
  if (cause.access === 'execute') info |= NPF.ID;
  if (cause.misconfigured) info |= NPF.RSVD;
  return info | (cause.table ? NPF.TABLE : NPF.FINAL);
}

/** Behind the instruction that left, or that raised the event (15.7.1); 0 where there is none. */
function next({ cause, instruction, during }: GuestExit): bigint {
  if (instruction) return nextRip(instruction);
  const event = during ?? (cause.reason === 'exception' ? cause.event : undefined);
  return event && isSoftware(event.kind) ? event.returnRip : 0n;
}
/** Decode assist of page faults (15.33.5): the bytes at RIP, as far as the page goes that they are executed from. */
function writeInstructionBytes(vmcb: Vmcb, cpu: Cpu): void {
  const { mmu, state } = cpu;
  const gva = linearRip(state);
  const hpa = mmu.tlb.lookupCode(Number(gva & 0xffff_ffffn) | 0, Number(gva >> 32n) | 0, state.cpl === 3);
  const count = hpa < 0 ? 0 : Math.min(INSTRUCTION_BYTES.most, 4096 - Number(gva & 4095n));
  vmcb.write(INSTRUCTION_BYTES.count, count);
  for (let i = 0; i < count; i++) vmcb.write(INSTRUCTION_BYTES.at(i), mmu.readPhysical(hpa + i, 1));
}

/** Fills the exit-information fields (15.6). */
export function writeExit(vmcb: Vmcb, exit: GuestExit, cpu: Cpu): void {
  const { cause, during } = exit;
  const { code, info1, info2 } = encode(exit, cpu, vmcb);
  vmcb.write(CONTROL.EXITCODE, BigInt(code));
  vmcb.write(CONTROL.EXITINFO1, info1);
  vmcb.write(CONTROL.EXITINFO2, info2);
  vmcb.write(CONTROL.EXITINTINFO, during ? eventWord(during) : 0n);
  vmcb.write(CONTROL.NRIP, next(exit));
  const page = cause.reason === 'nested-fault' || (cause.reason === 'exception' && cause.event.vector === VECTOR.PF);
  if (page) writeInstructionBytes(vmcb, cpu);
}
