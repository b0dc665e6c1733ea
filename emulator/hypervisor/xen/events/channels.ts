/** The event channels of a domain: EVTCHNOP_* (event_channel.h), and the ends that the hypervisor itself holds. */
import { assert } from '../../../util/assert';
import { domainNumber, otherDomain } from '../authority';
import { refuse } from '../errno';
import type { XenDomain } from '../ports';
import { UPCALL_MASK, UPCALL_PENDING, infoOf } from './delivery';
import type { Delivery } from './delivery';
import { DEFAULT_PRIORITY, Fifo, LINK_BITS, PRIORITIES } from './fifo';
import type { FifoSaved } from './fifo';
import { STATUS, VIRQS, describe, isGlobal, virqName } from './ports';
import type { Port, PortState, PortStatus } from './ports';
import { TwoLevel } from './two-level';

/** As toolstacks limit domains that could have more: what a guest takes here is the host's memory. */
const MAX_PORTS = 4096;

export interface ChannelsSaved {
  ports: Port[];
  /** Null: the 2-level ABI. */
  fifo: FifoSaved | null;
}

export class EventChannels {
  private readonly ports = new Map<number, Port>();
  private readonly services = new Map<string, (port: number) => void>();
  private readonly twoLevel: TwoLevel;
  private fifo?: Fifo;

  /** `peer`: the channels of another domain, if there is such a domain. */
  constructor(
    private readonly domain: XenDomain,
    private readonly peer: (domid: number) => EventChannels | undefined,
  ) {
    this.twoLevel = new TwoLevel(domain);
  }

  private get delivery(): Delivery {
    return this.fifo ?? this.twoLevel;
  }
  get limit(): number {
    return this.fifo ? MAX_PORTS : this.twoLevel.ports;
  }

