/** physdev_op (physdev.h): no physical device is given to any domain of ours; what remains is the privilege level of I/O. */
import { refuse } from '../xen/errno';
import { asUint } from './call';
import type { Call } from './call';

export const PHYSDEV_COMMANDS: Readonly<Record<number, string>> = { 6: 'set_iopl', 7: 'set_iobitmap' };

export function physdevOp({ args, caller, vcpu }: Call): void {
  const command = asUint(args[0]);
  if (command === 6) {
    const iopl = caller.read(args[1], 4);
    if (iopl > 3) refuse('EINVAL', `there is no privilege level ${iopl}`);
    vcpu.iopl = iopl;
  } else if (command !== 7) {
    refuse('ENOSYS', `PHYSDEVOP ${command}: no physical device is this domain's`);
  }
}
