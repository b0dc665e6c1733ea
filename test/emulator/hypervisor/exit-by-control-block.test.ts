/** What the processor writes to a VMCS or VMCB at an exit is what the hypervisor reads there (SDM vol. 3C 28.2; APM vol. 2 15.6). */
import assert from 'node:assert/strict';
import type { Cpu } from '../../../emulator/cpu/cpu';
import { PLAIN_EXITS } from '../../../emulator/cpu/exit-cause';
import type { ExitCause, ExitReason, PendingEvent } from '../../../emulator/cpu/exit-cause';
import { GuestExit } from '../../../emulator/cpu/ports';
import { writeExit as writeVmcb } from '../../../emulator/cpu/svm-exit';
import { Vmcb } from '../../../emulator/cpu/svm-state';
import { Vmcs } from '../../../emulator/cpu/vmcs-region';
import { writeExit as writeVmcs } from '../../../emulator/cpu/vmx-exit';
import { decodeVmcb } from '../../../emulator/hypervisor/engines/vmcb-exit';
import { decodeVmcs } from '../../../emulator/hypervisor/engines/vmcs-exit';
import type { Guest } from '../../../emulator/hypervisor/guest';
import { decode } from '../../../emulator/isa/decode';
import type { Instruction } from '../../../emulator/isa/instruction';
import { GPR } from '../../../emulator/x86/registers';
import { Bench } from '../cpu/fixture';

const BLOCK = 0x1000;
const GVA = 0xffff_8000_0000_1234n;
const RIP = 0x7000n;
const [RAX, RBX, MSR] = [0xdeadn, 0x5678n, 0xc000_0080];

/** What a block says where it says less than the processor knew; 'none': the vendor has no such exit. */
type Read = ExitCause | 'none';
interface Row {
  cause: ExitCause;
  vmcs?: Read;
  vmcb?: Read;
  /** The instruction that left, in hexadecimal. */
  code?: string;
  during?: PendingEvent;
}
const only = (vendor: 'vmcs' | 'vmcb', cause: ExitCause, more: Partial<Row> = {}): Row => ({ cause, [vendor === 'vmcs' ? 'vmcb' : 'vmcs']: 'none', ...more }); // prettier-ignore
const both = (cause: ExitCause): Row[] => [{ cause }];
const exception = (event: Omit<PendingEvent, 'returnRip'>, returnRip = RIP): ExitCause => ({ reason: 'exception', event: { ...event, returnRip } }); // prettier-ignore
const READS = { read: true, write: false, execute: true };
const PRESENT = { read: true, write: false, execute: false };
const NOTHING = { read: false, write: false, execute: false };
const PORT = { reason: 'io', port: 0x3f8, bytes: 1, string: false, rep: false, immediate: false } as const;
const CR0 = { reason: 'cr-access', register: 0 } as const;
const LMSW = { ...CR0, access: 'lmsw', gpr: 0, value: RAX } as const;
const FAULT = { reason: 'nested-fault', gpa: 0x5000, misconfigured: false, user: false } as const;
const TASK = { reason: 'task-switch', selector: 0x28 } as const;
const INTERRUPT: PendingEvent = { vector: 0x20, kind: 'interrupt', returnRip: RIP };
const APIC = { reason: 'apic-access', offset: 0x80 } as const;
const VIRTUAL: readonly [mnemonic: string, code: string, vendor: 'vmcs' | 'vmcb'][] = [
  ['vmcall', '0f01c1', 'vmcs'], ['vmptrld', '0fc730', 'vmcs'], ['invept', '660f388000', 'vmcs'], ['vmmcall', '0f01d9', 'vmcb'], ['vmrun', '0f01d8', 'vmcb'],
]; // prettier-ignore
const TABLES: readonly [register: 'gdtr' | 'idtr' | 'ldtr' | 'tr', store: boolean, code: string][] = [
  ['gdtr', false, '0f0110'], ['idtr', false, '0f0118'], ['gdtr', true, '0f0100'], ['idtr', true, '0f0108'],
  ['ldtr', false, '0f00d3'], ['tr', false, '0f00db'], ['ldtr', true, '0f00c3'], ['tr', true, '0f00cb'],
]; // prettier-ignore

