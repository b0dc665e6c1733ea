/** The last deliveries of exceptions and interrupts: tells a stack trace which vector an interrupt frame belongs to. */
import type { TrapEvent } from '../emulator/machine/api';
import { vectorName } from '../emulator/x86/registers';
import { shortHex } from './addresses';

const KEPT = 128;
/** The longest instruction (SDM vol. 2A section 2.3.11): a trap's return address lies at most this far behind. */
const MAX_INSTRUCTION_BYTES = 15n;

export class TrapLog {
  private readonly events: { cpu: number; event: TrapEvent }[] = [];
  private next = 0;

  readonly record = (event: TrapEvent, cpu: number): void => {
    this.events[this.next] = { cpu, event };
    this.next = (this.next + 1) % KEPT;
  };

  clear(): void {
    this.events.length = 0;
    this.next = 0;
  }

  /** The processor's latest delivery that pushed this return address from this privilege level. */
  deliveredAt(cpu: number, returnAddress: bigint, cpl: number): TrapEvent | undefined {
    for (let age = 1; age <= this.events.length; age++) {
      const entry = this.events[(this.next - age + KEPT) % KEPT];
      if (entry?.cpu !== cpu || entry.event.cpl !== cpl) continue;
      const { event } = entry;
      const behind = returnAddress - event.rip;
      if (behind === 0n || (event.source === 'software' && behind > 0n && behind <= MAX_INSTRUCTION_BYTES))
        return event;
    }
    return undefined;
  }
}

/** `ported`: a kernel that knows its hypervisor runs where others have their programs. */
export const privilegeName = (cpl: number, ported = false): string =>
  ported ? `kernel in ring ${cpl}` : cpl === 3 ? 'user mode' : cpl === 0 ? 'kernel mode' : `ring ${cpl}`;

/** `--- #PF at user mode, error 0x6 ---` */
export function borderLabel(border: {
  vector?: number;
  errorCode?: number;
  source?: TrapEvent['source'];
  cpl: number;
  ported?: boolean;
}): string {
  const { vector, errorCode, source, cpl, ported } = border;
  let what = vector === undefined ? 'exception or interrupt' : vectorName(vector);
  if (vector !== undefined && (source === 'interrupt' || /^\d+$/.test(what))) what = `interrupt ${shortHex(vector)}`;
  if (source === 'software') what = `int ${shortHex(vector ?? 0)}`;
  return `--- ${what} at ${privilegeName(cpl, ported)}${errorCode === undefined ? '' : `, error ${shortHex(errorCode)}`} ---`;
}
export const SYSTEM_CALL_LABEL = '--- system call ---';
