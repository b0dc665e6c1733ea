/**
 * A paravirtualised domain with all that belongs to it: event channels, console, timers; and what hypercalls ask of the machine
 * around it. To the machine it looks like a device: it has deadlines, a state, and registers for people.
 */
import type { Cpu } from '../../cpu/cpu';
import { ATTRIBUTE } from '../../cpu/state';
import { CR0, CR4, EFER, SEG } from '../../x86/registers';
import { FIRST_RESERVED_GDT_BYTE, VIRQ } from './abi';
import type { SHUTDOWN } from './abi';
import { bounce } from './bounce';
import type { PvDomain } from './domain';
import { EventChannels } from './events/channels';
import { GrantMappings } from './grants/mappings';
import type { GrantContext } from './grants/operation';
import { GrantTable } from './grants/table';
import type { MachineHooks, Maker } from './hooks';
import { BlockDevices } from './io/block-devices';
import { CONSOLE_SERVICE, XenConsole } from './io/console';
import type { XenHost } from './registry';
import { AREA } from './reserved-space';
import { STORE_SERVICE, XenStoreConnection } from './store/connection';
import { restoreNodes, saveNodes } from './store/nodes';
import { homeOf } from './store/paths';
import type { XenStore } from './store/store';
import type { Callback } from './vcpu';
import { inGuestKernel } from './vcpu';

/** System calls of 32-bit guests: the one vector whose gate leads straight to ring 1. */
export const DIRECT_VECTOR = 0x80;
const PAGE_LIMIT = 0xfff;
const BUSY_TSS = 0xb;
const [TSS_BYTES, TSS_IO_MAP] = [0x68, 0x66];
const GUEST_CR0 = CR0.PE | CR0.PG | CR0.WP | CR0.ET | CR0.NE | CR0.MP;
const GUEST_CR4 = CR4.PAE | CR4.OSFXSR | CR4.OSXMMEXCPT;

/** Of a multicall, so many are logged. */
const MOST_LOGGED = 64;
export interface Batched {
  number: number;
  args: bigint[];
  result?: bigint;
  refusal?: string;
}

export class DomainParts {
  readonly channels: EventChannels;
  readonly console: XenConsole;
  readonly store: XenStoreConnection;
  readonly grants: GrantTable;
  readonly mappings: GrantMappings;
  readonly disks: BlockDevices;

  constructor(
    readonly domain: PvDomain,
    private readonly hooks: MachineHooks,
    private readonly xen: XenHost,
    private readonly maker: Maker,
  ) {
    this.channels = new EventChannels(domain, (domid) => this.peer(domid)?.channels);
    const tableOf = (domid: number): GrantTable | undefined => this.tableOf(domid);
    const shared = { take: () => domain.share(), give: (mfn: number) => domain.unshare(mfn) };
    this.grants = new GrantTable(domain, shared, tableOf);
    this.mappings = new GrantMappings(domain, tableOf);
    this.console = new XenConsole(domain, {
      output: (bytes) => hooks.output(bytes),
      notify: (port) => this.channels.notify(port),
      report: (what) => hooks.report(what),
    });
    this.channels.provide(CONSOLE_SERVICE, () => this.console.serve());
    this.store = new XenStoreConnection(domain, xen.store, {
      notify: (port) => this.channels.notify(port),
      report: (what) => hooks.report(what),
    });
    this.channels.provide(STORE_SERVICE, () => this.store.serve());
    const report = (what: string): void => hooks.report(what);
    this.disks = new BlockDevices(domain, hooks.disks(), { store: xen.store, channels: this.channels, grants: this.grants, report }); // prettier-ignore
    xen.domains.set(domain.id, this);
    xen.store.introduce(domain.id, this.store);
  }

  /** Nobody knows of it any more, and the hypervisor's frames for it go back. */
  discard(): void {
    const { domain, xen } = this;
    for (const other of xen.domains.values()) if (other !== this) other.bereave(domain.id);
    this.disks.discard();
    this.channels.dissolve();
    this.mappings.dissolve();
    domain.foreign.dissolve();
    xen.store.release(domain.id);
    xen.domains.delete(domain.id);
    domain.space.release();
  }
  /** Another domain ends: its frames are mapped here no longer. */
  private bereave(domid: number): void {
    this.mappings.revoke(domid);
    this.domain.foreign.revoke(domid, (at, mfn) => this.domain.clearMapping(at, mfn));
  }
  /** A paravirtualised domain of the host. */
  peer(domid: number): DomainParts | undefined {
    return this.xen.domains.get(domid);
  }
  /** xenstore of the host. */
  get directory(): XenStore {
    return this.xen.store;
  }
  private tableOf(domid: number): GrantTable | undefined {
    return domid === this.domain.id ? this.grants : this.xen.domains.get(domid)?.grants;
  }

