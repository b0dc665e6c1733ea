/** What the operating system learns in AML: the PCI root and its interrupts, ISA devices, processors, S5. */
import { S5_SLP_TYP, PM } from '../../devices/acpi-pm';
import { HPET_BYTES } from '../../devices/hpet';
import { HPET_GPA, IO_APIC_GPA, PCI_HOLE, PIRQ_IRQS, PIRQ_PIN, PM_BASE, VGA_WINDOW, memorySplit } from '../address-map';
import {
  argObj, defDevice, defIf, defMethod, defName, defPackage, defReturn, defScope, defStore, dwordMemory, eisaId,
  integer, io, irqNoFlags, memory32Fixed, nameString, resourceTemplate, string, systemTable, wordBusNumber, wordIo,
} from './aml'; // prettier-ignore
import type { Bytes } from './bytes';

/** Slots of bus 0 that may hold a function with an interrupt pin; 0 and 1 are the bridges. */
const FIRST_SLOT = 2;
const SLOTS = 32;

/** PIRQ index of a slot's pin (0: INTA), as devices/pci.ts wires them. */
export const pirqOf = (slot: number, pin: number): number => (slot + pin + 3) & 3;

/** One row a pin: address, pin, no link device, global system interrupt (ACPI 6.4 section 6.2.13). */
function routing(interrupt: (pirq: number) => number): Bytes {
  const rows: Bytes[] = [];
  for (let slot = FIRST_SLOT; slot < SLOTS; slot++) {
    for (let pin = 0; pin < 4; pin++) {
      const address = slot * 0x1_0000 + 0xffff;
      rows.push(defPackage(integer(address), integer(pin), integer(0), integer(interrupt(pirqOf(slot, pin)))));
    }
  }
  return defPackage(...rows);
}

const isaDevice = (name: string, id: string, ...resources: Bytes[]): Bytes =>
  defDevice(name, defName('_HID', eisaId(id)), defName('_CRS', resourceTemplate(...resources)));

function isaBridge(): Bytes {
  return defDevice(
    'ISA',
    defName('_ADR', integer(0x0001_0000)),
    isaDevice('PIC', 'PNP0000', io(0x20, 2), io(0xa0, 2), io(0x4d0, 2), irqNoFlags(2)),
    isaDevice('PIT', 'PNP0100', io(0x40, 4), irqNoFlags(0)),
    isaDevice('DMAC', 'PNP0200', io(0x00, 16), io(0x81, 15), io(0xc0, 32)),
    isaDevice('RTC', 'PNP0B00', io(0x70, 2), irqNoFlags(8)),
    isaDevice('SPKR', 'PNP0800', io(0x61, 1)),
    isaDevice('KBD', 'PNP0303', io(0x60, 1), io(0x64, 1), irqNoFlags(1)),
    isaDevice('MOU', 'PNP0F13', irqNoFlags(12)),
    defDevice(
      'COM1',
      defName('_HID', eisaId('PNP0501')),
      defName('_UID', integer(1)),
      defName('_STA', integer(0x0f)),
      defName('_CRS', resourceTemplate(io(0x3f8, 8), irqNoFlags(4))),
    ),
    isaDevice('HPET', 'PNP0103', memory32Fixed(HPET_GPA, HPET_BYTES)),
    isaDevice('MBRD', 'PNP0C02', io(0x92, 1), io(PM_BASE, PM.BYTES)),
  );
}

function pciRoot(memoryBytes: number): Bytes {
  const holeFirst = Math.min(PCI_HOLE, Math.max(memorySplit(memoryBytes).low, 0x8000_0000));
  return defDevice(
    'PCI0',
    defName('_HID', eisaId('PNP0A03')),
    defName('_UID', integer(0)),
    defName('_BBN', integer(0)),
    defName(
      '_CRS',
      resourceTemplate(
        wordBusNumber(0, 0),
        io(0xcf8, 8),
        wordIo(0x0000, 0x0cf7),
        wordIo(0x0d00, 0xffff),
        dwordMemory(VGA_WINDOW.first, VGA_WINDOW.last),
        dwordMemory(holeFirst, IO_APIC_GPA - 1),
      ),
    ),
    defName(
      'PRTP',
      routing((pirq) => PIRQ_IRQS[pirq]!),
    ),
    defName(
      'PRTA',
      routing((pirq) => PIRQ_PIN + pirq),
    ),
    defMethod('_PRT', 0, defIf(nameString('\\PICM'), defReturn(nameString('PRTA'))), defReturn(nameString('PRTP'))),
    isaBridge(),
  );
}

const processor = (cpu: number): Bytes =>
  defDevice(
    `C${cpu.toString(16).toUpperCase().padStart(3, '0')}`,
    defName('_HID', string('ACPI0007')),
    defName('_UID', integer(cpu)),
  );

export function dsdt(memoryBytes: number, cpus: number): Bytes {
  const body = [
    // Which interrupt model is in use: 0 8259, 1 I/O APIC (section 5.8.1).
    defName('\\PICM', integer(0)),
    defMethod('\\_PIC', 1, defStore(argObj(0), nameString('\\PICM'))),
    defName('\\_S5', defPackage(integer(S5_SLP_TYP), integer(S5_SLP_TYP), integer(0), integer(0))),
    defScope('\\_SB', pciRoot(memoryBytes), ...Array.from({ length: cpus }, (_, cpu) => processor(cpu))),
  ].flat();
  // Revision 2: 64-bit integers.
  return systemTable('DSDT', 2, body);
}
