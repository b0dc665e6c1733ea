/** MultiProcessor Specification 1.4 chapter 4: floating pointer and configuration table. */
import { APIC_VERSION } from '../../devices/local-apic-registers';
import { IO_APIC_GPA, LOCAL_APIC_GPA, PIRQ_PIN, SCI_IRQ } from '../address-map';
import { ACTIVE_HIGH_LEVEL } from './acpi';
import type { Bytes, Region } from './bytes';
import { ascii, u16, u32, withChecksum, zeros } from './bytes';
import { pirqOf } from './dsdt';

const BUS = { PCI: 0, ISA: 1 } as const;
const INTERRUPT = { INT: 0, NMI: 1, EXTINT: 3 } as const;
/** Active low, level. */
const PCI_FLAGS = 0x0f;
/** CPUID: FPU and APIC. */
const CPU_FEATURES = 0x201;
const ALL_APICS = 0xff;

export interface CpuIdentity {
  /** CPUID.1:EAX. */
  signature: number;
}

function entries(cpus: number, identity: CpuIdentity): Bytes[] {
  const ioApicId = cpus;
  const result: Bytes[] = [];
  for (let cpu = 0; cpu < cpus; cpu++) {
    const flags = 1 | (cpu === 0 ? 2 : 0);
    result.push([0, cpu, APIC_VERSION & 0xff, flags, ...u32(identity.signature), ...u32(CPU_FEATURES), ...zeros(8)]);
  }
  result.push([1, BUS.PCI, ...ascii('PCI', 6)], [1, BUS.ISA, ...ascii('ISA', 6)]);
  result.push([2, ioApicId, 0x20, 1, ...u32(IO_APIC_GPA)]);
  const route = (type: number, flags: number, bus: number, source: number, pin: number): Bytes => [
    3, type, ...u16(flags), bus, source, ioApicId, pin,
  ]; // prettier-ignore
  result.push(route(INTERRUPT.EXTINT, 0, BUS.ISA, 0, 0));
  for (let irq = 0; irq < 16; irq++) {
    if (irq === 2) continue; // the cascade
    result.push(route(INTERRUPT.INT, irq === SCI_IRQ ? ACTIVE_HIGH_LEVEL : 0, BUS.ISA, irq, irq === 0 ? 2 : irq));
  }
  for (let slot = 2; slot < 32; slot++) {
    for (let pin = 0; pin < 4; pin++) {
      result.push(route(INTERRUPT.INT, PCI_FLAGS, BUS.PCI, (slot << 2) | pin, PIRQ_PIN + pirqOf(slot, pin)));
    }
  }
  result.push([4, INTERRUPT.EXTINT, 0, 0, BUS.ISA, 0, ALL_APICS, 0]);
  result.push([4, INTERRUPT.NMI, 0, 0, BUS.ISA, 0, ALL_APICS, 1]);
  return result;
}

/** Floating pointer at `gpa` (16-byte aligned), the table after it. */
export function mpTable(gpa: number, cpus: number, identity: CpuIdentity): Region {
  const list = entries(cpus, identity);
  const body = list.flat();
  const header = [
    ...ascii('PCMP'), ...u16(44 + body.length), 4, 0, ...ascii('RINGSIDE', 8), ...ascii('PC', 12), ...u32(0), ...u16(0),
    ...u16(list.length), ...u32(LOCAL_APIC_GPA), ...u16(0), 0, 0,
  ]; // prettier-ignore
  const table = withChecksum([...header, ...body], 7);
  const pointer = withChecksum([...ascii('_MP_'), ...u32(gpa + 16), 1, 4, 0, 0, 0, 0, 0, 0], 10);
  return { gpa, bytes: Uint8Array.from([...pointer, ...table]), what: 'MP table' };
}