  // --- What hypercalls ask

  get grantContext(): GrantContext {
    const { domain, grants, mappings } = this;
    return {
      domain,
      table: grants,
      mappings,
      tableOf: (domid) => this.tableOf(domid),
      refused: (why) => (this.refusal = why),
    };
  }
  /** Of one in an array, where the call as a whole was not refused. */
  refusal?: string;

  report(what: string): void {
    this.hooks.report(what);
  }
  output(bytes: Uint8Array): void {
    this.hooks.output(bytes);
  }
  giveWay(): void {
    this.hooks.giveWay();
  }
  /** What was done of a batch, for the log. */
  batch: Batched[] = [];
  noteBatched(call: Batched): void {
    if (this.batch.length < MOST_LOGGED) this.batch.push(call);
  }
  remake(word: 4 | 8): void {
    this.maker.remake(word);
  }
  shutdown(reason: (typeof SHUTDOWN)[number]): void {
    this.end(reason);
    if (reason === 'poweroff') this.hooks.stop({ kind: 'power-off' });
    else if (reason === 'suspend') this.hooks.stop({ kind: 'suspend' });
    else if (reason === 'reboot' || reason === 'soft_reset') this.hooks.stop({ kind: 'reset' });
    else this.hooks.stop({ kind: 'crash', cpu: this.domain.current, reason: `the guest says so (${reason})` });
  }
  crash(reason: string): void {
    this.end('crash');
    this.hooks.stop({ kind: 'crash', cpu: this.domain.current, reason });
  }
  /** Nothing of it runs any more. Which of its processors were up is for whoever saves it. */
  private end(reason: (typeof SHUTDOWN)[number]): void {
    this.domain.ended = reason;
    for (const { state } of this.domain.guest.cpus) state.setSystem('activity', 1n);
  }

  // --- Processors

  /** The hypervisor's tables for a virtual processor: in the same order for every domain, so that snapshots find the same frames. */
  reserve(vcpu: number): void {
    const { space } = this.domain;
    space.mapSegments(vcpu);
    space.mapOwn(vcpu, AREA.IDT);
    this.domain.memory.write(space.mapOwn(vcpu, AREA.TSS), TSS_IO_MAP, 2, TSS_BYTES);
  }
  /** The processor is in the mode in which guests of this width run, with the hypervisor's tables. */
  prepare(cpu: Cpu): void {
    const { space, word } = this.domain;
    const { state, apicId: vcpu } = cpu;
    state.setSystem('cr0', BigInt(GUEST_CR0 >>> 0));
    state.setSystem('cr4', BigInt(GUEST_CR4));
    // Without SCE a system call traps: its target belongs to the hypervisor.
    state.setSystem('efer', BigInt(EFER.NXE | (word === 8 ? EFER.LME | EFER.LMA : 0)));
    state.setSystem('gdtr.base', space.address(vcpu, AREA.GDT));
    state.setSystem('gdtr.limit', BigInt(FIRST_RESERVED_GDT_BYTE + PAGE_LIMIT));
    state.setSystem('idtr.base', space.address(vcpu, AREA.IDT));
    state.setSystem('idtr.limit', BigInt(PAGE_LIMIT));
    // Its I/O bitmap begins where it ends: every IN and OUT traps.
    state.setSegment(SEG.TR, { selector: 0x40, base: space.address(vcpu, AREA.TSS), limit: TSS_BYTES - 1, attributes: ATTRIBUTE.P | BUSY_TSS }); // prettier-ignore
    state.setSegment(SEG.LDTR, { selector: 0, base: 0n, limit: 0, attributes: ATTRIBUTE.UNUSABLE });
    state.setSystem('sysenter_cs', 0n);
  }
  /** Trap table or kernel stack changed: what the processor reads of them itself follows. 64-bit guests enter by the hypervisor alone. */
  trapsChanged({ apicId: vcpu }: Cpu): void {
    const { space, memory, word, vcpuStates } = this.domain;
    if (word === 8) return;
    const { traps, kernelSs, kernelSp } = vcpuStates[vcpu];
    const idt = space.mapped(vcpu, AREA.IDT);
    const trap = this.direct(vcpu) ? traps[DIRECT_VECTOR] : null;
    const low = trap ? ((trap.cs << 16) | Number(trap.address & 0xffffn)) >>> 0 : 0;
    const high = trap ? (Number(trap.address & 0xffff_0000n) | 0x8f00 | (trap.dpl << 13)) >>> 0 : 0;
    memory.write(idt, DIRECT_VECTOR * 8, 4, low);
    memory.write(idt, DIRECT_VECTOR * 8 + 4, 4, high);
    const tss = space.mapped(vcpu, AREA.TSS);
    memory.write(tss, 12, 4, Number(kernelSp & 0xffff_ffffn));
    memory.write(tss, 16, 4, kernelSs);
  }
  /** System calls go straight to ring 1: a trap gate cannot turn events off. */
  direct(vcpu: number): boolean {
    const trap = this.domain.vcpuStates[vcpu].traps[DIRECT_VECTOR];
    return this.domain.word === 4 && trap !== null && !trap.masks;
  }
  /** A segment of a frame was none: the failsafe callback gets data segments besides an ordinary frame. */
  failsafe(cpu: Cpu, to: Callback): void {
    bounce(this.domain, cpu, { ...to, returnRip: cpu.state.rip, segments: true });
  }

