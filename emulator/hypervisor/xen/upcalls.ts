/** What a processor of a paravirtualised domain sees in the place of a local APIC: event-channel upcalls. */
import type { InterruptSource } from '../../cpu/ports';
import { NO_INTERRUPTS } from '../no-interrupts';
import type { DomainParts } from './parts';

/** An event-channel upcall, as a vector for filters: the one that Linux gives it elsewhere (HYPERVISOR_CALLBACK_VECTOR). */
const UPCALL_VECTOR = 0xf3;

export function interruptsOf(parts: () => DomainParts | undefined, index: number): InterruptSource {
  return {
    ...NO_INTERRUPTS,
    pending: () => parts()?.waits(index) ?? false,
    acknowledge: () => UPCALL_VECTOR,
  };
}
