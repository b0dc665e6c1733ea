/**
 * Which ports a paravirtualised guest may use: its kernel by the level of I/O that it asked for (PHYSDEVOP_set_iopl; none is 0, so
 * level 1 is the kernel's, whatever ring it is in), its programs by level 3 or by the bitmap (PHYSDEVOP_set_iobitmap).
 */
import type { Cpu } from '../../cpu/cpu';
import { PvCaller } from './caller';
import type { PvDomain } from './domain';
import { HypercallError } from './ports';
import { inGuestKernel } from './vcpu';

export const IO_PORTS = 0x1_0000;
const [KERNEL, PROGRAMS] = [1, 3];

/** For CLI and STI, too. */
export function ioLevelAllows(domain: PvDomain, { apicId, state }: Cpu): boolean {
  const vcpu = domain.vcpuStates[apicId];
  return vcpu.iopl >= (inGuestKernel(domain.word, vcpu, state.cpl) ? KERNEL : PROGRAMS);
}

export function mayUsePort(domain: PvDomain, cpu: Cpu, port: number, bytes: number): boolean {
  if (ioLevelAllows(domain, cpu)) return true;
  const { ioBitmapGva, ioPorts } = domain.vcpuStates[cpu.apicId];
  if (port + bytes > ioPorts) return false;
  const caller = new PvCaller(domain, cpu);
  const last = (port + bytes - 1) >> 3;
  let denied = 0;
  domain.onKernelRoot(cpu, () => {
    for (let at = last; at >= port >> 3; at--) denied = (denied << 8) | bitmapByte(caller, ioBitmapGva + BigInt(at));
  });
  return ((denied >> (port & 7)) & ((1 << bytes) - 1)) === 0;
}
/** What cannot be read allows nothing. */
function bitmapByte(caller: PvCaller, gva: bigint): number {
  try {
    return caller.read(gva, 1);
  } catch (refused) {
    if (!(refused instanceof HypercallError)) throw refused;
    return 0xff;
  }
}
