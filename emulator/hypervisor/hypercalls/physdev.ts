/** physdev_op (physdev.h): no physical device is given to any domain of ours; what remains is who may use ports. */
import { refuse } from '../xen/errno';
import { IO_PORTS } from '../xen/port-rights';
import { inReserved } from '../xen/reserved-space';
import { asUint } from './call';
import type { Call } from './call';

export const PHYSDEV_COMMANDS: Readonly<Record<number, string>> = { 6: 'set_iopl', 7: 'set_iobitmap' };

export function physdevOp({ args, caller, domain, vcpu }: Call): void {
  const command = asUint(args[0]);
  if (command === 6) {
    const iopl = caller.read(args[1], 4);
    if (iopl > 3) refuse('EINVAL', `there is no privilege level ${iopl}`);
    vcpu.iopl = iopl;
  } else if (command === 7) {
    const bitmap = domain.word === 8 ? caller.read64(args[1]) : BigInt(caller.read(args[1], 4));
    const ports = caller.read(args[1] + BigInt(domain.word), 4);
    if (ports > IO_PORTS) refuse('EINVAL', `there are ${IO_PORTS} ports, not ${ports}`);
    if (inReserved(domain.word, bitmap, IO_PORTS / 8)) refuse('EINVAL', 'the bitmap lies in the hypervisor');
    vcpu.ioBitmapGva = bitmap;
    vcpu.ioPorts = ports;
  } else {
    refuse('ENOSYS', `PHYSDEVOP ${command}: no physical device is this domain's`);
  }
}
