/** domctl set_ext_vcpucontext and get_ext_vcpucontext (domctl.h): what a toolstack saves of a virtual processor besides its registers. */
import assert from 'node:assert/strict';
import { pvGuests } from './pv-guest';
import type { PvGuest, Word } from './pv-guest';

const DOMCTL = 36;
const [SET, GET] = [42, 43];
const VERSION = 0x15;
const [EPERM, EINVAL, ESRCH] = [-1n, -22n, -3n].map((error) => BigInt.asIntN(64, error));

interface Context {
  domain: number;
  vcpu: number;
  size: number;
  syscall32: { address: bigint; cs: number; masks: number };
  sysenter: { address: bigint; cs: number; masks: number };
  capabilities: bigint;
}
const GOOD: Context = {
  domain: 1,
  vcpu: 0,
  size: 56,
  syscall32: { address: 0xffff_8000_0000_1234n, cs: 0xe033, masks: 1 },
  sysenter: { address: 0x1234_5678n, cs: 0xe033, masks: 0 },
  capabilities: 0n,
};

function call({ caller, scratch, call: invoke }: PvGuest, command: number, context: Context): bigint {
  const at = scratch(0);
  caller.writeBytes(at, new Uint8Array(128));
  caller.write(at, 4, command);
  caller.write(at + 4n, 4, VERSION);
  caller.write(at + 8n, 2, context.domain);
  caller.write(at + 16n, 4, context.vcpu);
  caller.write(at + 20n, 4, context.size);
  [context.syscall32, context.sysenter].forEach(({ address, cs, masks }, i) => {
    caller.write64(at + 24n + BigInt(i * 8), address);
    caller.write(at + 40n + BigInt(i * 2), 2, cs);
    caller.write(at + 44n + BigInt(i), 1, masks);
  });
  caller.write64(at + 48n, context.capabilities);
  return BigInt.asIntN(64, invoke(DOMCTL, at).result!);
}
const answer = ({ caller, scratch }: PvGuest): Omit<Context, 'domain'> => {
  const at = scratch(0);
  const callback = (i: number): Context['sysenter'] => ({
    address: caller.read64(at + 24n + BigInt(i * 8)),
    cs: caller.read(at + 40n + BigInt(i * 2), 2),
    masks: caller.read(at + 44n + BigInt(i), 1),
  });
  const [vcpu, size] = [caller.read(at + 16n, 4), caller.read(at + 20n, 4)];
  return { vcpu, size, syscall32: callback(0), sysenter: callback(1), capabilities: caller.read64(at + 48n) };
};
const both = (word: Word): [PvGuest, PvGuest] => pvGuests([8, word], { firstId: 0 }).guests as [PvGuest, PvGuest];

describe('the extended context of a virtual processor', () => {
  const NONE = { address: 0n, cs: 0, masks: 0 };
  const taken: readonly [what: string, word: Word, change: Partial<Context>, seen?: Partial<Context>][] = [
    ['of a 64-bit domain', 8, {}],
    ['with one callback alone', 8, { sysenter: NONE }],
    ['of a 32-bit domain', 4, { syscall32: NONE, sysenter: { address: 0x1000n, cs: 0xe019, masks: 1 } }],
    ['with ring 0 for a ring', 8, { sysenter: { ...GOOD.sysenter, cs: 0xe030 } }, { sysenter: GOOD.sysenter }],
    ['without machine checks, as older toolstacks have it', 8, { size: 32 }],
  ];
  for (const [what, word, change, seen = {}] of taken)
    it(`${what}: what was set is read`, () => {
      const [zero, other] = both(word);
      const context = { ...GOOD, ...change };
      assert.equal(call(zero, SET, context), 0n);
      assert.equal(call(zero, GET, { ...GOOD, size: 0, syscall32: NONE, sysenter: NONE }), 0n);
      const { domain: _, ...expected } = { ...context, size: 56, ...seen };
      assert.deepEqual(answer(zero), expected);
      const { address } = context.sysenter;
      assert.equal(other.domain.vcpuStates[0]!.callbacks.sysenter?.address ?? 0n, address);
    });

  const refused: readonly [what: string, change: Partial<Context>, error: bigint | undefined][] = [
    ['an address that is not canonical', { syscall32: { ...GOOD.syscall32, address: 0x8000_0000_0000_0000n } }, EINVAL],
    ['too few bytes', { size: 31 }, EINVAL],
    ['machine checks', { capabilities: 1n }, EPERM],
    ['a virtual processor that is not there', { vcpu: 9 }, EINVAL],
    ['its own', { domain: 0 }, EINVAL],
    ['a domain that is not there', { domain: 77 }, ESRCH],
  ];
  for (const [what, change, error] of refused)
    it(`${what}: refused, and nothing is set`, () => {
      const [zero, other] = both(8);
      assert.equal(call(zero, SET, { ...GOOD, ...change }), error);
      assert.deepEqual(other.domain.vcpuStates[0]!.callbacks.sysenter, undefined);
    });
});
