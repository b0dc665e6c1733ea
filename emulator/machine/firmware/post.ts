/**
 * How firmware leaves the chips when it hands over: 8259 pair at vectors 08h and 70h, timer at 18.2 Hz, keyboard
 * controller tested and translating, PIRQs routed, local APIC of the boot processor in virtual-wire mode.
 * Everything goes through the bus, as firmware would.
 */
import type { Bus } from '../../cpu/ports';
import { APIC, SVR_ENABLE } from '../../devices/local-apic-registers';
import { PAM_OPEN, PAM_REGISTERS } from '../../devices/shadow-ram';
import { LOCAL_APIC_GPA, PIRQ_IRQS, SCI_IRQ } from '../address-map';
import { setUpPci } from './pci-setup';

/** Master and slave of the 8259 pair; only timer and keyboard are unmasked. */
export const BIOS_VECTORS = { master: 0x08, slave: 0x70 } as const;

const PORT_WRITES: readonly (readonly [port: number, ...bytes: number[]])[] = [
  [0x20, 0x11], [0x21, BIOS_VECTORS.master, 0x04, 0x01, 0xf8],
  [0xa0, 0x11], [0xa1, BIOS_VECTORS.slave, 0x02, 0x01, 0xff],
  // Level-triggered: SCI and PIRQs.
  [0x4d1, [SCI_IRQ, ...PIRQ_IRQS].reduce((mask, irq) => mask | (1 << (irq - 8)), 0)],
  [0x43, 0x36], [0x40, 0x00, 0x00], // counter 0: square wave, 65536
  [0x43, 0x54], [0x41, 0x12], // counter 1: refresh
  [0x0d, 0x00], [0xda, 0x00], [0xd6, 0xc0], [0xd4, 0x00], // DMA: clear, cascade
  [0x64, 0xae], // keyboard on
]; // prettier-ignore

/** RAM, readable and writable, from C0000h to FFFFFh: before anything is written there. */
export function openShadowRam(bus: Bus): void {
  PAM_OPEN.forEach((value, i) => {
    const register = PAM_REGISTERS.first + i;
    bus.writePort(0xcf8, 4, 0x8000_0000 + (register & 0xfc));
    bus.writePort(0xcfc + (register & 3), 1, value);
  });
}

export function powerOnSelfTest(bus: Bus): void {
  for (const [port, ...bytes] of PORT_WRITES) for (const byte of bytes) bus.writePort(port, 1, byte);
  keyboard(bus);
  PIRQ_IRQS.forEach((irq, i) => {
    bus.writePort(0xcf8, 4, 0x8000_0000 + (1 << 11) + 0x60);
    bus.writePort(0xcfc + i, 1, irq);
  });
  setUpPci(bus);
  const apic = (offset: number, value: number): void => bus.writeMmio(LOCAL_APIC_GPA + offset, 4, value);
  apic(APIC.SVR, SVR_ENABLE | 0xff);
  apic(APIC.LVT_LINT0, 0x700); // ExtINT
  apic(APIC.LVT_LINT1, 0x400); // NMI
}

function keyboard(bus: Bus): void {
  bus.writePort(0x64, 1, 0xaa);
  bus.readPort(0x60, 1); // 55h: passed
  bus.writePort(0x64, 1, 0x60);
  bus.writePort(0x60, 1, 0x65); // IRQ1, system flag, mouse off, translation
}
