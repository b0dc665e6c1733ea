/**
 * The back end of a block device: it meets the guest's driver in xenstore (io/xenbus.h, io/blkif.h), then serves its ring.
 * Not offered: discard, indirect segments, persistent grants, rings of several pages or queues; a driver that asks for one is
 * told that it is not supported.
 */
import type { EventChannels } from '../events/channels';
import { GrantError } from '../grants/status';
import type { GrantTable, Use } from '../grants/table';
import { Page } from '../page';
import { HypercallError } from '../ports';
import type { XenDomain, XenPart } from '../ports';
import { ownedBy, readableBy } from '../store/home';
import { childOf, homeOf } from '../store/paths';
import type { XenStore } from '../store/store';
import { SECTOR_BYTES, perform } from './block-requests';
import type { BlockMedium } from './block-requests';
import { BlockRing, isProtocol } from './block-ring';
import type { Protocol } from './block-ring';

export const BACK_END_DOMAIN = 0;
/** enum xenbus_state. */
const STATE = {
  Unknown: 0,
  Initialising: 1,
  InitWait: 2,
  Initialised: 3,
  Connected: 4,
  Closing: 5,
  Closed: 6,
} as const;
type State = (typeof STATE)[keyof typeof STATE];
const FIRST_XVD = 202 << 8;
const MINORS_A_DISK = 16;

/** `xvda` and so on: the number by which guests know the device. */
export const blockDeviceNumber = (index: number): number => FIRST_XVD + index * MINORS_A_DISK;

/** Where in xenstore the back ends of a domain's disks are. */
export const backEndsOf = (domid: number): string => childOf(homeOf(BACK_END_DOMAIN), `backend/vbd/${domid}`);

interface Connection {
  ref: number;
  mfn: number;
  port: number;
  protocol: Protocol;
  /** Requests taken; as many responses were given. */
  consumed: number;
}
export interface BlockSaved {
  state: State;
  connection: Connection | null;
  broken: boolean;
}

export interface BlockWiring {
  store: XenStore;
  channels: EventChannels;
  grants: GrantTable;
  /** Said once: what a guest did wrong. */
  report(what: string): void;
}

/** A number as drivers write it; undefined: it is none. */
const unsigned = (text: string): number | undefined => (/^\d{1,10}$/.test(text) ? Number(text) : undefined);

export class BlockDevice implements XenPart {
  readonly name: string;
  private readonly front: string;
  private readonly back: string;
  private readonly service: string;
  private state: State = STATE.Unknown;
  private connection: Connection | null = null;
  private broken = false;
  private leave: () => void = () => {};

  /** `index`: 0 is xvda. */
  constructor(
    private readonly domain: XenDomain,
    private readonly medium: BlockMedium,
    index: number,
    private readonly wiring: BlockWiring,
  ) {
    const number = blockDeviceNumber(index);
    this.name = `xvd${String.fromCharCode(97 + index)}`;
    this.service = `disk ${this.name}`;
    this.front = childOf(homeOf(domain.id), `device/vbd/${number}`);
    this.back = childOf(backEndsOf(domain.id), `${number}`);
    wiring.channels.provide(this.service, () => this.serve());
  }

  /** Listens to the guest's driver: also after a restore. */
  listen(): void {
    this.leave();
    this.leave = this.wiring.store.listen(childOf(this.front, 'state'), () => this.frontChanged());
  }
  /** As a toolstack does: the device is there, for a driver to find. */
  announce(): void {
    const { domain, medium } = this;
    const number = this.front.slice(this.front.lastIndexOf('/') + 1);
    this.put(this.front, { 'backend': this.back, 'backend-id': `${BACK_END_DOMAIN}`, 'virtual-device': number, 'device-type': 'disk', 'state': `${STATE.Initialising}` }, ownedBy(domain.id));
    this.put(this.back, {
      'frontend': this.front, 'frontend-id': `${domain.id}`, 'online': '1', 'dev': this.name, 'type': 'file', 'mode': medium.readOnly ? 'r' : 'w',
      'sectors': `${medium.sectors}`, 'sector-size': `${SECTOR_BYTES}`, 'physical-sector-size': `${SECTOR_BYTES}`, 'info': medium.readOnly ? '4' : '0',
      'feature-flush-cache': '1', 'feature-barrier': '1',
    }, readableBy(domain.id));
    this.listen();
    this.enter(STATE.InitWait);
  } // prettier-ignore
  private put(directory: string, values: Record<string, string>, permissions: ReturnType<typeof ownedBy>): void {
    this.wiring.store.write(directory, '', permissions);
    for (const [key, value] of Object.entries(values)) this.wiring.store.write(childOf(directory, key), value, permissions); // prettier-ignore
  }
  private enter(state: State): void {
    this.state = state;
    this.wiring.store.write(childOf(this.back, 'state'), `${state}`, readableBy(this.domain.id));
  }

