/** What a guest may not do is refused with the frame and the rule, changes nothing of its own, and nothing of others. */
import assert from 'node:assert/strict';
import { audit } from './audit';
import { BASE, pvGuests } from './pv-guest';
import type { PvGuest, Word } from './pv-guest';

const MMU_UPDATE = 1;
const SET_TRAP_TABLE = 0;
const SET_GDT = 2;
const UPDATE_DESCRIPTOR = 10;
const UPDATE_VA_MAPPING = 14;
const MEMORY_OP = 12;
const MMUEXT_OP = 26;
const EVENT_CHANNEL_OP = 32;
const SELF = 0x7ff0;
const EFAULT = -14n;
const EINVAL = -22n;
const EPERM = -1n;

const words: readonly Word[] = [8, 4];
const va = (guest: PvGuest, gva: bigint, entry: bigint): ReturnType<PvGuest['call']> =>
  guest.domain.word === 8 ? guest.call(UPDATE_VA_MAPPING, gva, entry, 2) : guest.call(UPDATE_VA_MAPPING, gva, entry & 0xffff_ffffn, entry >> 32n, 2); // prettier-ignore
const entryOf = (mfn: number, rights = 0x67n): bigint => (BigInt(mfn) << 12n) | rights;
/** One mmu_update. */
function update(guest: PvGuest, address: bigint, value: bigint): ReturnType<PvGuest['call']> {
  const at = guest.scratch(0);
  guest.caller.write64(at, address);
  guest.caller.write64(at + 8n, value);
  return guest.call(MMU_UPDATE, at, 1, 0, SELF);
}
function ext(guest: PvGuest, command: number, arg1: bigint | number, arg2: bigint | number = 0): ReturnType<PvGuest['call']> {
  const at = guest.scratch(0);
  const { word } = guest.domain;
  guest.caller.write(at, 4, command);
  guest.caller.writeWord(at + BigInt(word), BigInt(arg1));
  guest.caller.writeWord(at + BigInt(2 * word), BigInt(arg2));
  return guest.call(MMUEXT_OP, at, 1, 0, SELF);
} // prettier-ignore
const descriptor = (guest: PvGuest, value: bigint): ReturnType<PvGuest['call']> => {
  const address = BigInt(guest.frame(guest.scratch(3))) << 12n;
  return guest.domain.word === 8 ? guest.call(UPDATE_DESCRIPTOR, address, value) : guest.call(UPDATE_DESCRIPTOR, address & 0xffff_ffffn, address >> 32n, value & 0xffff_ffffn, value >> 32n); // prettier-ignore
};
const l1Of = (guest: PvGuest): number => guest.domain.entryFor(guest.scratch(0)).mfn;

