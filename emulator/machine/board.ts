/**
 * A PC, wired from chips: which line ends where, who answers which address, when the next of them wants to be ticked.
 * Interrupts are wired as the MultiProcessor Specification 1.4 section 3.6.2 draws it (virtual wire): the 8259's INTR
 * goes to LINT0 of processor 0 and to pin 0 of the I/O APIC, IRQ0 to pin 2, the other ISA interrupts to their own number.
 */
import type { Bus, InterruptSource } from '../cpu/ports';
import { AcpiPm } from '../devices/acpi-pm';
import { ApicBus } from '../devices/apic-bus';
import type { Device, Line, Window } from '../devices/bus';
import { DebugExit } from '../devices/debug-exit';
import { Dma } from '../devices/dma';
import { Hpet } from '../devices/hpet';
import { IoApic } from '../devices/io-apic';
import { KeyboardController } from '../devices/keyboard';
import { LocalApic } from '../devices/local-apic';
import { PciHost } from '../devices/pci';
import type { PciFunction } from '../devices/pci-function';
import { Pic } from '../devices/pic';
import { Pit } from '../devices/pit';
import { Port92 } from '../devices/port92';
import { Rtc } from '../devices/rtc';
import { ShadowRam } from '../devices/shadow-ram';
import { SystemBus } from '../devices/system-bus';
import { Uart } from '../devices/uart';
import { Vga } from '../devices/vga';
import { assert } from '../util/assert';
import { SaidOnce } from '../util/said-once';
import { HPET_GPA, IO_APIC_GPA, PIRQ_PIN, PM_BASE, SCI_IRQ, checkMemory, memorySplit } from './address-map';
import type { Equipment, Screen } from './api';
import { DEFAULT_START_SECONDS, type BoardConfig, type BoardHost } from './board-host';
import { CpuBus } from './cpu-bus';
import { Sockets } from './equipment';

export interface BoardSaved {
  devices: Record<string, unknown>;
}

export class Board {
  readonly vga: Vga;
  readonly keyboard: KeyboardController;
  readonly pic: Pic;
  readonly ioApic: IoApic;
  readonly pm: AcpiPm;
  readonly apics: LocalApic[] = [];
  readonly system: SystemBus;
  readonly sockets: Sockets;
  private readonly com1: Uart;
  private readonly pci: PciHost;
  private readonly shadow: ShadowRam;
  private readonly port92: Port92;
  private readonly apicBus: ApicBus;
  private readonly buses: CpuBus[];
  private devices: Device[] = [];
  private timed: Device[] = [];
  /** Chips that came with firmware. */
  private fitted: Device[] = [];
  private romWindow: Window | undefined;
  private readonly reported = new SaidOnce((what) => this.host.unsupported(what));
  /** As power comes on: what the chips hold before anything happened. */
  private initial: BoardSaved;
  private promised = Infinity;
  private a20Level: boolean | undefined;

