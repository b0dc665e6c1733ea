/** vcpu_op and contexts (vcpu.h, arch-x86/xen.h), and what memory_op tells of whose memory (memory.h). */
import assert from 'node:assert/strict';
import { startVcpu } from '../../../../emulator/hypervisor/hypercalls/vcpu-context';
import { HypercallError } from '../../../../emulator/hypervisor/xen/ports';
import type { Instruction } from '../../../../emulator/isa/instruction';
import { emulate } from '../../../../emulator/hypervisor/xen/emulate';
import { GPR, MSR } from '../../../../emulator/x86/registers';
import { pvGuests } from './pv-guest';
import type { PvGuest } from './pv-guest';

const [MEMORY_OP, VCPU_OP, DOMCTL] = [12, 24, 36];
const [UP, DOWN] = [1, 2];
const [EPERM, ESRCH] = [-1n, -3n];
const GET_CONTEXT = 13;
const VERSION = 0x15;
const NOWHERE = 0x8000_0000_0000n;

describe('virtual processors of paravirtualised guests', () => {
  it('the last one goes down with its domain', () => {
    const [guest] = pvGuests([8]).guests as [PvGuest];
    assert.equal(guest.call(VCPU_OP, DOWN, 0).result, 0n);
    assert.equal(guest.domain.ended, 'poweroff');
  });

  it('one that is up and waits is not woken by coming up again', () => {
    const [guest] = pvGuests([8]).guests as [PvGuest];
    guest.cpu.state.setSystem('activity', 1n);
    assert.equal(guest.call(VCPU_OP, UP, 0).result, 0n);
    assert.equal(guest.cpu.state.system('activity'), 1n);
  });

  it('a base that is no address is the fault of WRMSR, as of set_segment_base', () => {
    const [{ domain, cpu }] = pvGuests([8]).guests as [PvGuest];
    for (const msr of [MSR.FS_BASE, MSR.GS_BASE, MSR.KERNEL_GS_BASE])
      for (const [value, answer] of [
        [NOWHERE, 'no'],
        [0x1000n, 'done'],
      ] as const) {
        cpu.state.setGpr(GPR.RAX, value & 0xffff_ffffn);
        cpu.state.setGpr(GPR.RDX, value >> 32n);
        assert.equal(
          emulate(domain, cpu, { row: { mnemonic: 'wrmsr' } } as Instruction, { reason: 'msr-write', msr }),
          answer,
        );
      }
  });

  /** Offsets of struct vcpu_guest_context, 64-bit. */
  const ROWS: readonly [what: string, at: bigint | undefined][] = [
    ['as it was read', undefined],
    ['an instruction pointer', 648n],
    ['a stack pointer', 672n],
    ['a handler of traps', 720n + 14n * 16n + 8n],
    ['a kernel stack', 4976n],
    ['the callback of events', 5112n],
    ['the callback of last resort', 5120n],
    ['the callback of system calls', 5128n],
    ['a base of FS', 5144n],
    ['a base of GS', 5160n],
  ];
  for (const [what, field] of ROWS)
    it(`a context${field === undefined ? `, ${what}, is taken` : ` is refused with ${what} that is no address`}`, () => {
      const [zero, other] = pvGuests([8, 8], { firstId: 0 }).guests as [PvGuest, PvGuest];
      const { caller } = zero;
      const [at, context] = [zero.scratch(0), zero.scratch(4)];
      caller.writeBytes(at, new Uint8Array(64));
      caller.write(at, 4, GET_CONTEXT);
      caller.write(at + 4n, 4, VERSION);
      caller.write(at + 8n, 2, 1);
      caller.write64(at + 24n, context);
      assert.equal(zero.call(DOMCTL, at).result, 0n);
      if (field !== undefined) caller.write64(context + field, NOWHERE);
      const start = (): number => startVcpu(caller, other.parts, 0, context);
      if (field === undefined) start();
      else assert.throws(start, (error) => error instanceof HypercallError && error.message.includes('no address'));
    });

  for (const [name, command] of [
    ['current', 3],
    ['maximum', 4],
  ] as const)
    it(`the ${name} reservation is that of the domain that is named, to who may know`, () => {
      const [zero, other] = pvGuests([8, 8], { firstId: 0 }).guests as [PvGuest, PvGuest];
      other.domain.mostFrames = 100;
      const ask = ({ caller, scratch, call }: PvGuest, domid: number): bigint | undefined => {
        caller.write(scratch(0), 2, domid);
        return call(MEMORY_OP, command, scratch(0)).result;
      };
      if (command === 4) assert.equal(ask(zero, 1), 100n);
      assert.equal(ask(zero, 1), ask(other, 0x7ff0));
      assert.equal(ask(other, 1), ask(other, 0x7ff0));
      assert.equal(ask(other, 0), EPERM);
      assert.equal(ask(zero, 7), ESRCH);
    });
});