  // --- what guests ask for: a port where there is one to return, else HypercallError
  allocUnbound(domid: number, remote: number): number {
    return this.acting(domid).take({ kind: 'unbound', remote: domainNumber(this.domain, remote) });
  }
  bindInterdomain(remote: number, remotePort: number): number {
    const domid = domainNumber(this.domain, remote);
    const peer = this.channelsOf(domid);
    if (!peer) refuse('ESRCH', `there is no domain ${domid}`);
    const there = peer.ports.get(remotePort);
    if (there?.state.kind !== 'unbound' || there.state.remote !== this.domain.id)
      refuse('EINVAL', `port ${remotePort} of domain ${domid} is ${describe(there?.state)}`);
    const port = this.take({ kind: 'interdomain', remote: domid, remotePort });
    there.state = { kind: 'interdomain', remote: this.domain.id, remotePort: port };
    // What was sent before there was somebody to hear it is not lost.
    this.raise(this.existing(port));
    return port;
  }
  bindVirq(virq: number, vcpu: number): number {
    if (virq >= VIRQS) refuse('EINVAL', `there is no virq ${virq}`);
    if (isGlobal(virq) && vcpu !== 0) refuse('EINVAL', `${virqName(virq)} is bound on vcpu 0: the domain has one`);
    this.checkVcpu(vcpu);
    const bound = this.virqPort(virq, vcpu);
    if (bound) refuse('EEXIST', `${virqName(virq)} of vcpu ${vcpu} is bound to port ${bound.port}`);
    return this.take({ kind: 'virq', virq }, vcpu);
  }
  bindIpi(vcpu: number): number {
    this.checkVcpu(vcpu);
    return this.take({ kind: 'ipi' }, vcpu);
  }
  bindPirq(pirq: number): never {
    refuse('EPERM', `physical interrupt ${pirq} is not given to this domain: none is`);
  }
  close(port: number): void {
    this.free(this.existing(port));
  }
  send(port: number): void {
    const found = this.existing(port);
    const { state } = found;
    switch (state.kind) {
      case 'interdomain': {
        const peer = this.channelsOf(state.remote);
        assert(peer, `a channel to domain ${state.remote} outlives it`);
        return peer.raise(peer.existing(state.remotePort));
      }
      case 'service':
        return this.services.get(state.service)?.(port);
      case 'ipi':
        return this.raise(found);
      case 'unbound': // nobody hears it
        return undefined;
      default:
        refuse('EINVAL', `port ${port} is ${describe(state)}: nothing is sent on it`);
    }
  }
  status(domid: number, port: number): PortStatus {
    const channels = this.acting(domid);
    if (port >= channels.limit) refuse('EINVAL', `port ${port} is beyond the last, ${channels.limit - 1}`);
    const { state, vcpu } = channels.ports.get(port) ?? { state: { kind: 'free' as const }, vcpu: 0 };
    const status = { status: STATUS[state.kind], vcpu };
    switch (state.kind) {
      case 'unbound':
        return { ...status, remote: state.remote };
      case 'interdomain':
        return { ...status, remote: state.remote, remotePort: state.remotePort };
      case 'service': // whose end has no number
        return { ...status, remote: state.remote, remotePort: port };
      case 'virq':
        return { ...status, virq: state.virq };
      default:
        return status;
    }
  }
  bindVcpu(port: number, vcpu: number): void {
    this.checkVcpu(vcpu);
    const found = this.existing(port);
    const { state } = found;
    if (state.kind === 'ipi' || (state.kind === 'virq' && !isGlobal(state.virq)))
      refuse('EINVAL', `port ${port} is ${describe(state)}, which stays on its processor`);
    found.vcpu = vcpu;
  }
  unmask(port: number): void {
    this.delivery.unmask(this.existing(port));
  }
  reset(domid: number): void {
    this.acting(domid).dissolve();
  }
  /** Bits of a link. The first call leaves the 2-level ABI for good. */
  initControl(vcpu: number, mfn: number, offset: number): number {
    this.checkVcpu(vcpu);
    if (this.fifo) this.fifo.initControl(vcpu, mfn, offset);
    else {
      const fifo = new Fifo(this.domain);
      fifo.initControl(vcpu, mfn, offset);
      const pending = this.list.filter(({ port }) => this.twoLevel.isPending(port));
      this.fifo = fifo;
      for (const port of pending) this.raise(port);
    }
    return LINK_BITS;
  }
  expandArray(mfn: number): void {
    if (!this.fifo) refuse('EOPNOTSUPP', 'the domain has no FIFO control block yet');
    this.fifo.expand(mfn, (port) => this.ports.get(port));
  }
  setPriority(port: number, priority: number): void {
    if (!this.fifo) refuse('ENOSYS', 'bit fields have no priorities');
    if (priority >= PRIORITIES) refuse('EINVAL', `priority ${priority} is beyond ${PRIORITIES - 1}`);
    this.existing(port).priority = priority;
  }

  // --- what the hypervisor does by itself
  /** True: the guest had bound it. */
  raiseVirq(virq: number, vcpu: number): boolean {
    const port = this.virqPort(virq, vcpu);
    if (port) this.raise(port);
    return port !== undefined;
  }
  /** For SCHEDOP_poll. HypercallError: no such port. */
  isPending(port: number): boolean {
    return this.delivery.isPending(this.existing(port).port);
  }
  /** Who answers when the guest notifies a port of this service. The ports hold its name; this is wiring. */
  provide(service: string, answer: (port: number) => void): void {
    this.services.set(service, answer);
  }
  /** A port whose other end is a service that speaks as domain `remote`: for the domain builder. */
  openService(service: string, remote: number): number {
    return this.take({ kind: 'service', remote, service });
  }
  /** A back end takes the port that the guest left unbound for `remote`. HypercallError: it did not. */
  connectService(service: string, remote: number, port: number): void {
    const found = this.existing(port);
    if (found.state.kind !== 'unbound' || found.state.remote !== remote)
      refuse('EINVAL', `port ${port} is ${describe(found.state)}, not left for domain ${remote}`);
    found.state = { kind: 'service', remote, service };
  }
  /** The service leaves: its ports wait for another. */
  disconnectService(service: string): void {
    for (const port of this.ports.values())
      if (port.state.kind === 'service' && port.state.service === service)
        port.state = { kind: 'unbound', remote: port.state.remote };
  }
  /** A service notifies the guest. Nothing happens where the guest has closed the port. */
  notify(port: number): void {
    const found = this.ports.get(port);
    if (found?.state.kind === 'service') this.raise(found);
  }
  /** Every port is closed and frames are given back: the domain ends, or asked for it. */
  dissolve(): void {
    for (const port of this.list) this.free(port);
    this.fifo?.dissolve();
    this.fifo = undefined;
  }