const NOT_VTX: readonly ExitReason[] = ['iret', 'pushf', 'popf', 'int', 'int1'];
const NOT_AMD: readonly ExitReason[] = ['xsaves', 'rdrand', 'rdseed', 'invpcid'];
const PLAIN = Object.fromEntries(
  PLAIN_EXITS.map((reason): [string, Row[]] => {
    const cause = { reason };
    return [reason, [NOT_VTX.includes(reason) ? only('vmcb', cause) : NOT_AMD.includes(reason) ? only('vmcs', cause) : { cause }]];
  }),
) as Record<(typeof PLAIN_EXITS)[number], Row[]>; // prettier-ignore

const ROWS: Record<ExitReason, readonly Row[]> = {
  ...PLAIN,
  exception: [
    { cause: exception({ vector: 13, kind: 'fault', errorCode: 0x18 }) },
    { cause: exception({ vector: 14, kind: 'fault', errorCode: 6, address: GVA }) },
    { cause: exception({ vector: 6, kind: 'fault' }) },
    // DR6 has it under AMD-V.
    { cause: exception({ vector: 1, kind: 'fault', conditions: 2 }), vmcb: exception({ vector: 1, kind: 'fault' }) },
    { cause: exception({ vector: 3, kind: 'int3' }, RIP + 1n) },
    { cause: exception({ vector: 4, kind: 'into' }, RIP + 1n) },
    { cause: exception({ vector: 1, kind: 'int1' }, RIP + 1n), vmcb: exception({ vector: 1, kind: 'fault' }) },
  ],
  'external-interrupt': [
    { cause: { reason: 'external-interrupt' } },
    { cause: { reason: 'external-interrupt', vector: 0x51 }, vmcb: { reason: 'external-interrupt' } },
  ],
  nmi: both({ reason: 'nmi' }),
  init: both({ reason: 'init' }),
  'interrupt-window': both({ reason: 'interrupt-window' }),
  'triple-fault': both({ reason: 'triple-fault' }),
  'nmi-window': [only('vmcs', { reason: 'nmi-window' })],
  'preemption-timer': [only('vmcs', { reason: 'preemption-timer' })],
  'monitor-trap': [only('vmcs', { reason: 'monitor-trap' })],
  'tpr-below': [only('vmcs', { reason: 'tpr-below' })],
  sipi: [only('vmcs', { reason: 'sipi', vector: 0x9a })],
  'task-switch': [
    { cause: { ...TASK, source: 'call', length: 7 }, vmcb: { ...TASK, source: 'call' } },
    { cause: { ...TASK, source: 'jump', length: 5 }, vmcb: { ...TASK, source: 'jump' } },
    { cause: { ...TASK, source: 'iret', length: 1 }, vmcb: { ...TASK, source: 'iret' } },
    { cause: { ...TASK, source: 'gate', errorCode: 0x18 }, vmcs: { ...TASK, source: 'gate' }, during: INTERRUPT },
  ],
  invlpg: both({ reason: 'invlpg', gva: GVA }),
  io: [
    { cause: { ...PORT, write: true } },
    { cause: { ...PORT, bytes: 4, write: false } },
    { cause: { ...PORT, write: true, immediate: true }, vmcb: { ...PORT, write: true } },
    {
      cause: { ...PORT, bytes: 2, write: false, string: true, rep: true, gva: GVA },
      vmcb: { ...PORT, bytes: 2, write: false, string: true, rep: true },
    },
  ],
  'msr-read': both({ reason: 'msr-read', msr: MSR }),
  'msr-write': both({ reason: 'msr-write', msr: MSR }),
  'cr-access': [
    { cause: { ...CR0, access: 'write', gpr: GPR.RBX, value: RBX } },
    { cause: { ...CR0, register: 3, access: 'read', gpr: GPR.RBX, value: RBX } },
    // VMCBs tell CLTS, LMSW and SMSW by saying nothing of a register.
    { cause: { ...CR0, access: 'clts', gpr: 0, value: RAX }, vmcb: LMSW },
    { cause: { ...LMSW, value: 0x8001n }, vmcb: LMSW },
    { cause: { ...LMSW, value: 0x11n, gva: GVA }, vmcb: LMSW },
    only('vmcb', { ...CR0, access: 'smsw', gpr: 0, value: RAX }),
  ],
  'dr-access': [
    { cause: { reason: 'dr-access', register: 7, write: false, gpr: GPR.RBX } },
    { cause: { reason: 'dr-access', register: 3, write: true, gpr: 9 } },
  ],
  'descriptor-table': TABLES.map(([register, store, code]) => ({ cause: { reason: 'descriptor-table', register, store }, code })),
  'nested-fault': [
    { cause: { ...FAULT, access: 'write', gva: GVA, table: false, allowed: READS }, vmcb: { ...FAULT, access: 'write', table: false, allowed: PRESENT } },
    { cause: { ...FAULT, access: 'read', gva: GVA, table: true, allowed: NOTHING }, vmcb: { ...FAULT, access: 'read', table: true, allowed: NOTHING } },
    { cause: { ...FAULT, access: 'execute', table: true, allowed: NOTHING } },
    { cause: { ...FAULT, access: 'read', table: false, allowed: NOTHING, misconfigured: true } },
  ],
  virtualization: VIRTUAL.map(([mnemonic, code, vendor]) => only(vendor, { reason: 'virtualization', mnemonic }, { code })),
  'call-out': [{ cause: { reason: 'call-out', mnemonic: 'cli' }, vmcs: 'none', vmcb: 'none' }],
  'apic-access': [
    ...(['read', 'write', 'execute', 'table'] as const).map((access) => only('vmcs', { ...APIC, access })),
    only('vmcs', { ...APIC, access: 'read' }, { vmcs: { ...APIC, access: 'write' }, during: INTERRUPT }),
  ],
  'apic-write': [only('vmcs', { reason: 'apic-write', offset: 0x300 })],
  'virtualized-eoi': [only('vmcs', { reason: 'virtualized-eoi', vector: 0x41 })],
  'entry-failure': [
    { cause: { reason: 'entry-failure', what: 'guest-state', field: 'VMCS' }, vmcb: { reason: 'entry-failure', what: 'guest-state', field: 'VMCB' } },
    { cause: { reason: 'entry-failure', what: 'msr-loading', field: 'VMCS' }, vmcb: { reason: 'entry-failure', what: 'guest-state', field: 'VMCB' } },
  ],
}; // prettier-ignore

