/** What the processor writes to a VMCS at an exit is what the hypervisor reads there (SDM vol. 3C 28.2). */
import assert from 'node:assert/strict';
import type { ExitCause } from '../../../emulator/cpu/exit-cause';
import { GuestExit } from '../../../emulator/cpu/ports';
import { Vmcs } from '../../../emulator/cpu/vmcs-region';
import { writeExit } from '../../../emulator/cpu/vmx-exit';
import { decodeVmcs } from '../../../emulator/hypervisor/engines/vmcs-exit';
import type { Guest } from '../../../emulator/hypervisor/guest';
import { GPR } from '../../../emulator/x86/registers';
import { Bench } from '../cpu/fixture';

const REGION = 0x1000;
const GVA = 0xffff_8000_0000_1234n;
const RBX = 0x5678n;
const READS = { read: true, write: false, execute: true };
const NOTHING = { read: false, write: false, execute: false };
const PORT = { reason: 'io', port: 0x3f8, bytes: 1, rep: false, immediate: false } as const;
const CR0 = { reason: 'cr-access', register: 0 } as const;
const ABSENT = { reason: 'nested-fault', gpa: 0x5000, misconfigured: false, user: false } as const;

const ROWS: readonly [what: string, cause: ExitCause][] = [
  ['HLT', { reason: 'hlt' }],
  ['the start of a processor', { reason: 'sipi', vector: 0x9a }],
  ['INVLPG', { reason: 'invlpg', gva: GVA }],
  ['OUT', { ...PORT, write: true, string: false, immediate: true }],
  ['INS, with its memory', { ...PORT, write: false, string: true, rep: true, gva: GVA }],
  ['a write of CR0', { ...CR0, access: 'write', gpr: GPR.RBX, value: RBX }],
  ['LMSW of a register, with its value', { ...CR0, access: 'lmsw', gpr: 0, value: 0x8001n }],
  ['LMSW of memory, with its place', { ...CR0, access: 'lmsw', gpr: 0, value: 0x11n, gva: GVA }],
  ['a read of DR7', { reason: 'dr-access', register: 7, write: false, gpr: GPR.RBX }],
  ['a write that EPT refuses', { ...ABSENT, access: 'write', gva: GVA, table: false, allowed: READS }],
  ['a table of the guest that EPT does not have', { ...ABSENT, access: 'read', gva: GVA, table: true, allowed: NOTHING }],
  ['PDPTEs that EPT does not have, which no linear address is for', { ...ABSENT, access: 'read', table: true, allowed: NOTHING }],
  ['a task switch', { reason: 'task-switch', selector: 0x28, source: 'gate' }],
]; // prettier-ignore

describe('an exit by the VMCS', () => {
  for (const [what, cause] of ROWS)
    it(`${what}: it is read as it was written`, () => {
      const { cpu, state, physical } = new Bench();
      state.setGpr(GPR.RBX, RBX);
      state.setGpr(GPR.RAX, 0xdeadn);
      const vmcs = new Vmcs(physical, REGION);
      assert.ok(writeExit(vmcs, new GuestExit(cause), cpu));
      const guest = { index: 1, instructions: 5, physical } as unknown as Guest;
      assert.deepEqual(decodeVmcs(vmcs, guest, cpu, undefined).cause, cause);
    });
});
