/** An exit as the VMCB tells it (APM vol. 2 15.6, appendix C). */
import type { Cpu } from '../../cpu/cpu';
import type { ExitCause, PendingEvent } from '../../cpu/exit-cause';
import { PLAIN_EXITS } from '../../cpu/exit-cause';
import type { Vmcb } from '../../cpu/svm-state';
import type { Instruction } from '../../isa/instruction';
import { GPR } from '../../x86/registers';
import { CONTROL, EXIT, IOIO, MISC1, MISC2, NPF } from '../../x86/vmcb';
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
      user: bit(info1, NPF.U),
    };
  }
  if (code < 0) return { reason: 'entry-failure', what: 'guest-state', field: 'VMCB' };
  if (code < EXIT.DR_READ) return controlAccess(code, info1, state.gpr(Number(info1 & 15n)));
  if (code < EXIT.EXCEPTION)
    return { reason: 'dr-access', register: code & 15, write: code >= EXIT.DR_WRITE, gpr: Number(info1 & 15n) };
  if (code < EXIT.MISC1) {
    const event: PendingEvent = { vector: code - EXIT.EXCEPTION, kind: 'fault', returnRip: state.rip };
    return { reason: 'exception', event: { ...event, errorCode: Number(info1 & 0xffff_ffffn), address: info2 } };
  }
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
    case 'task-switch':
      return { reason: 'task-switch', selector: Number(info1 & 0xffffn), source: bit(info2, 1n << 36n) ? 'iret' : bit(info2, 1n << 38n) ? 'jump' : 'call' }; // prettier-ignore
    case 'intr':
      return { reason: 'external-interrupt' };
    default: {
      const table = /^(gdtr|idtr|ldtr|tr)-(read|write)$/.exec(name);
      if (table)
        return { reason: 'descriptor-table', register: table[1] as 'gdtr' | 'idtr' | 'ldtr' | 'tr', store: table[2] === 'read' }; // prettier-ignore
      const plain = PLAIN_EXITS.find((each) => each === name);
      return plain ? { reason: plain } : { reason: 'virtualization', mnemonic: name };
    }
  }
}

function controlAccess(code: number, info1: bigint, value: bigint): ExitCause {
  const write = code >= EXIT.CR_WRITE;
  // Without bit 63 it was CLTS, LMSW or SMSW, of which only the register is known.
  const access = bit(info1, 1n << 63n) ? (write ? 'write' : 'read') : write ? 'lmsw' : 'smsw';
  return { reason: 'cr-access', register: code & 15, access, gpr: Number(info1 & 15n), value };
}