function instruction(code: string): Instruction {
  const bytes = Uint8Array.from(code.match(/../g)!, (byte) => parseInt(byte, 16));
  const decoded = decode(bytes, RIP, 64);
  assert(typeof decoded !== 'string', `${code}: ${String(decoded)}`);
  return decoded;
}
/** 'none': it could not be written. */
type Through = (bench: Bench, exit: GuestExit, guest: Guest) => Read;
const THROUGH: Record<'vmcs' | 'vmcb', { model: string; through: Through }> = {
  vmcs: {
    model: 'haswell',
    through({ cpu, physical }, exit, guest) {
      const vmcs = new Vmcs(physical, BLOCK);
      return writeVmcs(vmcs, exit, cpu) ? decodeVmcs(vmcs, guest, cpu, undefined).cause : 'none';
    },
  },
  vmcb: {
    model: 'epyc',
    through({ cpu, physical, unsupported }, exit, guest) {
      const vmcb = new Vmcb(physical, BLOCK);
      writeVmcb(vmcb, exit, cpu);
      return unsupported.length > 0 ? 'none' : decodeVmcb(vmcb, guest, cpu, undefined).cause;
    },
  },
};

for (const block of ['vmcs', 'vmcb'] as const)
  describe(`an exit by the ${block.toUpperCase()}`, () => {
    for (const [reason, rows] of Object.entries(ROWS))
      rows.forEach(({ cause, code, during, ...read }, number) => {
        const expected = read[block] ?? cause;
        it(`${reason}, ${number + 1}: ${expected === 'none' ? 'there is none' : expected === cause ? 'it is read as it was written' : 'it is read as far as it is told'}`, () => {
          const { model, through } = THROUGH[block];
          const bench = new Bench(model);
          const { state, physical } = bench;
          setRegisters(state);
          const exit = new GuestExit(cause, code === undefined ? undefined : instruction(code));
          if (during) exit.during = during;
          const guest = { index: 1, instructions: 5, physical } as unknown as Guest;
          assert.deepEqual(through(bench, exit, guest), expected);
        });
      });
  });
function setRegisters(state: Cpu['state']): void {
  state.setGpr(GPR.RAX, RAX);
  state.setGpr(GPR.RBX, RBX);
  state.setGpr(GPR.RCX, BigInt(MSR));
  state.rip = RIP;
}
