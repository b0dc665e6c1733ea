/** HYPERVISOR_iret of a 64-bit kernel: to a good frame, and to one whose segments are none (xen.h, callback.h: failsafe). */
import assert from 'node:assert/strict';
import { pvGuests } from './pv-guest';

const IRET = 23;
const HANDLER = 0xffff_ffff_8000_0100n;
const TO = { rip: 0xffff_ffff_8000_0040n, flags: 0x246n };
const KERNEL_CS = 0xe030n;
const KERNEL_SS = 0xe02bn;

describe('returns by hypercall', () => {
  for (const { what, cs, ss } of [
    { what: 'a code segment that is none', cs: 0x1000n, ss: KERNEL_SS },
    { what: 'a stack segment that is none', cs: KERNEL_CS, ss: 0x1003n },
    { what: 'data in the place of code', cs: KERNEL_SS & ~3n, ss: KERNEL_SS },
  ])
    it(`to ${what}: the failsafe callback sees that frame, with data segments`, () => {
      const [guest] = pvGuests([8]).guests;
      const { state } = guest!.cpu;
      const { domain, caller } = guest!;
      domain.vcpuStates[0].callbacks.failsafe = { cs: 0xe033, address: HANDLER, masks: false };
      const [frame, rsp] = [guest!.scratch(2), guest!.scratch(4)];
      const [rax, r11, rcx] = [1n, 11n, 12n];
      [rax, r11, rcx, 0n, TO.rip, cs, TO.flags, rsp, ss].forEach((value, i) => caller.write64(frame + BigInt(i * 8), value));
      state.setGpr(4, frame);
      guest!.call(IRET);
      assert.equal(state.rip, HANDLER);
      const top = state.gpr(4);
      const words = Array.from({ length: 11 }, (_, i) => caller.read64(top + BigInt(i * 8)));
      const [savedRcx, savedR11, ds, es, fs, gs, rip, savedCs, flags, sp, savedSs] = words;
      assert.deepEqual([savedRcx, savedR11], [rcx, r11]);
      assert.deepEqual([ds, es, fs, gs], [0n, 0n, 0n, 0n]);
      assert.deepEqual([rip, savedCs, sp, savedSs! & ~3n], [TO.rip, cs, rsp, ss & ~3n]);
      assert.equal(flags, TO.flags);
    }); // prettier-ignore

  it('without such a callback the domain is given up, with the reason', () => {
    const { guests, domains } = pvGuests([8]);
    const [guest] = guests;
    const frame = guest!.scratch(2);
    [0n, 0n, 0n, 0n, TO.rip, 0x1000n, TO.flags, guest!.scratch(4), KERNEL_SS].forEach((value, i) => guest!.caller.write64(frame + BigInt(i * 8), value));
    guest!.cpu.state.setGpr(4, frame);
    guest!.call(IRET);
    const stop = domains.run(1000);
    assert.equal(stop.kind, 'crash');
    assert.match('reason' in stop ? String(stop.reason) : '', /no failsafe callback/);
  }); // prettier-ignore
});
