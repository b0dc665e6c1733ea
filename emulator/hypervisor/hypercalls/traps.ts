/** How the guest is entered: its trap table, callbacks, kernel stack; and back from there (iret). arch-x86/xen.h, callback.h. */
import { isCanonical } from '../../util/words';
import { GuestFault } from '../../cpu/ports';
import { TRAP_INFO, FLAT } from '../xen/abi';
import { refuse } from '../xen/errno';
import { iret as returnToGuest } from '../xen/iret';
import type { Callback, CallbackName } from '../xen/vcpu';
import { asUint } from './call';
import type { Call } from './call';

/** struct trap_info by word. */
const TRAP_BYTES = { 8: 16, 4: 8 } as const;
const ADDRESS_AT = { 8: 8n, 4: 4n } as const;
const VECTORS = 256;

/** Never ring 0's: the selector with the privilege of the guest's kernel at least. */
export const deprivileged = (word: 4 | 8, cs: number): number => cs | (word === 8 ? 3 : (cs & 3) === 0 ? 1 : 0);
export const checkTarget = (word: 4 | 8, address: bigint): void => {
  if (word === 8 && !isCanonical(address)) refuse('EINVAL', `0x${address.toString(16)} is no address of code`);
};

export function setTrapTable({ args, caller, domain, vcpu, parts }: Call): void {
  const { word } = domain;
  if (args[0] === 0n) {
    vcpu.traps.fill(null);
  } else {
    for (let i = 0; i < VECTORS; i++) {
      const at = args[0] + BigInt(i * TRAP_BYTES[word]);
      const address = caller.readWord(at + ADDRESS_AT[word]);
      if (address === 0n) break;
      checkTarget(word, address);
      const flags = caller.read(at + 1n, 1);
      vcpu.traps[caller.read(at, 1)] = {
        cs: deprivileged(word, caller.read(at + 2n, 2)),
        address,
        dpl: flags & TRAP_INFO.DPL,
        masks: (flags & TRAP_INFO.MASK_EVENTS) !== 0,
      };
    }
  }
  parts.trapsChanged(caller.cpu);
}

/** 64-bit: three addresses. 32-bit: selector and address of two. */
export function setCallbacks({ args, domain, vcpu }: Call): void {
  const { word } = domain;
  const set = (name: CallbackName, cs: number, address: bigint, masks: boolean): void => {
    checkTarget(word, address);
    vcpu.callbacks[name] = { cs: deprivileged(word, cs), address, masks };
  };
  if (word === 4) {
    set('event', asUint(args[0]) & 0xffff, args[1], true);
    set('failsafe', asUint(args[2]) & 0xffff, args[3], false);
    return;
  }
  const [event, failsafe, syscall] = args;
  set('event', FLAT[8].kernelCs, event, true);
  if (failsafe !== 0n) set('failsafe', FLAT[8].kernelCs, failsafe, false);
  if (syscall !== 0n) set('syscall', FLAT[8].kernelCs, syscall, false);
}

/** Types of callback.h to our names. */
const TYPES: readonly (CallbackName | undefined)[] = ['event', 'failsafe', 'syscall', 'sysenter', 'nmi', 'sysenter', undefined, 'syscall32']; // prettier-ignore
const ALWAYS_MASK: ReadonlySet<CallbackName> = new Set(['event', 'nmi']);

export function callbackOp({ args, caller, domain, vcpu }: Call): void {
  const [command, at] = args;
  const type = caller.read(at, 2);
  const name = TYPES[type];
  if (!name) refuse('ENOSYS', `callback type ${type} is not known`);
  if (domain.word === 4 && name === 'syscall') refuse('ENOSYS', 'SYSCALL of 32-bit programs has a callback type of its own');
  if (asUint(command) === 1) {
    if (name !== 'nmi') refuse('EINVAL', `the ${name} callback cannot be taken back`);
    delete vcpu.callbacks[name];
    return;
  }
  if (asUint(command) !== 0) refuse('ENOSYS', `callback command ${command} is not known`);
  const masks = ALWAYS_MASK.has(name) || (caller.read(at + 2n, 2) & 1) !== 0;
  const { word } = domain;
  const cs = word === 8 ? FLAT[8].kernelCs : caller.read(at + 4n, 4) & 0xffff;
  const address = word === 8 ? caller.read64(at + 8n) : BigInt(caller.read(at + 8n, 4));
  checkTarget(word, address);
  const callback: Callback = { cs: deprivileged(word, cs), address, masks };
  vcpu.callbacks[name] = callback;
} // prettier-ignore

export function stackSwitch({ args, domain, vcpu, parts, cpu }: Call): void {
  const ss = asUint(args[0]) & 0xffff;
  vcpu.kernelSs = deprivileged(domain.word, ss);
  vcpu.kernelSp = args[1];
  parts.trapsChanged(cpu);
}

export function iret({ domain, cpu, caller, vcpu, parts }: Call): 'set' {
  try {
    returnToGuest(domain, cpu, caller);
  } catch (fault) {
    if (!(fault instanceof GuestFault)) throw fault;
    const { failsafe } = vcpu.callbacks;
    if (!failsafe) parts.crash(`it returned to a segment that is none, and has registered no failsafe callback`);
    else parts.failsafe(cpu, failsafe);
  }
  return 'set';
}
