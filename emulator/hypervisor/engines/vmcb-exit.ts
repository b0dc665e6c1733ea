/** An exit as the VMCB tells it (APM vol. 2 15.6, appendix C). */
import type { Cpu } from '../../cpu/cpu';
import type { ExitCause, PendingEvent } from '../../cpu/exit-cause';
import { PLAIN_EXITS } from '../../cpu/exit-cause';
import type { Vmcb } from '../../cpu/svm-state';
import type { Instruction } from '../../isa/instruction';
import { GPR, VECTOR, WITH_ERROR } from '../../x86/registers';
import { CONTROL, EVENT, EXIT, IOIO, MISC1, MISC2, NPF } from '../../x86/vmcb';
import { vendorExit } from '../describe';
import type { VmExit } from '../exit';
import type { Guest } from '../guest';

/** `instruction`: for its name alone. */
export function decodeVmcb(vmcb: Vmcb, guest: Guest, cpu: Cpu, instruction: Instruction | undefined): VmExit {
  const code = Number(BigInt.asIntN(64, vmcb.read(CONTROL.EXITCODE)));
  return vendorExit(guest, cpu, causeOf(vmcb, cpu, code), code, instruction);
}

const bit = (value: bigint, mask: bigint): boolean => (value & mask) !== 0n;

function causeOf(vmcb: Vmcb, { state }: Cpu, code: number): ExitCause {
  const info1 = vmcb.read(CONTROL.EXITINFO1);
  const info2 = vmcb.read(CONTROL.EXITINFO2);
  if (code === EXIT.NPF) {
    const present = bit(info1, NPF.P);
    return {
      reason: 'nested-fault',
      access: bit(info1, NPF.ID) ? 'execute' : bit(info1, NPF.W) ? 'write' : 'read',
      gpa: Number(info2),
      table: bit(info1, NPF.TABLE),
      allowed: { read: present, write: false, execute: false },
      misconfigured: bit(info1, NPF.RSVD),
      user: state.cpl === 3,
    };
  }
  if (code < 0) return { reason: 'entry-failure', what: 'guest-state', field: 'VMCB' };
  if (code < EXIT.DR_READ) return controlAccess(code, info1, state.gpr(Number(info1 & 15n)));
  if (code < EXIT.EXCEPTION)
    return { reason: 'dr-access', register: code & 15, write: code >= EXIT.DR_WRITE, gpr: Number(info1 & 15n) };
  if (code < EXIT.MISC1) return { reason: 'exception', event: exceptionOf(vmcb, code - EXIT.EXCEPTION, state.rip) };
  const name = code < EXIT.MISC2 ? MISC1[code - EXIT.MISC1] : MISC2[code - EXIT.MISC2];
  switch (name) {
    case 'io': {
      const flags = Number(info1 & 0xffffn);
      return {
        reason: 'io',
        port: Number(info1 >> BigInt(IOIO.PORT_SHIFT)) & 0xffff,
        bytes: ((flags >> IOIO.SIZE_SHIFT) & 7) as 1 | 2 | 4,
        write: !(flags & IOIO.IN),
        string: (flags & IOIO.STRING) !== 0,
        rep: (flags & IOIO.REP) !== 0,
        immediate: false,
      };
    }
    case 'msr':
      return { reason: info1 & 1n ? 'msr-write' : 'msr-read', msr: state.gpr32(GPR.RCX) };
    case 'invlpg':
      return { reason: 'invlpg', gva: info1 };
    case 'shutdown':
      return { reason: 'triple-fault' };
    case 'task-switch': {
      // 15.14.1: what is neither a return nor a jump is a call, or an event on its way.
      const event = bit(vmcb.read(CONTROL.EXITINTINFO), EVENT.VALID);
      const source = bit(info2, 1n << 36n) ? 'iret' : bit(info2, 1n << 38n) ? 'jump' : event ? 'gate' : 'call';
      return { reason: 'task-switch', selector: Number(info1 & 0xffffn), source, ...(bit(info2, 1n << 44n) ? { errorCode: Number(info2 & 0xffff_ffffn) } : {}) };
    }
    case 'intr':
      return { reason: 'external-interrupt' };
    case 'vintr':
      return { reason: 'interrupt-window' };
    case 'nmi':
    case 'init':
      return { reason: name };
    case 'icebp':
      return { reason: 'int1' };
    case 'cr0-selective-write':
      return controlAccess(EXIT.CR_WRITE, info1, state.gpr(Number(info1 & 15n)));
    default: {
      const table = /^(gdtr|idtr|ldtr|tr)-(read|write)$/.exec(name);
      if (table)
        return { reason: 'descriptor-table', register: table[1] as 'gdtr' | 'idtr' | 'ldtr' | 'tr', store: table[2] === 'read' }; // prettier-ignore
      const plain = PLAIN_EXITS.find((each) => each === name);
      return plain ? { reason: plain } : { reason: 'virtualization', mnemonic: name };
    }
  }
} // prettier-ignore

/** Error codes are there for the vectors that have one (8.4.1). */
function exceptionOf(vmcb: Vmcb, vector: number, rip: bigint): PendingEvent {
  if (vector === VECTOR.BP || vector === VECTOR.OF)
    return { vector, kind: vector === VECTOR.BP ? 'int3' : 'into', returnRip: vmcb.read(CONTROL.NRIP) };
  const event: PendingEvent = { vector, kind: 'fault', returnRip: rip };
  if (WITH_ERROR.includes(vector)) event.errorCode = Number(vmcb.read(CONTROL.EXITINFO1) & 0xffff_ffffn);
  if (vector === VECTOR.PF) event.address = vmcb.read(CONTROL.EXITINFO2);
  return event;
}

function controlAccess(code: number, info1: bigint, value: bigint): ExitCause {
  const write = code >= EXIT.CR_WRITE;
  // Without bit 63 it was CLTS, LMSW or SMSW, of which only the register is known.
  const access = bit(info1, 1n << 63n) ? (write ? 'write' : 'read') : write ? 'lmsw' : 'smsw';
  return { reason: 'cr-access', register: code & 15, access, gpr: Number(info1 & 15n), value };
}
