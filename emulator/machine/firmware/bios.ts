/**
 * BIOS services for real-mode guests (boot sectors, real-mode set-up code), without BIOS code: each interrupt vector
 * points at a stub in the F000h segment that executes OUT to a port of ours; this device answers in its place.
 *
 * Not here: graphics modes, printer, serial port (INT 14h), PCI BIOS, APM, writing to disks. What a guest asks for and
 * is not in the tables fails with CF set and is reported once.
 */
import type { Bus } from '../../cpu/ports';
import type { Device } from '../../devices/bus';
import { BIOS_SEGMENT } from '../address-map';
import { BDA, BiosContext } from './bios-context';
import type { BiosConfig, RealModeProcessor, ServiceTable } from './bios-context';
import { DISK_SERVICES } from './bios-disk';
import {
  CONFIGURATION_BYTES,
  CONFIGURATION_TABLE,
  SYSTEM_SERVICES,
  WHOLE_SERVICES,
  endOfInterrupt,
  systemData,
} from './bios-system';
import { VIDEO_SERVICES, videoData } from './bios-video';
import type { Region } from './bytes';
import { ascii } from './bytes';
import { BIOS_VECTORS } from './post';

export type { BiosConfig, BiosDisk, RealModeProcessor } from './bios-context';

/** Where stubs call out; guests know it as a delay port at most. */
const PORT = 0xee;
/** Offset of the stubs in the F000h segment; 16 bytes each. */
const STUBS = 0xe000;
const STUB_BYTES = 16;
/** The byte that tells a stub to wait: in the segment's unused end. */
const WAIT_FLAG = 0xdfef;
const FUNCTIONS: ServiceTable = { ...VIDEO_SERVICES, ...DISK_SERVICES, ...SYSTEM_SERVICES };

/**
 * The common stub, offsets in hexadecimal. CMP spoils the flags, which IRET brings back.
 *   0 out PORT, al    2 cmp byte cs:[WAIT_FLAG], 0    8 jne b    a iret    b sti; hlt; jmp 0
 */
const STUB = [
  0xe6, PORT, 0x2e, 0x80, 0x3e, WAIT_FLAG & 0xff, WAIT_FLAG >> 8, 0x00, 0x75, 0x01, 0xcf, 0xfb, 0xf4, 0xeb, 0xf1,
] as const; // prettier-ignore
/** INT 08h: out PORT, al; int 1Ch; push ax; mov al, 20h; out 20h, al; pop ax; iret */
const TIMER_STUB = [0xe6, PORT, 0xcd, 0x1c, 0x50, 0xb0, 0x20, 0xe6, 0x20, 0x58, 0xcf] as const;
/** INT 1Ch: for the guest to replace. */
const IRET_STUB = [0xcf] as const;

const stubOf = (vector: number): readonly number[] =>
  vector === 0x08 ? TIMER_STUB : vector === 0x1c ? IRET_STUB : STUB;

/** Stubs, vectors and BIOS data area, to be written before a real-mode guest starts. */
export function biosRegions(config: Pick<BiosConfig, 'disks'>): Region[] {
  const vectors = new Uint8Array(0x400);
  const stubs = new Uint8Array(256 * STUB_BYTES);
  const view = new DataView(vectors.buffer);
  for (let vector = 0; vector < 256; vector++) {
    const offset = STUBS + vector * STUB_BYTES;
    stubs.set(stubOf(vector), vector * STUB_BYTES);
    view.setUint16(vector * 4, offset, true);
    view.setUint16(vector * 4 + 2, BIOS_SEGMENT >> 4, true);
  }
  const data = new Uint8Array(0x100);
  const ebda = new Uint8Array(16);
  let ebdaGpa = 0;
  const write = (gpa: number, bytes: 1 | 2 | 4, value: number): void => {
    const inBda = gpa >= BDA && gpa < BDA + data.length;
    if (!inBda) ebdaGpa = gpa;
    for (let i = 0; i < bytes; i++) (inBda ? data : ebda)[(inBda ? gpa - BDA : 0) + i] = value >>> (i * 8);
  };
  const fixed = config.disks.filter((d) => d.drive >= 0x80).length;
  videoData(write);
  systemData(write, fixed, config.disks.length - fixed);
  // At FFFF0h: jmp F000:stub of INT 19h, the date, model FCh.
  const restart = STUBS + 0x19 * STUB_BYTES;
  const reset = [0xea, restart & 0xff, restart >> 8, 0x00, 0xf0, ...ascii('01/01/24'), 0x00, 0xfc, 0x00];
  return [
    { gpa: 0, bytes: vectors, what: 'interrupt vectors' },
    { gpa: BDA, bytes: data, what: 'BIOS data area' },
    { gpa: ebdaGpa, bytes: ebda, what: 'extended BIOS data area' },
    {
      gpa: BIOS_SEGMENT + CONFIGURATION_TABLE,
      bytes: Uint8Array.from(CONFIGURATION_BYTES),
      what: 'BIOS configuration',
    },
    { gpa: BIOS_SEGMENT + STUBS, bytes: stubs, what: 'BIOS stubs' },
    { gpa: BIOS_SEGMENT + 0xfff0, bytes: Uint8Array.from(reset), what: 'reset vector' },
  ];
}

export class BiosServices implements Device<null> {
  readonly name = 'bios';
  readonly ports = [{ first: PORT, last: PORT }];
  private readonly context: BiosContext;

  constructor(
    private readonly processor: RealModeProcessor,
    bus: Bus,
    private readonly config: BiosConfig,
  ) {
    this.context = new BiosContext(processor, bus, config);
  }

  /** All state is in guest memory. */
  reset(): void {}
  save(): null {
    return null;
  }
  restore(): void {}

  readPort(): number {
    return 0xff;
  }

  /** The stub that executes the OUT says which interrupt it is. */
  writePort(): void {
    const offset = (this.processor.get('eip') & 0xffff) - STUBS;
    const inStub = this.processor.getSegment('cs') === BIOS_SEGMENT >> 4 && offset >= 0 && offset < 256 * STUB_BYTES;
    if (!inStub) return; // a guest that delays by this port
    const answer = this.serve(Math.floor(offset / STUB_BYTES));
    this.context.write(BIOS_SEGMENT + WAIT_FLAG, 1, answer === 'wait' ? 1 : 0);
  }

  private serve(vector: number): 'wait' | void {
    const b = this.context;
    const whole = WHOLE_SERVICES[vector];
    if (whole) return whole(b);
    const service = FUNCTIONS[vector * 0x100 + b.ah];
    if (service) return service(b);
    this.unknown(vector);
  }

  private unknown(vector: number): void {
    const b = this.context;
    const hex = (n: number): string => `${n.toString(16).toUpperCase().padStart(2, '0')}h`;
    const master = vector >= BIOS_VECTORS.master && vector < BIOS_VECTORS.master + 8;
    const slave = vector >= BIOS_VECTORS.slave && vector < BIOS_VECTORS.slave + 8;
    // A hardware interrupt that nobody took: ended, as a BIOS does.
    if (master || slave) return endOfInterrupt(b, slave);
    if (vector < 8) return this.config.unsupported(`BIOS: exception ${hex(vector)} in real mode without a handler`);
    this.config.unsupported(`BIOS INT ${hex(vector)} AH=${hex(b.ah)}`);
    // INT 13h and 15h say why in AH; the others leave registers alone.
    if (vector === 0x15) b.ah = 0x86;
    else if (vector === 0x13) b.ah = 1;
    b.setCarry(true);
  }
}
