/**
 * Carries interrupt messages to the local APICs of a board and the ends of level-triggered interrupts back to the
 * I/O APICs. Source: SDM vol. 3A sections 10.6.2 (destinations), 10.11 (message-signalled interrupts).
 *
 * Lowest priority goes to the lowest APIC id among the least busy: the same choice in every run.
 */
import { DELIVERY } from './bus';
import type { InterruptMessage, Unsupported } from './bus';

/** A local APIC, as the bus sees it. */
export interface ApicTarget {
  matches(destination: number, logical: boolean): boolean;
  /** Takes part in lowest-priority arbitration. */
  readonly enabled: boolean;
  /** The value that loses when it is smaller (arbitration priority). */
  readonly arbitration: number;
  accept(message: InterruptMessage): void;
}

export class ApicBus {
  private readonly targets: ApicTarget[] = [];
  private readonly eoiListeners: ((vector: number) => void)[] = [];

  constructor(private readonly unsupported: Unsupported) {}

  addLocal(target: ApicTarget): void {
    this.targets.push(target);
  }
  onEoi(listener: (vector: number) => void): void {
    this.eoiListeners.push(listener);
  }

  /** `except` is left out: the shorthand "all but self". */
  send(message: InterruptMessage, except?: ApicTarget): void {
    if (message.delivery === DELIVERY.SMI) return this.unsupported('system management interrupt');
    const matching = this.targets.filter(
      (t) => t !== except && (message.broadcast || t.matches(message.destination, message.logical)),
    );
    if (message.delivery !== DELIVERY.LOWEST) {
      for (const target of matching) target.accept(message);
      return;
    }
    let chosen: ApicTarget | undefined;
    for (const t of matching) if (t.enabled && (!chosen || t.arbitration < chosen.arbitration)) chosen = t;
    chosen?.accept({ ...message, delivery: DELIVERY.FIXED });
  }

  /** A memory write of a device to FEExxxxxh. */
  sendMsi(address: number, data: number): void {
    const destination = (address >>> 12) & 0xff;
    const logical = (address & 4) !== 0;
    this.send({
      destination,
      logical,
      broadcast: !logical && destination === 0xff,
      delivery: (data >> 8) & 7,
      vector: data & 0xff,
      level: (data & 0x8000) !== 0,
    });
  }

  endOfInterrupt(vector: number): void {
    for (const listener of this.eoiListeners) listener(vector);
  }
}