  // --- Interrupts

  private pollDone(index: number): boolean {
    const { poll } = this.domain.vcpuStates[index];
    if (!poll) return false;
    if (poll.deadlineNs >= 0 && this.domain.now() >= poll.deadlineNs) return true;
    return poll.ports.some((port) => this.channels.isPending(port));
  }
  private upcall(index: number): boolean {
    return this.domain.upcallPending(index) && !this.domain.upcallMasked(index);
  }
  /** It has something to do. */
  waits(index: number): boolean {
    return (
      this.domain.vcpuStates[index].up &&
      this.domain.ended === undefined &&
      (this.upcall(index) || this.pollDone(index))
    );
  }
  /** What it waited for has come. True: an upcall is due besides. */
  wake(index: number): boolean {
    const vcpu = this.domain.vcpuStates[index];
    vcpu.poll = null;
    return this.upcall(index);
  }
  inKernel({ state, apicId }: Cpu): boolean {
    return inGuestKernel(this.domain.word, this.domain.vcpuStates[apicId], state.cpl);
  }

  // --- Time

  deadline(): number {
    const now = this.domain.now();
    let next = Infinity;
    for (const { timerNs, periodicNs, poll } of this.domain.vcpuStates) {
      for (const at of [timerNs, periodicNs]) if (at >= 0) next = Math.min(next, at);
      // Whoever polled goes on by himself once the time has come.
      if (poll && poll.deadlineNs > now) next = Math.min(next, poll.deadlineNs);
    }
    return next;
  }
  tick(): void {
    const now = this.domain.now();
    this.domain.vcpuStates.forEach((vcpu, index) => {
      let due = false;
      if (vcpu.timerNs >= 0 && vcpu.timerNs <= now) {
        vcpu.timerNs = -1;
        due = true;
      }
      if (vcpu.periodicNs >= 0 && vcpu.periodicNs <= now) {
        vcpu.periodicNs += vcpu.periodNs * Math.ceil((now - vcpu.periodicNs + 1) / vcpu.periodNs);
        due = true;
      }
      if (due) this.channels.raiseVirq(VIRQ.TIMER, index);
    });
  }

  // --- State

  save(): unknown {
    return {
      domain: this.domain.save(),
      channels: this.channels.save(),
      console: this.console.save(),
      grants: this.grants.save(),
      mappings: this.mappings.save(),
      nodes: saveNodes(this.xen.store, homeOf(this.domain.id)),
      store: this.store.save(),
      disks: this.disks.save(),
    };
  }
  restore(saved: unknown): void {
    const { domain, channels, console, grants, mappings, nodes, store, disks } = saved as Record<'domain' | 'channels' | 'console' | 'grants' | 'mappings' | 'nodes' | 'store' | 'disks', never>; // prettier-ignore
    this.domain.restore(domain);
    this.channels.restore(channels);
    this.console.restore(console);
    this.grants.restore(grants);
    this.mappings.restore(mappings);
    restoreNodes(this.xen.store, homeOf(this.domain.id), nodes);
    this.store.restore(store);
    this.disks.restore(disks);
  }
}
