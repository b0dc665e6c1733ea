/** HYPERVISOR_iret: to a good frame, and to one whose segments are none (xen.h, callback.h: failsafe). */
import assert from 'node:assert/strict';
import { FLAT } from '../../../../emulator/hypervisor/xen/abi';
import { BASE, pvGuests } from './pv-guest';
import type { PvGuest, Word } from './pv-guest';

const IRET = 23;
const SET_GDT = 2;
const STACK_SWITCH = 3;
const UPDATE_VA_MAPPING = 14;
const ESP = 4;
const FLAGS = 0x246n;
/** Where a GDT of the guest's own has a call gate, of ring 0 and present. */
const GATE = 0x8n;
const CALL_GATE = { 8: 0x0000_8c00_0000_0000n, 4: 0x0000_8c00_e019_0000n } as const;
const [FRAME_PAGE, STACK_PAGE, TABLE_PAGE, KERNEL_STACK] = [2, 4, 5, 7];

interface Row {
  what: string;
  word: Word;
  cs: bigint;
  ss: bigint;
}
const code = (word: Word): bigint => BigInt(word === 8 ? FLAT[8].kernelCs & ~3 : FLAT[4].userCs);
const stack = (word: Word): bigint => BigInt(word === 8 ? FLAT[8].kernelSs : FLAT[4].userSs);
/** 64-bit kernels return to themselves with RPL 0. */
const RPL = { 8: 0n, 4: 3n } as const;
const ROWS: readonly Row[] = ([8, 4] as const).flatMap((word) => [
  { what: 'a code segment that is none', word, cs: 0x1000n | RPL[word], ss: stack(word) },
  { what: 'a stack segment that is none', word, cs: code(word), ss: 0x1003n },
  { what: 'data in the place of code', word, cs: (stack(word) & ~3n) | RPL[word], ss: stack(word) },
  { what: 'a call gate in the place of a stack', word, cs: code(word), ss: GATE | 3n },
  { what: 'a call gate in the place of code', word, cs: GATE | RPL[word], ss: stack(word) },
  ...(word === 4 ? [{ what: 'a stack of another ring', word, cs: code(word), ss: BigInt(FLAT[4].kernelSs) }] : []),
]);

/** Descriptors of its own: read-only from now on. */
function useGate(guest: PvGuest): void {
  const { word } = guest.domain;
  const page = guest.scratch(TABLE_PAGE);
  const mfn = BigInt(guest.frame(page));
  guest.caller.write64(page + GATE, CALL_GATE[word]);
  const entry = (mfn << 12n) | 0x65n;
  const update = guest.call(UPDATE_VA_MAPPING, page, ...(word === 8 ? [entry, 2] : [entry & 0xffff_ffffn, entry >> 32n, 2]));
  assert.equal(update.result, 0n);
  guest.caller.writeWord(guest.scratch(0), mfn);
  assert.equal(guest.call(SET_GDT, guest.scratch(0), 16).result, 0n);
} // prettier-ignore
/** A frame for IRET by hypercall, at the stack pointer. */
function frame({ domain: { word }, caller, scratch, cpu }: PvGuest, cs: bigint, ss: bigint): { rip: bigint; sp: bigint } {
  const [at, sp, rip] = [scratch(FRAME_PAGE), scratch(STACK_PAGE), BASE[word] + 0x40n];
  const [rax, r11, rcx, flags] = [1n, 11n, 12n, 0n];
  const words = word === 8 ? [rax, r11, rcx, flags, rip, cs, FLAGS, sp, ss] : [rax, rip, cs, FLAGS, sp, ss];
  words.forEach((value, i) => caller.writeWord(at + BigInt(i * word), value));
  cpu.state.setGpr(ESP, at);
  return { rip, sp };
} // prettier-ignore

