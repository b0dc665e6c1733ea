/** Exits as the vendors' manuals call them, for people. */
import { vectorName } from './registers';
import { EXIT, MISC1, MISC2 } from './vmcb';
import { REASON } from './vmcs';

const NAMES = new Map<number, string>(Object.entries(REASON).map(([name, code]) => [code, name]));
/** A basic exit reason (SDM vol. 3C appendix C). */
export const reasonName = (reason: number): string => NAMES.get(reason & 0xffff) ?? `reason ${reason & 0xffff}`;

/** An EXITCODE (APM vol. 2 appendix C). */
export function exitCodeName(code: bigint): string {
  const number = Number(BigInt.asIntN(64, code));
  if (number === EXIT.INVALID) return 'VMEXIT_INVALID';
  if (number === EXIT.NPF) return 'NPF';
  if (number < EXIT.CR_WRITE) return `read of CR${number}`;
  if (number < EXIT.DR_READ) return `write of CR${number - EXIT.CR_WRITE}`;
  if (number < EXIT.DR_WRITE) return `read of DR${number - EXIT.DR_READ}`;
  if (number < EXIT.EXCEPTION) return `write of DR${number - EXIT.DR_WRITE}`;
  if (number < EXIT.MISC1) return vectorName(number - EXIT.EXCEPTION);
  return MISC1[number - EXIT.MISC1] ?? MISC2[number - EXIT.MISC2] ?? `code ${number}`;
}
