/**
 * Memory, keyboard, clock and boot services: INT 08h, 09h, 11h, 12h, 15h, 16h, 18h, 19h, 1Ah. Source: RBIL, and the
 * BIOS data area as in MEMORY.LST.
 */
import { characterOf } from '../../devices/scan-codes';
import { EBDA, MIB, memorySplit } from '../address-map';
import type { BiosContext, ServiceTable } from './bios-context';
import { BDA } from './bios-context';
import { e820, encodeE820 } from './e820';

const SMAP = 0x534d_4150;
const TICKS = BDA + 0x6c;
const MIDNIGHT = BDA + 0x70;
/** 18.2 Hz ticks in a day. */
const TICKS_PER_DAY = 0x18_00b0;
const KEYS = { FLAGS: BDA + 0x17, HEAD: BDA + 0x1a, TAIL: BDA + 0x1c, FIRST: 0x1e, END: 0x3e } as const;
/** Offset of the configuration table in the F000h segment. */
export const CONFIGURATION_TABLE = 0xdff0;

/** Model FCh: PC AT; second 8259, RTC, keyboard intercept not given. */
export const CONFIGURATION_BYTES = [0x08, 0x00, 0xfc, 0x00, 0x01, 0x60, 0x00, 0x00, 0x00, 0x00] as const;

function memoryMap(b: BiosContext): void {
  const entries = e820(b.config.memoryBytes);
  const index = b.cpu.get('ebx');
  const entry = entries[index];
  if (b.cpu.get('edx') !== SMAP || !entry || b.cpu.get('ecx') < 20) return b.fail(0x86);
  b.cpu.writePhysical(b.at('es', 'edi'), Uint8Array.from(encodeE820(entry)));
  b.cpu.set('eax', SMAP);
  b.cpu.set('ecx', 20);
  b.cpu.set('ebx', index + 1 < entries.length ? index + 1 : 0);
  b.setCarry(false);
}

/** AX=E801h: KiB from 1 to 16 MiB, and 64 KiB blocks above 16 MiB. */
function memorySizes(b: BiosContext): void {
  const top = memorySplit(b.config.memoryBytes).low - 0x1_0000;
  b.ax = Math.min(top - MIB, 15 * MIB) / 1024;
  b.bx = Math.max(0, Math.floor((top - 16 * MIB) / 0x1_0000));
  b.cx = b.ax;
  b.dx = b.bx;
  b.setCarry(false);
}

/** AH=24h: A20 through port 92h. */
function a20(b: BiosContext): void {
  const port92 = b.bus.readPort(0x92, 1);
  if (b.al === 3)
    b.bx = 3; // both ways exist
  else if (b.al === 2) b.al = port92 & 2 ? 1 : 0;
  else if (b.al <= 1) {
    b.bus.writePort(0x92, 1, b.al === 1 ? port92 | 2 : port92 & ~2 & ~1);
    // The 8042's gate is ORed to it.
    b.bus.writePort(0x64, 1, b.al === 1 ? 0xdf : 0xdd);
  } else return b.fail(0x86);
  b.succeed();
}

/** AH=87h: CX words between two descriptors of the table at ES:SI (source at 10h, destination at 18h). */
function moveBlock(b: BiosContext): void {
  const table = b.at('es', 'esi');
  const base = (at: number): number =>
    b.read(at + 2, 2) + b.read(at + 4, 1) * 0x1_0000 + b.read(at + 7, 1) * 0x100_0000;
  b.cpu.writePhysical(base(table + 0x18), b.cpu.readPhysical(base(table + 0x10), b.cx * 2));
  b.succeed();
}

// --- Keyboard

const SHIFTS: Readonly<Record<number, number>> = { 0x36: 1, 0x2a: 2, 0x1d: 4, 0x38: 8 };

/** INT 09h: a scan code (set 1) from the 8042 into the ring at 40:1E. */
function keyboardInterrupt(b: BiosContext): void {
  const code = b.bus.readPort(0x60, 1);
  const make = code & 0x7f;
  let flags = b.read(KEYS.FLAGS, 1);
  const shift = SHIFTS[make];
  if (shift !== undefined) flags = code & 0x80 ? flags & ~shift : flags | shift;
  else if (code === 0x3a) flags ^= 0x40; // caps lock
  b.write(KEYS.FLAGS, 1, flags);
  if (shift === undefined && code < 0x80 && code !== 0x3a) store(b, (make << 8) | asciiOf(make, flags));
  endOfInterrupt(b, false);
}

function asciiOf(code: number, flags: number): number {
  const plain = characterOf(code, false);
  if (plain === undefined || flags & 8) return 0;
  const letter = plain >= 'a' && plain <= 'z';
  const shifted = ((flags & 3) !== 0) !== (letter && (flags & 0x40) !== 0);
  const byte = characterOf(code, shifted)?.charCodeAt(0) ?? 0;
  return flags & 4 && letter ? byte & 0x1f : byte;
}

const nextKey = (offset: number): number => (offset + 2 >= KEYS.END ? KEYS.FIRST : offset + 2);

function store(b: BiosContext, key: number): void {
  const tail = b.read(KEYS.TAIL, 2);
  if (nextKey(tail) === b.read(KEYS.HEAD, 2)) return; // full: the key is lost, as on the PC
  b.write(BDA + tail, 2, key);
  b.write(KEYS.TAIL, 2, nextKey(tail));
}

/** The oldest key, or -1. */
function peek(b: BiosContext): number {
  const head = b.read(KEYS.HEAD, 2);
  return head === b.read(KEYS.TAIL, 2) ? -1 : b.read(BDA + head, 2);
}

