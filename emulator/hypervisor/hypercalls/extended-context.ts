/** What saving and restoring a virtual processor needs besides vcpu_guest_context (domctl.h, xen_domctl_ext_vcpucontext): two callbacks, machine checks. */
import { refuse } from '../xen/errno';
import type { VcpuState } from '../xen/vcpu';
import type { PvCaller } from '../xen/caller';
import { checkTarget, deprivileged } from './traps';

const SIZE_AT = 4n;
const CALLBACKS = [
  { name: 'syscall32', address: 8n, cs: 24n, masks: 28n },
  { name: 'sysenter', address: 16n, cs: 26n, masks: 29n },
] as const;
/** struct hvm_vmce_vcpu: capabilities and two banks. */
const MACHINE_CHECKS = [32n, 40n, 48n] as const;
const BYTES = 56;

export function readExtended(caller: PvCaller, at: bigint, { callbacks }: VcpuState): void {
  caller.write(at + SIZE_AT, 4, BYTES);
  for (const { name, address, cs, masks } of CALLBACKS) {
    const callback = callbacks[name];
    caller.write64(at + address, callback?.address ?? 0n);
    caller.write(at + cs, 2, callback?.cs ?? 0);
    caller.write(at + masks, 1, callback?.masks ? 1 : 0);
  }
  for (const place of MACHINE_CHECKS) caller.write64(at + place, 0n);
}
export function writeExtended(caller: PvCaller, at: bigint, { callbacks }: VcpuState, word: 4 | 8): void {
  const size = caller.read(at + SIZE_AT, 4);
  if (size < Number(MACHINE_CHECKS[0])) refuse('EINVAL', `${size} bytes do not hold the callbacks`);
  const [capabilities] = MACHINE_CHECKS;
  if (size >= BYTES && caller.read64(at + capabilities) !== 0n)
    refuse('EPERM', 'no machine checks are told to guests');
  const said = CALLBACKS.map(({ address }) => caller.read64(at + address));
  for (const address of said) checkTarget(word, address);
  CALLBACKS.forEach(({ name, cs, masks }, i) => {
    const address = word === 4 ? BigInt.asUintN(32, said[i]) : said[i];
    if (address === 0n) delete callbacks[name];
    else callbacks[name] = { cs: deprivileged(word, caller.read(at + cs, 2)), address, masks: caller.read(at + masks, 1) !== 0 };
  });
} // prettier-ignore