  // --- for people
  inspect(): ChannelsView {
    const upcalls = Array.from({ length: this.domain.vcpus }, (_, vcpu) => {
      const { page, at } = infoOf(this.domain, vcpu);
      return { vcpu, pending: page.u8(at + UPCALL_PENDING) !== 0, masked: page.u8(at + UPCALL_MASK) !== 0 };
    });
    const ports = this.list.map(({ port, vcpu, priority, state }) => {
      const [pending, masked] = [this.delivery.isPending(port), this.delivery.isMasked(port)];
      return { port, vcpu, priority, connected: describe(state), pending, masked };
    });
    return { abi: this.fifo ? 'FIFO' : '2-level', upcalls, ports };
  }

  save(): ChannelsSaved {
    return {
      ports: this.list.map((port) => ({ ...port, state: { ...port.state } })),
      fifo: this.fifo?.save() ?? null,
    };
  }
  restore(saved: ChannelsSaved): void {
    this.ports.clear();
    for (const port of saved.ports) this.ports.set(port.port, { ...port, state: { ...port.state } });
    this.fifo = saved.fifo ? new Fifo(this.domain) : undefined;
    if (saved.fifo) this.fifo?.restore(saved.fifo);
  }

  private get list(): Port[] {
    return [...this.ports.values()].sort((a, b) => a.port - b.port);
  }
  private raise(port: Port): void {
    if (!this.delivery.setPending(port)) return;
    // Whoever polls for it goes on, masked or not.
    for (let vcpu = 0; vcpu < this.domain.vcpus; vcpu++) this.domain.kick(vcpu);
  }
  private checkVcpu(vcpu: number): void {
    if (vcpu >= this.domain.vcpus) refuse('ENOENT', `there is no vcpu ${vcpu}`);
  }
  private virqPort(virq: number, vcpu: number): Port | undefined {
    for (const port of this.ports.values())
      if (port.state.kind === 'virq' && port.state.virq === virq && (isGlobal(virq) || port.vcpu === vcpu)) return port;
    return undefined;
  }
  private channelsOf(domid: number): EventChannels | undefined {
    return domid === this.domain.id ? this : this.peer(domid);
  }
  private acting(domid: number): EventChannels {
    return otherDomain(this.domain, domid, this.peer) ?? this;
  }
  private existing(port: number): Port {
    const found = this.ports.get(port);
    if (found) return found;
    refuse('EINVAL', port < this.limit ? `port ${port} is free` : `port ${port} is beyond the last, ${this.limit - 1}`);
  }
  /** The lowest free one; 0 is none. */
  private take(state: PortState, vcpu = 0): number {
    let port = 1;
    while (this.ports.has(port)) port++;
    if (port >= this.limit) refuse('ENOSPC', `all ${this.limit - 1} ports are in use`);
    this.ports.set(port, { port, state, vcpu, priority: DEFAULT_PRIORITY });
    return port;
  }
  private free(port: Port): void {
    const { state } = port;
    this.ports.delete(port.port);
    this.delivery.clearPending(port);
    if (state.kind !== 'interdomain') return;
    const there = this.channelsOf(state.remote)?.ports.get(state.remotePort);
    if (there) there.state = { kind: 'unbound', remote: this.domain.id };
  }
}

export interface ChannelsView {
  abi: '2-level' | 'FIFO';
  upcalls: { vcpu: number; pending: boolean; masked: boolean }[];
  ports: { port: number; vcpu: number; priority: number; connected: string; pending: boolean; masked: boolean }[];
}
