/**
 * What a BIOS service sees: registers of the caller, memory, ports. Services are small functions in tables
 * (bios-video.ts, bios-disk.ts, bios-system.ts), keyed by interrupt and function number.
 */
import type { Bus } from '../../cpu/ports';

export type Register32 = 'eax' | 'ebx' | 'ecx' | 'edx' | 'esi' | 'edi' | 'ebp' | 'esp' | 'eip';
export type SegmentName = 'cs' | 'ds' | 'es' | 'ss';

/** The processor that executed the stub, in real or virtual-8086 mode; implemented by the machine. */
export interface RealModeProcessor {
  /** Unsigned 32 bits. `eip` during the stub's OUT: of the OUT or of the instruction after it. */
  get(register: Register32): number;
  set(register: Register32, value: number): void;
  getSegment(name: SegmentName): number;
  /** Selector and base, as a real-mode load does. */
  setSegment(name: SegmentName, selector: number): void;
  readPhysical(gpa: number, bytes: number): Uint8Array;
  writePhysical(gpa: number, bytes: Uint8Array): void;
}

export interface BiosDisk {
  /** 00h, 01h: floppy; from 80h: fixed disk. */
  drive: number;
  bytes: Uint8Array;
}

export interface BiosConfig {
  memoryBytes: number;
  disks: readonly BiosDisk[];
  /** Characters of the teletype service, for a console besides the screen. */
  onTeletype?(byte: number): void;
  /** INT 18h and INT 19h: nothing to boot, boot again. */
  bootFailed(): void;
  reboot(): void;
  unsupported(what: string): void;
}

/** What a service answers: nothing; `wait`: run me again after the next interrupt. */
export type Answer = void | 'wait';
export type Service = (b: BiosContext) => Answer;
/** By `interrupt * 100h + AH`. */
export type ServiceTable = Readonly<Record<number, Service>>;

const CF = 1;
const ZF = 0x40;
export const BDA = 0x400;

export class BiosContext {
  constructor(
    readonly cpu: RealModeProcessor,
    readonly bus: Bus,
    readonly config: BiosConfig,
  ) {}

  get ax(): number {
    return this.cpu.get('eax') & 0xffff;
  }
  set ax(value: number) {
    this.set16('eax', value);
  }
  get al(): number {
    return this.ax & 0xff;
  }
  set al(value: number) {
    this.ax = (this.ax & 0xff00) | (value & 0xff);
  }
  get ah(): number {
    return this.ax >> 8;
  }
  set ah(value: number) {
    this.ax = (this.ax & 0xff) | ((value & 0xff) << 8);
  }
  get bx(): number {
    return this.cpu.get('ebx') & 0xffff;
  }
  set bx(value: number) {
    this.set16('ebx', value);
  }
  get cx(): number {
    return this.cpu.get('ecx') & 0xffff;
  }
  set cx(value: number) {
    this.set16('ecx', value);
  }
  get dx(): number {
    return this.cpu.get('edx') & 0xffff;
  }
  set dx(value: number) {
    this.set16('edx', value);
  }

  /** The upper half stays. */
  set16(register: Register32, value: number): void {
    this.cpu.set(register, ((this.cpu.get(register) & 0xffff_0000) | (value & 0xffff)) >>> 0);
  }
  /** Guest-physical address of segment:register. */
  at(segment: SegmentName, register: Register32): number {
    return this.cpu.getSegment(segment) * 16 + (this.cpu.get(register) & 0xffff);
  }

  read(gpa: number, bytes: 1 | 2 | 4): number {
    const data = this.cpu.readPhysical(gpa, bytes);
    let value = 0;
    for (let i = bytes - 1; i >= 0; i--) value = value * 256 + (data[i] ?? 0xff);
    return value;
  }
  write(gpa: number, bytes: 1 | 2 | 4, value: number): void {
    this.cpu.writePhysical(
      gpa,
      Uint8Array.from({ length: bytes }, (_, i) => (value >>> (i * 8)) & 0xff),
    );
  }

  /** The caller's flags: pushed by INT, returned by the stub's IRET. */
  private stackedFlag(flag: number, on: boolean): void {
    const gpa = this.at('ss', 'esp') + 4;
    const flags = this.read(gpa, 2);
    this.write(gpa, 2, on ? flags | flag : flags & ~flag);
  }
  setCarry(on: boolean): void {
    this.stackedFlag(CF, on);
  }
  setZero(on: boolean): void {
    this.stackedFlag(ZF, on);
  }
  /** AH and CF: how most services say that they failed. */
  fail(status: number): void {
    this.ah = status;
    this.setCarry(true);
  }
  succeed(): void {
    this.ah = 0;
    this.setCarry(false);
  }
}
