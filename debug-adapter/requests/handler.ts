/** What answers one request: checked arguments in, a body or a UserError out. */
import type { Check } from '../arguments';
import type { Debuggee } from '../debuggee';
import type { RingsideSession } from '../session';

export type Handler = (session: RingsideSession, raw: unknown, seq: number) => object | void | Promise<object | void>;

/** `check` sees the arguments as they came; the place in its messages is the argument's name. */
export const handler =
  <T>(
    check: Check<T>,
    answer: (session: RingsideSession, args: T, seq: number) => object | void | Promise<object | void>,
  ): Handler =>
  (session, raw, seq) =>
    answer(session, check(raw, ''), seq);

/** The processor that a request of ours names, counted from 0; the current one unless it does. */
export const cpuOf = (target: Debuggee, cpu: number | undefined): number =>
  cpu === undefined ? target.currentCpu : target.cpuOf(target.threadOf(cpu));