interface Row {
  what: string;
  attack(guest: PvGuest, other: PvGuest): ReturnType<PvGuest['call']>;
  result: bigint;
  why: RegExp;
  only?: Word;
}
const ROWS: readonly Row[] = [
  { what: 'maps its page table writable', attack: (g) => va(g, g.scratch(1), entryOf(l1Of(g))), result: EINVAL, why: /frame 0x\w+ \(type L1, .*\): it cannot be used as writable/ },
  { what: 'maps its root writable', attack: (g) => va(g, g.scratch(1), entryOf(g.domain.vcpuStates[0].kernelRoot)), result: EINVAL, why: /type L[34], .*pinned.*cannot be used as writable/ },
  { what: 'claims a foreign frame', attack: (g, o) => va(g, g.scratch(1), entryOf(o.frame(o.scratch(0)))), result: EINVAL, why: /is none of the domain's/ },
  { what: 'claims a foreign frame to read', attack: (g, o) => va(g, g.scratch(1), entryOf(o.frame(o.scratch(0)), 0x65n)), result: EINVAL, why: /is none of the domain's/ },
  { what: 'claims a frame of the hypervisor', attack: (g) => va(g, g.scratch(1), entryOf(1)), result: EINVAL, why: /frame 0x1 is none/ },
  { what: 'claims a frame beyond memory', attack: (g) => va(g, g.scratch(1), entryOf(0xff_ffff)), result: EINVAL, why: /is none of the domain's/ },
  { what: 'sets reserved bits', attack: (g) => va(g, g.scratch(1), entryOf(g.frame(g.scratch(1))) | (1n << 50n)), result: EINVAL, why: /reserved bits/ },
  { what: 'maps a superpage', attack: (g) => update(g, (BigInt(tableOf(g, 2)) << 12n) + 0x100n, entryOf(g.frame(g.scratch(1))) | 0x80n), result: EINVAL, why: /superpage/ },
  { what: 'writes a foreign page table', attack: (g, o) => update(g, BigInt(l1Of(o)) << 12n, 0n), result: EINVAL, why: /is none of the domain's/ },
  { what: 'writes a wild machine address', attack: (g) => update(g, 0xffff_ffff_f000n, 0n), result: EINVAL, why: /is none of the domain's/ },
  { what: 'changes the hypervisor\'s entry of its root', attack: (g) => update(g, (BigInt(g.domain.vcpuStates[0].kernelRoot) << 12n) + 256n * 8n, 0n), result: EPERM, why: /belongs to the hypervisor/, only: 8 },
  { what: 'unhooks the hypervisor', attack: (g) => update(g, (BigInt(g.domain.vcpuStates[0].kernelRoot) << 12n) + 24n, 0n), result: EINVAL, why: /must stay present/, only: 4 },
  { what: 'pins a page that is writable', attack: (g) => ext(g, 0, g.frame(g.scratch(2))), result: EINVAL, why: /type writable, 1 of type.*cannot be used as L1/ },
  { what: 'pins a foreign page', attack: (g, o) => ext(g, 0, o.frame(o.scratch(2))), result: EINVAL, why: /is none of the domain's/ },
  { what: 'unpins what is not pinned', attack: (g) => ext(g, 4, g.frame(g.scratch(2))), result: EINVAL, why: /it is not pinned/ },
  { what: 'takes a data page for a root', attack: (g) => ext(g, 5, g.frame(g.scratch(2))), result: EINVAL, why: /cannot be used as L[34]/ },
  { what: 'copies from a foreign page', attack: (g, o) => ext(g, 17, g.frame(g.scratch(2)), o.frame(o.scratch(0))), result: EINVAL, why: /is none of the domain's/ },
  { what: 'clears its page table', attack: (g) => ext(g, 16, l1Of(g)), result: EINVAL, why: /type L1/ },
  { what: 'forges a task-state segment', attack: (g) => descriptor(g, 0x0000_8900_0000_0067n), result: EINVAL, why: /descriptor 0x0000890000000067: of system descriptors/ },
  { what: 'forges an interrupt gate', attack: (g) => descriptor(g, 0x0000_ee00_0008_0000n), result: EINVAL, why: /of system descriptors/ },
  { what: 'forges a call gate to ring 0', attack: (g) => descriptor(g, 0x0000_ec00_0008_0000n), result: EINVAL, why: /ring 0/, only: 4 },
  { what: 'has a segment within the hypervisor', attack: (g) => descriptor(g, 0xf7cf_9300_0000_ffffn), result: EINVAL, why: /lies in the hypervisor/, only: 4 },
  { what: 'has a segment that expands down', attack: (g) => descriptor(g, 0x00cf_9700_0000_0000n), result: EINVAL, why: /expands down/, only: 4 },
  { what: 'gives a writable page as GDT', attack: (g) => { g.caller.writeWord(g.scratch(0), BigInt(g.frame(g.scratch(2)))); return g.call(SET_GDT, g.scratch(0), 16); }, result: EINVAL, why: /cannot be used as descriptors/ },
  { what: 'gives a foreign page as GDT', attack: (g, o) => { g.caller.writeWord(g.scratch(0), BigInt(o.frame(o.scratch(2)))); return g.call(SET_GDT, g.scratch(0), 16); }, result: EINVAL, why: /is none of the domain's/ },
  { what: 'asks for more descriptors than there are', attack: (g) => g.call(SET_GDT, g.scratch(0), 8192), result: EINVAL, why: /hypervisor's/ },
  { what: 'passes a pointer into the hypervisor', attack: (g) => g.call(SET_TRAP_TABLE, g.domain.word === 8 ? 0xffff_8200_0000_0000n : 0xf680_0000n), result: EFAULT, why: /lies in the hypervisor/ },
  { what: 'passes a wild pointer', attack: (g) => g.call(MMU_UPDATE, 0x1234_5000n, 1, 0, SELF), result: EFAULT, why: /cannot be accessed/ },
  { what: 'has results written to its page table', attack: (g) => g.call(MEMORY_OP, 9, pageTableGva(g)), result: EFAULT, why: /cannot be accessed/ },
  { what: 'sends on a port that it has not', attack: (g) => { g.caller.write(g.scratch(0), 4, 77); return g.call(EVENT_CHANNEL_OP, 4, g.scratch(0)); }, result: EINVAL, why: /port 77/ },
  { what: 'acts for another domain', attack: (g) => g.call(MMU_UPDATE, g.scratch(0), 0, 0, 2), result: EPERM, why: /may not act for domain 2/ },
  { what: 'asks what is domain 0\'s', attack: (g) => g.call(36, g.scratch(0)), result: EPERM, why: /domain 0/ },
]; // prettier-ignore

/** The table of this level over the kernel. */
function tableOf({ domain }: PvGuest, level: number): number {
  const { word, memory, vcpuStates } = domain;
  let mfn = vcpuStates[0].kernelRoot;
  for (let at = word === 8 ? 4 : 3; at > level; at--) {
    const shift = BigInt(12 + 9 * (at - 1));
    const index = Number((BASE[word] >> shift) & (word === 4 && at === 3 ? 3n : 511n));
    mfn = Number((memory.read64(mfn, index * 8) >> 12n) & 0xff_ffffn);
  }
  return mfn;
}
/** Where the kernel has its L1 mapped, to read. */
function pageTableGva(guest: PvGuest): bigint {
  const wanted = l1Of(guest);
  for (let page = 0n; page < 1024n; page++) {
    const gva = BASE[guest.domain.word] + page * 4096n;
    if (guest.frame(gva) === wanted) return gva + 64n;
  }
  throw new Error('the builder maps the page tables');
}
function decrease(guest: PvGuest, page: number): ReturnType<PvGuest['call']> {
  const at = guest.scratch(0);
  const w = BigInt(guest.domain.word);
  guest.caller.writeWord(at, at + 64n);
  guest.caller.writeWord(at + w, 1n);
  guest.caller.write(at + 2n * w, 4, 0);
  guest.caller.write(at + 2n * w + 8n, 2, SELF);
  guest.caller.writeWord(at + 64n, BigInt(guest.frame(guest.scratch(page))));
  return guest.call(MEMORY_OP, 1, at);
}

describe('isolation of paravirtualised domains', () => {
  for (const word of words)
    describe(`${word * 8} bits`, () => {
      const { guests } = pvGuests([word, 8]);
      const [guest, other] = guests;
      for (const { what, attack, result, why, only } of ROWS.filter((row) => (row.only ?? word) === word))
        it(what, () => {
          assert.ok(only === undefined || only === word);
          const before = other.machine.stateHash();
          const outcome = attack(guest, other);
          assert.match(outcome.refusal ?? '', why);
          assert.equal(outcome.result, result);
          assert.deepEqual(audit(guest.parts), []);
          assert.equal(other.machine.stateHash(), before);
        });
      it('a frame that is given back while it is mapped is still its own, and nobody else\'s', () => {
        const mfn = guest.frame(guest.scratch(5));
        assert.deepEqual(decrease(guest, 5), { result: 1n });
        assert.deepEqual(guest.domain.free, []);
        assert.deepEqual(decrease(guest, 5), { result: 0n });
        assert.equal(va(guest, guest.scratch(5), 0n).result, 0n);
        assert.deepEqual(guest.domain.free, [mfn]);
        assert.deepEqual(audit(guest.parts), []);
      }); // prettier-ignore
      it('a flood of events fills what there is for ports, and no more', () => {
        const before = other.machine.stateHash();
        const at = guest.scratch(0);
        guest.caller.write(at, 2, SELF);
        guest.caller.write(at + 2n, 2, 2);
        let refused: string | undefined;
        for (let i = 0; i < 5000 && !refused; i++) refused = guest.call(EVENT_CHANNEL_OP, 6, at).refusal;
        assert.match(refused!, /ports are in use/);
        assert.equal(other.machine.stateHash(), before);
      });
    });
});
