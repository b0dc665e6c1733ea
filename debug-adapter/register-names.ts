/** Names for numbers of ports and model-specific registers, for people. */
import { MSR } from '../emulator/x86/registers';
import { SVM_MSR } from '../emulator/x86/vmcb';
import { VMX_MSR } from '../emulator/x86/vmcs';

type Range = readonly [first: number, last: number, name: string | ((offset: number) => string)];

const nameIn = (ranges: readonly Range[], number: number): string | undefined => {
  const found = ranges.find(([first, last]) => number >= first && number <= last);
  return typeof found?.[2] === 'function' ? found[2](number - found[0]) : found?.[2];
};

/** 16550 (data sheet, table of registers); 0 and 1 are the divisor's while DLAB is set. */
const UART = ['data, or divisor low', 'interrupt enable, or divisor high', 'interrupt identification, FIFO control', 'line control', 'modem control', 'line status', 'modem status', 'scratch']; // prettier-ignore
/** ATA-8 ACS, register file. */
const ATA = ['data', 'error, features', 'sector count', 'LBA low', 'LBA mid', 'LBA high', 'device', 'status, command'];
const uart = (name: string) => (offset: number) => `${name}: ${UART[offset]!}`;
const ata = (name: string) => (offset: number) => `${name}: ${ATA[offset]!}`;

/** Where a PC has its devices. What PCI has placed elsewhere is nowhere here. */
const PORTS: readonly Range[] = [
  [0x00, 0x0f, 'DMA controller 1'],
  [0x20, 0x21, (offset) => `PIC 1: ${offset ? 'mask, data' : 'command'}`],
  [0x40, 0x43, (offset) => (offset === 3 ? 'PIT: mode' : `PIT: channel ${offset}`)],
  [0x60, 0x60, 'keyboard controller: data'],
  [0x61, 0x61, 'port B: speaker, PIT channel 2, NMI'],
  [0x64, 0x64, 'keyboard controller: status, command'],
  [0x70, 0x71, (offset) => `RTC and CMOS: ${offset ? 'data' : 'index'}`],
  [0x80, 0x80, 'POST code; also a delay'],
  [0x81, 0x8f, 'DMA page registers'],
  [0x92, 0x92, 'port A: A20, fast reset'],
  [0xa0, 0xa1, (offset) => `PIC 2: ${offset ? 'mask, data' : 'command'}`],
  [0xc0, 0xdf, 'DMA controller 2'],
  [0x170, 0x177, ata('second IDE channel')],
  [0x1f0, 0x1f7, ata('first IDE channel')],
  [0x2e8, 0x2ef, uart('COM4')],
  [0x2f8, 0x2ff, uart('COM2')],
  [0x376, 0x376, 'second IDE channel: device control'],
  [0x378, 0x37a, 'parallel port LPT1'],
  [0x3b0, 0x3df, 'VGA'],
  [0x3e8, 0x3ef, uart('COM3')],
  [0x3f0, 0x3f5, 'floppy controller'],
  [0x3f6, 0x3f6, 'first IDE channel: device control'],
  [0x3f8, 0x3ff, uart('COM1')],
  [0x402, 0x402, 'log of the firmware'],
  [0x4d0, 0x4d1, 'PIC: edge or level'],
  [0x510, 0x51b, 'firmware configuration'],
  [0xcf8, 0xcfb, 'PCI configuration: address'],
  [0xcfc, 0xcff, 'PCI configuration: data'],
];

/** Undefined: whatever lies there, a PC does not have it there by itself. */
export const portName = (port: number): string | undefined => nameIn(PORTS, port);

const SINGLE = new Map<number, string>([
  ...Object.entries(MSR).map(([name, number]) => [number, name] as const),
  ...Object.entries(VMX_MSR).map(([name, number]) => [number, `VMX_${name}`] as const),
  ...Object.entries(SVM_MSR).map(([name, number]) => [number, name] as const),
]);
const BANK = ['CTL', 'STATUS', 'ADDR', 'MISC'];
const FIXED = ['64K_00000', ...Array.from({ length: 7 }, (_, n) => `unused ${n}`), '16K_80000', '16K_A0000'];
/** SDM vol. 4 chapter 2: those that come in rows. */
const MSRS: readonly Range[] = [
  [0xc1, 0xc8, (offset) => `PMC${offset}`],
  [0x186, 0x18d, (offset) => `PERFEVTSEL${offset}`],
  [0x200, 0x21f, (offset) => `MTRR_PHYS${offset & 1 ? 'MASK' : 'BASE'}${offset >> 1}`],
  [0x250, 0x259, (offset) => `MTRR_FIX${FIXED[offset]!}`],
  [0x268, 0x26f, (offset) => `MTRR_FIX4K_${(0xc0000 + offset * 0x8000).toString(16).toUpperCase()}`],
  [0x400, 0x47f, (offset) => `MC${offset >> 2}_${BANK[offset & 3]!}`],
  [0x800, 0x8ff, (offset) => `x2APIC register 0x${(offset << 4).toString(16)}`],
];

export const msrName = (msr: number): string | undefined => SINGLE.get(msr) ?? nameIn(MSRS, msr);
