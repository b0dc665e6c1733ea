/** A paravirtualised domain as its machine sees it: how it is started, what it is told and tells, and its state, as a device. */
import type { Cpu } from '../cpu/cpu';
import type { InterruptSource } from '../cpu/ports';
import type { Device, Inspection } from '../devices/bus';
import type { Paravirtual } from '../hypervisor/engines/paravirtual';
import type { Guest } from '../hypervisor/guest';
import type { Host } from '../hypervisor/host';
import { PvDomain } from '../hypervisor/xen/domain';
import { moduleList } from '../hypervisor/xen/module-list';
import { describeParts } from '../hypervisor/xen/inspect';
import { enterDomain, layOut, startDomain } from '../hypervisor/xen/start';
import { DomainParts } from '../hypervisor/xen/parts';
import type { MachineHooks } from '../hypervisor/xen/hooks';
import { xenOf } from '../hypervisor/xen/registry';
import { interruptsOf } from '../hypervisor/xen/upcalls';
import { PAGE_BYTES, PhysicalMemory } from '../mmu/physical-memory';
import { UserError } from '../util/assert';
import type { BootInput } from './api';
import { moduleLine } from './loaders/modules';
import { readXenImage } from './loaders/xen-image';

interface SavedPlatform {
  word: 0 | 4 | 8;
  parts: unknown;
}

export class PvPlatform implements Device {
  readonly name = 'xen';
  /** What its page tables speak of: the host's. */
  readonly machine: PhysicalMemory;
  private hooks?: MachineHooks & { deadlineMoved(): void };

  constructor(
    private readonly host: Host,
    private readonly guest: Guest,
    private readonly engine: Paravirtual,
    private readonly cpus: number,
    /** Of the domain, by its own numbers. */
    private readonly frames: Int32Array,
  ) {
    const all = Int32Array.from({ length: host.physical.size / PAGE_BYTES }, (_, frame) => frame);
    this.machine = new PhysicalMemory(host.memory, host.physical.size, { host: host.physical, frames: all }, true);
  } // prettier-ignore

  connect(hooks: MachineHooks & { deadlineMoved(): void }): void {
    this.hooks = hooks;
  }
  interrupts(cpu: number): InterruptSource {
    return interruptsOf(() => this.engine.parts, cpu);
  }
  /** Typed on the console. */
  type(bytes: Uint8Array): void {
    this.engine.parts?.console.enter(bytes);
  }

  /** Builds the domain; its first processor is about to execute the kernel's first instruction. UserError: a bad image. */
  start({ name, kernel, initrd, modules = [], append = '', empty }: BootInput, cpus: readonly Cpu[]): void {
    if (empty) return this.startEmpty(cpus);
    if (initrd && modules.length > 0)
      throw new UserError(`${name}: a paravirtualised kernel takes an initrd, or modules as a list; give one of initrd and module.`);
    const image = readXenImage(name, kernel);
    this.clear();
    const parts = this.newDomain(image.word);
    const files = modules.map((file) => ({ name: moduleLine(file), bytes: file.bytes }));
    const bytes = initrd?.bytes ?? (files.length > 0 ? moduleList(files) : undefined);
    const module = bytes && { bytes, list: !initrd };
    const built = startDomain(parts, { image, commandLine: append, frames: this.frames, ...(module ? { module } : {}) });
    enterDomain(parts, cpus, built);
  } // prettier-ignore
  /** A domain without memory, whose processors wait: domain 0 gives it some, and says what they are to do. */
  private startEmpty(cpus: readonly Cpu[], word: 4 | 8 = 8): void {
    this.clear();
    const parts = this.newDomain(word);
    parts.domain.free = Array.from(this.frames).reverse();
    layOut(parts, cpus);
  }
  private remake(word: 4 | 8): void {
    const most = this.engine.parts?.domain.mostFrames;
    this.startEmpty(this.guest.cpus, word);
    this.engine.parts!.domain.mostFrames = most ?? Infinity;
  }
  /** No display and no ROM hide any of it, or have left something in it. */
  private clear(): void {
    const { physical } = this.guest;
    physical.setKind(0, physical.size - 1, 'ram');
    physical.clear();
  }
  private newDomain(word: 4 | 8): DomainParts {
    this.discard();
    const { hooks, guest } = this;
    const domain = new PvDomain(this.host, guest, word, this.cpus, {
      now: () => guest.ns,
      deadlineMoved: () => hooks?.deadlineMoved(),
      peer: (domid) => xenOf(this.host).domains.get(domid)?.domain,
      kick: () => {
        hooks?.deadlineMoved();
        // Another domain's turn it may be: this one sleeps no longer.
        this.host.domains?.wake(guest.index);
      },
    });
    domain.frameCount = this.frames.length;
    const remake = (width: 4 | 8): void => this.remake(width);
    return (this.engine.parts = new DomainParts(domain, hooks!, xenOf(this.host), { remake }));
  }
  /** The hypervisor's frames for it go back to the reservation. */
  discard(): void {
    this.engine.parts?.discard();
    this.engine.parts = undefined;
  }

  // --- Device

  deadline(): number {
    return this.engine.parts?.deadline() ?? Infinity;
  }
  tick(): void {
    this.engine.parts?.tick();
  }
  reset(): void {
    this.discard();
  }
  inspect(): Inspection {
    return this.engine.parts ? describeParts(this.engine.parts) : {};
  }
  save(): SavedPlatform {
    const { parts } = this.engine;
    return { word: parts?.domain.word ?? 0, parts: parts?.save() ?? null };
  }
  restore({ word, parts }: SavedPlatform): void {
    this.discard();
    if (word === 0) return;
    const made = this.newDomain(word);
    for (const cpu of this.guest.cpus) made.reserve(cpu.apicId);
    made.restore(parts);
  }
}
