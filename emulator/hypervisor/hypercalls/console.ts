/** console_io: Xen's emergency console, which is the machine's console too. */
import { refuse } from '../xen/errno';
import { asInt, asUint } from './call';
import type { Call } from './call';

const MOST_BYTES = 4096;

export function consoleIo({ args, caller, parts }: Call): number {
  const [command, count, buffer] = args;
  // Nothing is ever typed there: input goes to the PV console.
  if (asUint(command) === 1) return 0;
  if (asUint(command) !== 0) refuse('ENOSYS', `console_io command ${command} is not known`);
  const bytes = asInt(count);
  if (bytes < 0 || bytes > MOST_BYTES) refuse('EINVAL', `${bytes} bytes are not between 0 and ${MOST_BYTES}`);
  parts.output(caller.readBytes(buffer, bytes));
  return 0;
}
