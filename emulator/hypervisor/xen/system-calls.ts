/**
 * System calls of programs that come through the hypervisor, which keeps the processor from doing them itself: SYSCALL is #UD without
 * EFER.SCE, SYSENTER #GP without a code segment. They go to the callbacks that the kernel registered (callback.h), and the kernel is
 * shown what the hypervisor guesses, as it cannot know the program's segments: the flat ones, and after SYSENTER not even where
 * it was. Without a callback the program gets the exception after all.
 */
import type { Cpu } from '../../cpu/cpu';
import { executionMode, linearRip } from '../../cpu/mode';
import { GuestFault } from '../../cpu/ports';
import type { Instruction } from '../../isa/instruction';
import { GPR, VECTOR } from '../../x86/registers';
import { FLAT } from './abi';
import { bounce } from './bounce';
import { PvCaller } from './caller';
import type { PvDomain } from './domain';
import { HypercallError } from './ports';

export type SystemCall = 'syscall' | 'syscall32' | 'sysenter';

const BYTES = 2;
const R11 = 11;
const NULL_CS = 3;

/** The one that raised this fault. `instruction`: at RIP. */
export function systemCallOf(domain: PvDomain, cpu: Cpu, { vector, trap }: GuestFault, instruction?: Instruction): SystemCall | undefined {
  if (trap) return undefined;
  const amd = cpu.model.vendor === 'AuthenticAMD';
  const mnemonic = instruction?.row.mnemonic;
  // In long mode it is Intel's alone (APM vol. 3, SYSENTER).
  if (vector === VECTOR.GP) return mnemonic === 'sysenter' && !(amd && domain.word === 8) ? 'sysenter' : undefined;
  if (vector !== VECTOR.UD) return undefined;
  if (mnemonic !== 'syscall') return undefined;
  // Outside of 64-bit code it is AMD's alone (APM vol. 3, SYSCALL).
  if (cpu.long) return 'syscall';
  return amd && executionMode(cpu.state).codeSize === 32 ? 'syscall32' : undefined;
} // prettier-ignore

/** Whether the code at RIP begins with these bytes. */
export function startsWith(domain: PvDomain, cpu: Cpu, bytes: readonly number[]): boolean {
  try {
    const code = new PvCaller(domain, cpu).readBytes(linearRip(cpu.state), bytes.length);
    return bytes.every((byte, i) => byte === code[i]);
  } catch (refused) {
    if (!(refused instanceof HypercallError)) throw refused;
    return false;
  }
}

/** Into the guest's kernel. GuestFault: it has registered nobody. */
export function enterSystemCall(domain: PvDomain, cpu: Cpu, call: SystemCall, length = BYTES): void {
  const { state } = cpu;
  const { word } = domain;
  const to = domain.vcpuStates[cpu.apicId].callbacks[call];
  if (!to) throw word === 8 && call !== 'sysenter' ? new GuestFault(VECTOR.UD) : new GuestFault(VECTOR.GP, 0);
  const { userCs, userCs32, userSs: ss } = FLAT[word];
  if (call === 'sysenter') return bounce(domain, cpu, { ...to, returnRip: 0n, shown: { cs: NULL_CS, ss, sp: 0n } });
  state.rip = BigInt.asUintN(word * 8, state.rip + BigInt(length));
  state.setGpr(GPR.RCX, state.rip);
  if (word === 8) state.setGpr(R11, BigInt(state.rflags));
  bounce(domain, cpu, { ...to, returnRip: state.rip, shown: { cs: call === 'syscall' ? userCs : userCs32, ss } });
}
