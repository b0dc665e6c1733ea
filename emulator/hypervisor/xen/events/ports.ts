/** What the ports of a domain are connected to: the hypervisor's side of event channels, plain data. event_channel.h. */

export type PortState =
  | { kind: 'free' }
  /** Waits for this domain to connect. */
  | { kind: 'unbound'; remote: number }
  | { kind: 'interdomain'; remote: number; remotePort: number }
  /** To a service of Ringside's own, which speaks as domain `remote`. */
  | { kind: 'service'; remote: number; service: string }
  | { kind: 'virq'; virq: number }
  | { kind: 'ipi' };

export interface Port {
  port: number;
  state: PortState;
  vcpu: number;
  priority: number;
}

/** EVTCHNSTAT_*: a service looks like a domain. */
export const STATUS = { free: 0, unbound: 1, interdomain: 2, service: 2, virq: 4, ipi: 5 } as const satisfies Record<PortState['kind'], number>; // prettier-ignore

export interface PortStatus {
  status: number;
  vcpu: number;
  /** Of unbound and interdomain ports. */
  remote?: number;
  remotePort?: number;
  virq?: number;
}

/** VIRQ_*. */
export const VIRQ = { TIMER: 0, DEBUG: 1, CONSOLE: 2, DOM_EXC: 3, TBUF: 4, DEBUGGER: 6, XENOPROF: 7, CON_RING: 8, PCPU_STATE: 9, MEM_EVENT: 10, ARGO: 11, ENOMEM: 12, XENPMU: 13 } as const; // prettier-ignore
export const VIRQS = 24;
const PER_VCPU: ReadonlySet<number> = new Set([VIRQ.TIMER, VIRQ.DEBUG, VIRQ.XENOPROF, VIRQ.XENPMU]);
export const isGlobal = (virq: number): boolean => !PER_VCPU.has(virq);
export const virqName = (virq: number): string =>
  Object.entries(VIRQ).find(([, number]) => number === virq)?.[0] ?? `VIRQ ${virq}`;

/** For people. */
export function describe(state: PortState = { kind: 'free' }): string {
  switch (state.kind) {
    case 'free':
      return 'free';
    case 'unbound':
      return `unbound, for domain ${state.remote}`;
    case 'interdomain':
      return `to port ${state.remotePort} of domain ${state.remote}`;
    case 'service':
      return `to ${state.service}, for domain ${state.remote}`;
    case 'virq':
      return `virq ${virqName(state.virq)}`;
    case 'ipi':
      return 'ipi';
  }
}
