/**
 * The BIOS's ROM, and the RAM under C0000h to FFFFFh that can be shown in its place: the 440FX's programmable attribute
 * map. Source: Intel 290549 (440FX) section 3.2.15 (PAM0 to PAM6); the ROM is also seen at the end of 4 GiB, as chip sets
 * alias it (290550 section 2.2.10).
 *
 * What a segment shows lies in guest RAM; of a segment that shows ROM, the RAM underneath is kept here. Not emulated:
 * writes that pass under ROM that is shown ("write only", reported), writing the flash chip.
 */
import type { Device, Inspection, ShadowedMemory, Unsupported, Window } from './bus';

/** PAM0 to PAM6 in the host bridge. */
export const PAM_REGISTERS = { first: 0x59, count: 7 } as const;
/** What a BIOS leaves: RAM everywhere, readable and writable. */
export const PAM_OPEN: readonly number[] = [0x30, 0x33, 0x33, 0x33, 0x33, 0x33, 0x33];
const READ = 1;
const WRITE = 2;
const ROM_WINDOW = { first: 0xe_0000, last: 0xf_ffff } as const;
const FOUR_GIB = 0x1_0000_0000;
const ALL_ONES = 0xff;

interface Segment {
  gpa: number;
  bytes: number;
  /** Bits 1:0 (low nibble) or 5:4 of this register. */
  register: number;
  shift: 0 | 4;
}

const SEGMENTS: readonly Segment[] = [
  { gpa: 0xf_0000, bytes: 0x1_0000, register: 0, shift: 4 },
  ...Array.from({ length: 12 }, (_, i): Segment => {
    return { gpa: 0xc_0000 + i * 0x4000, bytes: 0x4000, register: 1 + (i >> 1), shift: i & 1 ? 4 : 0 };
  }),
];

interface Saved {
  pam: number[];
  /** RAM under the segments that show ROM; null: zeros. */
  hidden: (Uint8Array | null)[];
}

export class ShadowRam implements Device<Saved> {
  readonly name = 'shadow-ram';
  private pam: number[] = PAM_OPEN.map(() => 0);
  private hidden: (Uint8Array | null)[] = SEGMENTS.map(() => null);
  private rom: Uint8Array | undefined;

  constructor(
    private readonly memory: ShadowedMemory,
    private readonly unsupported: Unsupported,
  ) {}

  /** Before power-on; undefined: the socket is empty and reads as ones. */
  plug(rom: Uint8Array | undefined): void {
    this.rom = rom;
    this.memory.rom = rom && { gpa: FOUR_GIB - rom.length, bytes: rom };
  }
  /** The ROM at the end of 4 GiB, where processors begin. */
  get window(): Window | undefined {
    const { rom } = this;
    if (!rom) return undefined;
    const first = FOUR_GIB - rom.length;
    return {
      name: 'firmware ROM',
      mmio: [{ first, last: FOUR_GIB - 1 }],
      plainMemory: true,
      readMmio: (gpa, bytes) => {
        let value = 0;
        for (let i = bytes - 1; i >= 0; i--) value = (value << 8) | rom[gpa - first + i]!;
        return value >>> 0;
      },
    };
  }

  /** RAM has just been switched on: zeros everywhere. */
  reset(): void {
    this.pam = PAM_OPEN.map(() => 0);
    this.hidden = SEGMENTS.map(() => null);
    SEGMENTS.forEach((segment) => {
      this.memory.writeBytes(segment.gpa, this.romAt(segment), true);
      this.show(segment);
    });
  }
  save(): Saved {
    return { pam: [...this.pam], hidden: this.hidden.map((bytes) => bytes?.slice() ?? null) };
  }
  /** What the segments show is in guest memory, and restored with it. */
  restore({ pam, hidden }: Saved): void {
    this.pam = [...pam];
    this.hidden = hidden.map((bytes) => bytes?.slice() ?? null);
    SEGMENTS.forEach((segment) => this.show(segment));
  }

  /** The guest wrote PAM0 to PAM6. */
  program(registers: ArrayLike<number>): void {
    const before = this.pam;
    this.pam = Array.from(registers);
    SEGMENTS.forEach((segment, i) => {
      const [was, is] = [attributes(before, segment), attributes(this.pam, segment)];
      if (was === is) return;
      if (!(was & READ) && is & READ) {
        this.memory.writeBytes(segment.gpa, this.hidden[i] ?? new Uint8Array(segment.bytes), true);
        this.hidden[i] = null;
      } else if (was & READ && !(is & READ)) {
        this.hidden[i] = this.memory.readBytes(segment.gpa, segment.bytes);
        this.memory.writeBytes(segment.gpa, this.romAt(segment), true);
      }
      if (is === WRITE) this.unsupported(`shadow RAM at gp:0x${segment.gpa.toString(16)} that can be written and not read`);
      this.show(segment);
    });
  } // prettier-ignore

  inspect(): Inspection {
    const names = ['ROM', 'RAM, read only', 'ROM over RAM', 'RAM'];
    return Object.fromEntries(SEGMENTS.map((s) => [`${s.gpa.toString(16)}h`, names[attributes(this.pam, s)]!]));
  }

  private show(segment: Segment): void {
    const kind = attributes(this.pam, segment) === (READ | WRITE) ? 'ram' : 'rom';
    this.memory.setKind(segment.gpa, segment.gpa + segment.bytes - 1, kind);
  }
  private romAt({ gpa, bytes }: Segment): Uint8Array {
    const out = new Uint8Array(bytes).fill(ALL_ONES);
    const { rom } = this;
    if (!rom || gpa < ROM_WINDOW.first) return out;
    // The last 128 KiB; a smaller ROM is seen at the end alone.
    const from = rom.length - (ROM_WINDOW.last + 1 - gpa);
    out.set(rom.subarray(Math.max(0, from), Math.max(0, from + bytes)), Math.max(0, Math.min(bytes, -from)));
    return out;
  }
}

const attributes = (pam: readonly number[], { register, shift }: Segment): number => (pam[register]! >> shift) & 3;