function check({ word, cs, ss }: Row): void {
  const [guest] = pvGuests([word]).guests as [PvGuest];
  const { domain, caller, cpu, call, scratch } = guest;
  const { state } = cpu;
  useGate(guest);
  const handler = BASE[word] + 0x100n;
  const ring = FLAT[word].kernelCs & 3;
  const [vcpu] = domain.vcpuStates as [(typeof domain.vcpuStates)[0]];
  vcpu.callbacks.failsafe = { cs: FLAT[word].kernelCs, address: handler, masks: false };
  vcpu.kernelSp = scratch(KERNEL_STACK);
  const { rip, sp } = frame(guest, cs, ss);
  call(IRET);
  assert.equal(state.rip, handler);
  assert.equal(state.cpl, ring);
  const data = BigInt(FLAT[word].kernelDs);
  const words = Array.from({ length: 11 }, (_, i) => caller.readWord(state.gpr(ESP) + BigInt(i * word)));
  if (word === 8) assert.deepEqual(words.splice(0, 2), [12n, 11n], 'RCX and R11');
  const [ds, es, fs, gs, savedRip, savedCs, flags, savedSp, savedSs] = words;
  assert.deepEqual([ds, es, fs, gs], [data, data, data, data]);
  assert.deepEqual([savedRip, savedCs! | 3n, savedSp, savedSs! | 3n], [rip, cs | 3n, sp, ss | 3n]);
  assert.equal(flags, FLAGS);
}

describe('returns by hypercall', () => {
  for (const row of ROWS)
    it(`of a ${row.word * 8}-bit kernel to ${row.what}: the failsafe callback sees that frame, with data segments`, () =>
      check(row));

  for (const word of [8, 4] as const)
    it(`of a ${word * 8}-bit kernel, without such a callback: the domain is given up, with the reason`, () => {
      const { guests, domains } = pvGuests([word]);
      const [guest] = guests as [PvGuest];
      frame(guest, 0x1000n | RPL[word], stack(word));
      guest.call(IRET);
      const stop = domains.run(1000);
      assert.equal(stop.kind, 'crash');
      assert.match('reason' in stop ? String(stop.reason) : '', /no failsafe callback/);
    });

  for (const masks of [false, true])
    it(`of a 32-bit kernel to virtual-8086 mode: its #GP handler${masks ? ', which masks events,' : ''} finds that frame on its stack`, () => {
      const [guest] = pvGuests([4]).guests as [PvGuest];
      const { domain, caller, cpu, call, scratch } = guest;
      const { state } = cpu;
      const [vcpu] = domain.vcpuStates as [(typeof domain.vcpuStates)[0]];
      vcpu.traps[13] = { cs: FLAT[4].kernelCs, address: BASE[4] + 0x200n, dpl: 0, masks };
      vcpu.kernelSp = scratch(KERNEL_STACK);
      const at = scratch(FRAME_PAGE);
      const words = [0x1234n, 0x5678n, 0xf000n, 0x2_0246n, 0xffe0n, 0x9000n, 1n, 2n, 3n, 4n];
      words.forEach((word, i) => caller.writeWord(at + BigInt(i * 4), word));
      state.setGpr(ESP, at);
      call(IRET);
      assert.equal(state.gpr(ESP), vcpu.kernelSp - 40n);
      assert.deepEqual([state.rip, state.cpl, state.gpr(0)], [BASE[4] + 0x200n, 1, 0x1234n]);
      assert.equal(state.rflags & 0x2_0200, 0x200, 'VM is clear, IF the hypervisor');
      assert.equal(domain.upcallMasked(0), masks);
      const left = words.map((_, i) => caller.readWord(state.gpr(ESP) + BigInt(i * 4)));
      assert.deepEqual(left, [0n, ...words.slice(1)]);
    });

  it('a kernel stack that is a call gate is found out at the first way into the kernel', () => {
    const { guests, domains } = pvGuests([4], { code: [0xcd, 0x82, 0x0f, 0x0b] });
    const [guest] = guests as [PvGuest];
    const { domain, cpu, call } = guest;
    useGate(guest);
    assert.equal(call(STACK_SWITCH, GATE, guest.scratch(KERNEL_STACK)).result, 0n);
    domain.vcpuStates[0]!.traps[6] = { cs: FLAT[4].kernelCs, address: BASE[4], dpl: 0, masks: false };
    // A program's invalid instruction.
    const page = guest.scratch(8);
    guest.caller.writeBytes(page, Uint8Array.of(0x0f, 0x0b));
    guest.share(page);
    frame(guest, code(4), stack(4));
    guest.caller.writeWord(guest.scratch(FRAME_PAGE) + 4n, page);
    call(IRET);
    assert.equal(cpu.state.cpl, 3);
    const stop = domains.run(1000);
    assert.equal(stop.kind, 'crash');
    assert.match('reason' in stop ? String(stop.reason) : '', /stack segment, 0x9, is none/);
    assert.notEqual(cpu.state.cpl, 0);
  });
});