function readKey(b: BiosContext): 'wait' | void {
  const key = peek(b);
  if (key < 0) return 'wait';
  b.write(KEYS.HEAD, 2, nextKey(b.read(KEYS.HEAD, 2)));
  b.ax = key;
}

function checkKey(b: BiosContext): void {
  const key = peek(b);
  if (key >= 0) b.ax = key;
  b.setZero(key < 0);
}

// --- Clock

/** INT 08h: the stub calls INT 1Ch and ends the interrupt. */
function timerInterrupt(b: BiosContext): void {
  const next = b.read(TICKS, 4) + 1;
  if (next >= TICKS_PER_DAY) b.write(MIDNIGHT, 1, 1);
  b.write(TICKS, 4, next >= TICKS_PER_DAY ? 0 : next);
}

function getTicks(b: BiosContext): void {
  const ticks = b.read(TICKS, 4);
  b.cx = ticks >>> 16;
  b.dx = ticks & 0xffff;
  b.al = b.read(MIDNIGHT, 1);
  b.write(MIDNIGHT, 1, 0);
}

const cmos = (b: BiosContext, index: number): number => {
  b.bus.writePort(0x70, 1, index);
  return b.bus.readPort(0x71, 1);
};

export function endOfInterrupt(b: BiosContext, slave: boolean): void {
  if (slave) b.bus.writePort(0xa0, 1, 0x20);
  b.bus.writePort(0x20, 1, 0x20);
}

export const SYSTEM_SERVICES: ServiceTable = {
  0x1524: a20,
  // AH=4Fh, keyboard intercept: the key goes on.
  0x154f: (b) => b.setCarry(true),
  0x1587: moveBlock,
  0x1588: (b) => {
    b.ax = Math.min(0xffff, (memorySplit(b.config.memoryBytes).low - 0x1_0000 - MIB) / 1024);
    b.setCarry(false);
  },
  0x15c0: (b) => {
    b.cpu.setSegment('es', 0xf000);
    b.bx = CONFIGURATION_TABLE;
    b.succeed();
  },
  // AH=C1h: segment of the extended BIOS data area.
  0x15c1: (b) => {
    b.cpu.setSegment('es', EBDA >> 4);
    b.setCarry(false);
  },
  0x15e8: (b) => {
    if (b.al === 0x20) memoryMap(b);
    else if (b.al === 0x01) memorySizes(b);
    else b.fail(0x86);
  },
  // AH=53h (APM) and AH=ECh (mode the system will run in): not there, and everybody asks.
  0x1553: (b) => b.fail(0x86),
  0x15ec: (b) => b.fail(0x86),
  0x1600: readKey,
  0x1601: checkKey,
  0x1602: (b) => {
    b.al = b.read(KEYS.FLAGS, 1);
  },
  // AH=03h sets the typematic rate: keys do not repeat here.
  0x1603: () => {},
  0x1610: readKey,
  0x1611: checkKey,
  0x1612: (b) => {
    b.ax = b.read(KEYS.FLAGS, 1);
  },
  0x1a00: getTicks,
  0x1a01: (b) => {
    b.write(TICKS, 4, b.cx * 0x1_0000 + b.dx);
    b.write(MIDNIGHT, 1, 0);
  },
  0x1a02: (b) => {
    b.cx = (cmos(b, 4) << 8) | cmos(b, 2);
    b.dx = cmos(b, 0) << 8;
    b.setCarry(false);
  },
  0x1a04: (b) => {
    b.cx = (cmos(b, 0x32) << 8) | cmos(b, 9);
    b.dx = (cmos(b, 8) << 8) | cmos(b, 7);
    b.setCarry(false);
  },
  // AH=B1h, PCI BIOS, and AH=BBh, TCG BIOS: not there; callers fall back to the ports.
  0x1ab1: (b) => b.fail(0x81),
  0x1abb: (b) => b.fail(0x86),
};

/** Interrupts without function numbers. */
export const WHOLE_SERVICES: ServiceTable = {
  0x08: timerInterrupt,
  0x09: keyboardInterrupt,
  0x11: (b) => {
    b.ax = b.read(BDA + 0x10, 2);
  },
  0x12: (b) => {
    b.ax = b.read(BDA + 0x13, 2);
  },
  0x18: (b) => b.config.bootFailed(),
  0x19: (b) => b.config.reboot(),
};

/** Fields of the BIOS data area that belong to keyboard, memory and ports. */
export function systemData(
  write: (gpa: number, bytes: 1 | 2 | 4, value: number) => void,
  fixedDisks: number,
  floppies: number,
): void {
  write(BDA, 2, 0x3f8);
  write(BDA + 0x0e, 2, EBDA >> 4);
  // 80x25 colour, FPU, pointing device, one serial port; floppies in bits 0, 7:6.
  write(BDA + 0x10, 2, 0x0226 | (floppies > 0 ? 1 | ((floppies - 1) << 6) : 0));
  write(BDA + 0x13, 2, EBDA / 1024);
  write(KEYS.HEAD, 2, KEYS.FIRST);
  write(KEYS.TAIL, 2, KEYS.FIRST);
  write(BDA + 0x75, 1, fixedDisks);
  write(BDA + 0x80, 2, KEYS.FIRST);
  write(BDA + 0x82, 2, KEYS.END);
  write(BDA + 0x96, 1, 0x10); // enhanced keyboard
  write(EBDA, 1, 1); // KiB of the EBDA
}