  private frontChanged(): void {
    switch (Number(this.wiring.store.read(childOf(this.front, 'state')) ?? STATE.Unknown)) {
      case STATE.Initialising:
        if (this.state !== STATE.InitWait && !this.connection) this.enter(STATE.InitWait);
        return;
      case STATE.Initialised:
      case STATE.Connected:
        if (this.state === STATE.InitWait) this.connect();
        return;
      case STATE.Closing:
        if (this.state !== STATE.Closing) this.enter(STATE.Closing);
        return;
      case STATE.Closed:
      case STATE.Unknown:
        this.disconnect();
        if (this.state !== STATE.Closed) this.enter(STATE.Closed);
        return;
      default: // the driver is not ready
    }
  }
  private connect(): void {
    const read = (key: string): string => this.wiring.store.read(childOf(this.front, key)) ?? '';
    const [ref, port] = [unsigned(read('ring-ref')), unsigned(read('event-channel'))];
    const protocol = read('protocol') || (this.domain.word === 8 ? 'x86_64-abi' : 'x86_32-abi');
    if (ref === undefined || port === undefined || !isProtocol(protocol))
      return this.refuse(`its driver names ring ${read('ring-ref')}, port ${read('event-channel')}, protocol ${protocol}`); // prettier-ignore
    try {
      const { mfn, release } = this.wiring.grants.acquire(ref, this.ringUse);
      try {
        this.wiring.channels.connectService(this.service, BACK_END_DOMAIN, port);
      } catch (error) {
        release();
        throw error;
      }
      this.connection = { ref, mfn, port, protocol, consumed: 0 };
    } catch (error) {
      if (error instanceof GrantError || error instanceof HypercallError) return this.refuse(error.message);
      throw error;
    }
    this.broken = false;
    this.enter(STATE.Connected);
  }
  private refuse(why: string): void {
    this.wiring.report(`block device ${this.name}: ${why}`);
    this.enter(STATE.Closing);
  }
  /** The ring and the port are the guest's again. */
  disconnect(): void {
    if (!this.connection) return;
    this.wiring.channels.disconnectService(this.service);
    this.wiring.grants.release(this.connection.ref, this.ringUse);
    this.connection = null;
  }
  private get ringUse(): Use {
    return { domain: BACK_END_DOMAIN, how: `ring of ${this.name}`, writable: true };
  }

  /** The guest notified the device's port. */
  private serve(): void {
    const { connection } = this;
    if (!connection || this.broken) return;
    const ring = this.ring(connection);
    const before = connection.consumed;
    const { medium, wiring, domain } = this;
    const context = { medium, grants: wiring.grants, memory: domain.memory, user: { domain: BACK_END_DOMAIN, how: this.service } }; // prettier-ignore
    const waiting = ring.waiting(before);
    if (waiting === undefined) {
      this.broken = true;
      return this.refuse('the indices of its ring are further apart than the ring is long');
    }
    for (let i = 0; i < waiting; i++) {
      const request = ring.request(connection.consumed);
      const status = perform(context, request, (why) => wiring.report(`block device ${this.name}: ${why}`));
      ring.respond(connection.consumed, request, status);
      connection.consumed = (connection.consumed + 1) >>> 0;
    }
    ring.askForNotice(connection.consumed);
    if (ring.publish(connection.consumed, before)) wiring.channels.notify(connection.port);
  }
  private ring({ mfn, protocol }: Connection): BlockRing {
    return new BlockRing(new Page(this.domain.memory, mfn), protocol);
  }

  reset(): void {
    this.leave();
    this.state = STATE.Unknown;
    this.connection = null;
    this.broken = false;
  }
  save(): BlockSaved {
    const { state, connection, broken } = this;
    return { state, connection: connection && { ...connection }, broken };
  }
  /** What xenstore, ports and grants hold is restored there. */
  restore(saved: unknown): void {
    const { state, connection, broken } = saved as BlockSaved;
    [this.state, this.connection, this.broken] = [state, connection && { ...connection }, broken];
    this.listen();
  }
  inspect(): Record<string, number | string | boolean> {
    const state = Object.entries(STATE).find(([, number]) => number === this.state)![0];
    const view = { disk: this.medium.name, sectors: this.medium.sectors, state, broken: this.broken };
    const { connection } = this;
    if (!connection) return view;
    const { ref, port, protocol, consumed } = connection;
    return { ...view, ref, port, protocol, consumed, ...this.ring(connection).inspect() };
  }
}