  constructor(
    readonly config: BoardConfig,
    private readonly host: BoardHost,
  ) {
    checkMemory(config.memoryBytes);
    const { clock } = host;
    this.system = new SystemBus(this.unsupported);
    this.system.onAccess = this.accessed;
    this.apicBus = new ApicBus(this.unsupported);
    this.pic = new Pic({ set: (level) => this.intr(level) }, this.unsupported);
    this.ioApic = new IoApic(IO_APIC_GPA, config.cpus, (message) => this.apicBus.send(message));
    this.apicBus.onEoi((vector) => this.ioApic.endOfInterrupt(vector));
    for (let cpu = 0; cpu < config.cpus; cpu++) this.apics.push(this.localApic(cpu));
    this.buses = this.apics.map((apic) => new CpuBus(this.system, apic));
    const legacy = [this.irq(0), this.irq(8)] as const;
    const hpet = new Hpet(HPET_GPA, clock, { legacy, route: (pin) => this.ioApic.line(pin) });
    const pit = new Pit(clock, hpet.fromPit);
    const startSeconds = config.startSeconds ?? DEFAULT_START_SECONDS;
    const cmos = { startSeconds, memoryBytes: memorySplit(config.memoryBytes), cpus: config.cpus };
    const rtc = new Rtc(cmos, clock, hpet.fromRtc);
    this.com1 = new Uart('com1', 0x3f8, clock, this.irq(4), (byte) => host.onConsole(byte));
    this.keyboard = new KeyboardController({
      irq1: this.irq(1),
      irq12: this.irq(12),
      a20: () => this.updateA20(),
      resetPulse: () => host.resetRequested(),
      unsupported: this.unsupported,
    });
    this.port92 = new Port92(() => this.updateA20(), () => host.resetRequested()); // prettier-ignore
    this.vga = new Vga(clock, this.unsupported);
    this.pci = new PciHost({
      decoder: this.system,
      isaIrq: (irq) => ({ set: (level) => this.pic.setLine(irq, level) }),
      pirq: (index) => this.ioApic.line(PIRQ_PIN + index),
      resetPulse: () => host.resetRequested(),
      shadow: (registers) => this.shadow.program(registers),
    });
    this.shadow = new ShadowRam(host.memory, this.unsupported);
    this.pm = new AcpiPm(PM_BASE, clock, this.irq(SCI_IRQ), () => host.powerOff(), this.unsupported);
    const debugExit = new DebugExit((code) => host.debugExit(code), (byte) => host.onDebugCharacter?.(byte)); // prettier-ignore
    const parts: Device[] = [
      this.pic, this.ioApic, ...this.apics, hpet, pit, rtc, this.com1, this.keyboard, this.port92, new Dma(this.unsupported),
      this.vga, this.pci, this.shadow, this.pm, debugExit,
    ]; // prettier-ignore
    for (const device of parts) this.attach(device);
    this.sockets = new Sockets({
      clock,
      memory: host.memory,
      irqs: [this.irq(14), this.irq(15)],
      onConsole: (byte) => host.onConsole(byte),
      sendMsi: (address, data) => this.apicBus.sendMsi(address, data),
      unsupported: this.unsupported,
    });
    this.attach(this.sockets.ide);
    this.add(this.sockets.ide.fn);
    this.plug({});
    this.reset();
    this.initial = this.save();
  }

  /** One more chip: firmware's service port, a paravirtual device. Before the guest runs. */
  attach(device: Device): void {
    assert(!this.devices.some((d) => d.name === device.name), `two devices are called ${device.name}`);
    this.devices.push(device);
    if (device.deadline) this.timed.push(device);
    this.system.attach(device);
  }
  private detach(device: Device): void {
    this.devices = this.devices.filter((d) => d !== device);
    this.timed = this.timed.filter((d) => d !== device);
    this.system.detach(device);
  }

  /** One more PCI function on bus 0. */
  add(fn: PciFunction): void {
    this.pci.add(fn);
  }
  /**
   * Exchanges disks and what else is not soldered; `powerOn` follows. `rom` is a BIOS for the socket, and `fit` gives the
   * chips that come with it, for disks of these names. UserError: what does not fit.
   */
  plug(equipment: Equipment, rom?: Uint8Array, fit?: (bootPaths: readonly string[]) => Device[]): void {
    for (const device of this.sockets.virtio) {
      this.detach(device);
      this.pci.remove(device.fn);
    }
    this.sockets.plug(equipment);
    for (const device of this.sockets.virtio) {
      this.attach(device);
      this.add(device.fn);
    }
    for (const device of this.fitted) this.detach(device);
    this.fitted = fit?.(this.sockets.paths) ?? [];
    for (const device of this.fitted) this.attach(device);
    if (this.romWindow) this.system.detach(this.romWindow);
    this.shadow.plug(rom);
    this.romWindow = this.shadow.window;
    if (this.romWindow) this.system.attach(this.romWindow);
    this.sockets.ide.reset();
    if (this.initial) this.initial = this.initialWith([...this.sockets.devices, ...this.fitted]);
  }

  /** As the boot processor sees it. */
  get bus(): Bus {
    return this.buses[0]!;
  }
  busOf(cpu: number): Bus {
    return this.buses[cpu]!;
  }
  interruptSource(cpu: number): InterruptSource {
    return this.apics[cpu]!;
  }

  /** When `tick` must be called next: ns since power-on, Infinity: no chip waits for anything. */
  nextDeadline(): number {
    this.promised = this.earliest();
    return this.promised;
  }

  /** Chips catch up with the clock, in a fixed order. */
  tick(): void {
    for (const device of this.timed) device.tick?.();
  }

  /** As if it were new, with the clock at 0: a second run must not see what the first one left. */
  powerOn(): void {
    this.restore({ devices: { ...this.save().devices, ...this.initial.devices } });
    this.reset();
  }

  /** As the RESET line does: chips that keep their state through it (RTC, CMOS) keep it. */
  reset(): void {
    for (const device of this.devices) device.reset();
    this.updateA20();
  }

  get a20Enabled(): boolean {
    return this.keyboard.a20Enabled || this.port92.a20Enabled;
  }

  typeConsole(bytes: Uint8Array): void {
    if (!this.sockets.type(bytes)) this.com1.type(bytes);
    this.accessed();
  }
  typeKeyboard(text: string): void {
    this.keyboard.typeText(text);
    this.accessed();
  }
  key(name: string, down: boolean): boolean {
    const known = this.keyboard.press(name, down);
    this.accessed();
    return known;
  }
  readonly screen = (): Screen => this.vga.screen();

  save(): BoardSaved {
    return { devices: this.saveOf(this.devices) };
  }
  private initialWith(devices: readonly Device[]): BoardSaved {
    return { devices: { ...this.initial.devices, ...this.saveOf(devices) } };
  }
  private saveOf(devices: readonly Device[]): Record<string, unknown> {
    return Object.fromEntries(devices.map((device) => [device.name, device.save()]));
  }
  restore(saved: BoardSaved): void {
    for (const device of this.devices) {
      assert(device.name in saved.devices, `the snapshot has no ${device.name}`);
      device.restore(saved.devices[device.name]);
    }
    this.promised = Infinity;
    this.updateA20();
    for (const [cpu, apic] of this.apics.entries()) if (apic.pending()) this.host.cpuAttention(cpu);
  }

  /** For the debugger. */
  get parts(): readonly Device[] {
    return this.devices;
  }

  private localApic(cpu: number): LocalApic {
    const apic = new LocalApic(cpu, {
      clock: this.host.clock,
      attention: () => this.host.cpuAttention(cpu),
      acknowledgeExternal: () => this.pic.acknowledge(),
      send: (message, except) => this.apicBus.send(message, except),
      endOfInterrupt: (vector) => this.apicBus.endOfInterrupt(vector),
      accessed: () => this.accessed(),
      unsupported: this.unsupported,
      tscOffset: () => this.host.tscOffset?.(cpu) ?? 0n,
    });
    this.apicBus.addLocal(apic);
    return apic;
  }

  /** An ISA interrupt: to the 8259, and to the I/O APIC, where IRQ0 has pin 2. */
  private irq(irq: number): Line {
    const pin = irq === 0 ? 2 : irq;
    return {
      set: (level) => {
        this.pic.setLine(irq, level);
        this.ioApic.setLine(pin, level);
      },
    };
  }

  private intr(level: boolean): void {
    this.apics[0]?.lint(0).set(level);
    this.ioApic?.setLine(0, level);
  }

  private updateA20(): void {
    // Called while chips are being built, too: the gates are one OR, known when both exist.
    if (!this.port92 || this.a20Level === this.a20Enabled) return;
    this.a20Level = this.a20Enabled;
    this.host.a20(this.a20Level);
  }

  private earliest(): number {
    let next = Infinity;
    for (const device of this.timed) next = Math.min(next, device.deadline!());
    return next;
  }

  private readonly accessed = (): void => {
    if (!this.host.deadlineMoved) return;
    const next = this.earliest();
    if (next >= this.promised) return;
    this.promised = next;
    this.host.deadlineMoved();
  };

  private readonly unsupported = (what: string): void => this.reported.say(what);
}
