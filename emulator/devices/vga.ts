/**
 * VGA in text mode: registers that read back, DAC, and the text buffer. Source: IBM VGA technical reference
 * (PS/2 hardware interface, "Video subsystem").
 *
 * Not emulated: graphics modes (planar and 256-colour memory at A0000h; reported when touched), fonts (plane 2 drops what
 * is written: the screen is text), smooth scrolling, the character clock: retrace comes from guest time at 70 Hz.
 */
import type { Screen } from '../machine/api';
import type { Clock, Device, Inspection, Unsupported } from './bus';
import { CP437 } from './code-page';
import { MODE3, defaultPalette, retraceAt } from './vga-mode3';

const WINDOW = { first: 0xa_0000, last: 0xb_ffff };
const COLOR_TEXT = 0xb_8000;
const MONO_TEXT = 0xb_0000;
const TEXT_BYTES = 0x8000;
const CRTC = {
  MAX_SCAN_LINE: 9,
  OVERFLOW: 7,
  START_HIGH: 0xc,
  CURSOR_START: 0xa,
  CURSOR_HIGH: 0xe,
  PROTECT: 0x11,
  DISPLAY_END: 0x12,
  OFFSET: 0x13,
} as const;
const CURSOR_OFF = 0x20;
/** Map mask while a font is loaded. */
const FONT_PLANE = 4;
const REGISTERS = { crtc: 0x19, sequencer: 5, graphics: 9, attribute: 0x15 } as const;

interface Saved {
  memory: Uint8Array;
  misc: number;
  feature: number;
  crtc: Uint8Array;
  sequencer: Uint8Array;
  graphics: Uint8Array;
  attribute: Uint8Array;
  crtcIndex: number;
  sequencerIndex: number;
  graphicsIndex: number;
  attributeIndex: number;
  /** The next write to 3C0h is data. */
  attributeData: boolean;
  palette: Uint8Array;
  dacMask: number;
  dacReadAt: number;
  dacWriteAt: number;
  /** 0 red, 1 green, 2 blue comes next. */
  dacPart: number;
  dacReading: boolean;
}

export class Vga implements Device<Saved> {
  readonly name = 'vga';
  readonly ports = [{ first: 0x3b0, last: 0x3bb }, { first: 0x3c0, last: 0x3df }]; // prettier-ignore
  readonly mmio = [WINDOW];
  readonly plainMemory = true;
  private s = Vga.initial();

  constructor(
    private readonly clock: Clock,
    private readonly unsupported: Unsupported,
  ) {}

  private static initial(): Saved {
    const memory = new Uint8Array(TEXT_BYTES);
    for (let at = 0; at < memory.length; at += 2) memory.set([0x20, 0x07], at);
    return {
      memory, misc: MODE3.misc, feature: 0, crtc: Uint8Array.from(MODE3.crtc), sequencer: Uint8Array.from(MODE3.sequencer),
      graphics: Uint8Array.from(MODE3.graphics), attribute: Uint8Array.from(MODE3.attribute), crtcIndex: 0,
      sequencerIndex: 0, graphicsIndex: 0, attributeIndex: 0x20, attributeData: false, palette: defaultPalette(),
      dacMask: 0xff, dacReadAt: 0, dacWriteAt: 0, dacPart: 0, dacReading: false,
    }; // prettier-ignore
  }

  reset(): void {
    this.s = Vga.initial();
  }
  save(): Saved {
    return structuredClone(this.s);
  }
  restore(saved: Saved): void {
    this.s = structuredClone(saved);
  }

  readMmio(gpa: number, bytes: number): number {
    const at = this.textOffset(gpa);
    if (at < 0) return bytes === 4 ? 0xffff_ffff : (1 << (bytes * 8)) - 1;
    let value = 0;
    for (let i = bytes - 1; i >= 0; i--) value = (value << 8) | this.s.memory[(at + i) % TEXT_BYTES]!;
    return value >>> 0;
  }

  writeMmio(gpa: number, bytes: number, value: number): void {
    const at = this.textOffset(gpa);
    if (at < 0) return;
    for (let i = 0; i < bytes; i++) this.s.memory[(at + i) % TEXT_BYTES] = value >>> (i * 8);
  }

  /** The screen that the CRTC would show. */
  screen(): Screen {
    const { crtc, memory } = this.s;
    const columns = crtc[1]! + 1;
    const overflow = crtc[CRTC.OVERFLOW]!;
    const lines = (crtc[CRTC.DISPLAY_END]! | ((overflow & 2) << 7) | ((overflow & 0x40) << 3)) + 1;
    const rows = Math.max(1, Math.min(100, Math.floor(lines / ((crtc[CRTC.MAX_SCAN_LINE]! & 0x1f) + 1))));
    const start = (crtc[CRTC.START_HIGH]! << 8) | crtc[CRTC.START_HIGH + 1]!;
    const text: string[] = [];
    const attributes = new Uint8Array(columns * rows);
    for (let row = 0; row < rows; row++) {
      let line = '';
      for (let column = 0; column < columns; column++) {
        const at = ((start + row * crtc[CRTC.OFFSET]! * 2 + column) * 2) % TEXT_BYTES;
        line += CP437[memory[at]!]!;
        attributes[row * columns + column] = memory[at + 1]!;
      }
      text.push(line);
    }
    const cursor = this.cursorShown(columns, rows);
    return { columns, rows, text, attributes, ...(cursor ? { cursor } : {}) };
  }

  /** Cell of the cursor, from the top left. */
  get cursor(): { row: number; column: number } {
    const { crtc } = this.s;
    const cell =
      ((crtc[CRTC.CURSOR_HIGH]! << 8) | crtc[CRTC.CURSOR_HIGH + 1]!) -
      ((crtc[CRTC.START_HIGH]! << 8) | crtc[CRTC.START_HIGH + 1]!);
    const columns = crtc[1]! + 1;
    return { row: Math.floor(cell / columns), column: cell - Math.floor(cell / columns) * columns };
  }

  private cursorShown(columns: number, rows: number): { row: number; column: number } | undefined {
    const { row, column } = this.cursor;
    const off = (this.s.crtc[CRTC.CURSOR_START]! & CURSOR_OFF) !== 0;
    return off || row < 0 || row >= rows || column >= columns ? undefined : { row, column };
  }

  readPort(port: number): number {
    if (this.isCrtc(port)) return port & 1 ? (this.s.crtc[this.s.crtcIndex] ?? 0xff) : this.s.crtcIndex;
    const { s } = this;
    switch (port) {
      case 0x3c0:
        return s.attributeIndex;
      case 0x3c1:
        return s.attribute[s.attributeIndex & 0x1f] ?? 0;
      case 0x3c2: // input status 0: colour monitor
        return 0x10;
      case 0x3c4:
        return s.sequencerIndex;
      case 0x3c5:
        return s.sequencer[s.sequencerIndex] ?? 0;
      case 0x3c6:
        return s.dacMask;
      case 0x3c7:
        return s.dacReading ? 3 : 0;
      case 0x3c8:
        return s.dacWriteAt;
      case 0x3c9:
        return this.readPalette();
      case 0x3ca:
        return s.feature;
      case 0x3cc:
        return s.misc;
      case 0x3ce:
        return s.graphicsIndex;
      case 0x3cf:
        return s.graphics[s.graphicsIndex] ?? 0;
      case this.statusPort:
        s.attributeData = false;
        return retraceAt(this.clock.now());
      default:
        return 0xff;
    }
  }

  writePort(port: number, _bytes: number, byte: number): void {
    const { s } = this;
    if (this.isCrtc(port)) {
      if (port & 1) this.writeCrtc(byte);
      else s.crtcIndex = byte & 0x3f;
      return;
    }
    switch (port) {
      case 0x3c0:
        this.writeAttribute(byte);
        break;
      case 0x3c2:
        s.misc = byte;
        break;
      case 0x3c4:
        s.sequencerIndex = byte & 7;
        break;
      case 0x3c5:
        if (s.sequencerIndex < REGISTERS.sequencer) s.sequencer[s.sequencerIndex] = byte;
        break;
      case 0x3c6:
        s.dacMask = byte;
        break;
      case 0x3c7:
        Object.assign(s, { dacReadAt: byte, dacPart: 0, dacReading: true });
        break;
      case 0x3c8:
        Object.assign(s, { dacWriteAt: byte, dacPart: 0, dacReading: false });
        break;
      case 0x3c9:
        this.writePalette(byte);
        break;
      case 0x3ce:
        s.graphicsIndex = byte & 0x0f;
        break;
      case 0x3cf:
        if (s.graphicsIndex < REGISTERS.graphics) s.graphics[s.graphicsIndex] = byte;
        break;
      case this.statusPort:
        s.feature = byte;
    }
  }

  inspect(): Inspection {
    const { columns, rows } = this.screen();
    const { row, column } = this.cursor;
    const hex = (bytes: Uint8Array): string => Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join(' ');
    const { misc, crtc, sequencer, graphics, attribute } = this.s;
    return {
      size: `${columns}x${rows}`, cursor: `row ${row}, column ${column}`, misc, crtc: hex(crtc), sequencer: hex(sequencer),
      graphics: hex(graphics), attribute: hex(attribute),
    }; // prettier-ignore
  }

  /** Miscellaneous output bit 0: registers at 3Dxh (colour) or 3Bxh. */
  private get ioBase(): number {
    return this.s.misc & 1 ? 0x3d0 : 0x3b0;
  }
  private get statusPort(): number {
    return this.ioBase + 0xa;
  }
  private isCrtc(port: number): boolean {
    return port >= this.ioBase && port < this.ioBase + 8;
  }

  /** Which window is mapped (graphics register 6): below 2 it is of graphics memory. */
  private get map(): number {
    return (this.s.graphics[6]! >> 2) & 3;
  }
  bytesAt(gpa: number): Uint8Array | undefined {
    const at = gpa - this.textBase;
    return at >= 0 && at < TEXT_BYTES ? this.s.memory.subarray(at) : undefined;
  }
  /** NaN while graphics memory is mapped. */
  private get textBase(): number {
    return this.map < 2 ? NaN : this.map === 2 ? MONO_TEXT : COLOR_TEXT;
  }
  /** Offset in the text buffer, or -1: graphics memory, or outside the window that is mapped. */
  private textOffset(gpa: number): number {
    const at = gpa - this.textBase;
    if (at >= 0 && at < TEXT_BYTES) return at;
    if (this.map < 2 && this.s.sequencer[2] === FONT_PLANE) return -1;
    this.unsupported(this.map < 2 ? 'VGA graphics memory' : `VGA memory outside the mapped text window`);
    return -1;
  }

  private writeCrtc(byte: number): void {
    const { crtc, crtcIndex } = this.s;
    if (crtcIndex >= REGISTERS.crtc) return;
    if (crtcIndex < 8 && crtc[CRTC.PROTECT]! & 0x80) {
      // Protected, but for the line-compare bit of the overflow register.
      if (crtcIndex === CRTC.OVERFLOW) crtc[crtcIndex] = (crtc[crtcIndex]! & ~0x10) | (byte & 0x10);
      return;
    }
    crtc[crtcIndex] = byte;
  }

  private writeAttribute(byte: number): void {
    const { s } = this;
    if (!s.attributeData) s.attributeIndex = byte & 0x3f;
    else {
      const index = s.attributeIndex & 0x1f;
      // The palette belongs to the display while bit 5 of the index is set.
      if (index < REGISTERS.attribute && !(index < 16 && s.attributeIndex & 0x20)) s.attribute[index] = byte;
    }
    s.attributeData = !s.attributeData;
  }

  private readPalette(): number {
    const { s } = this;
    const value = s.palette[s.dacReadAt * 3 + s.dacPart]!;
    s.dacPart = (s.dacPart + 1) % 3;
    if (s.dacPart === 0) s.dacReadAt = (s.dacReadAt + 1) & 0xff;
    return value;
  }
  private writePalette(byte: number): void {
    const { s } = this;
    s.palette[s.dacWriteAt * 3 + s.dacPart] = byte & 0x3f;
    s.dacPart = (s.dacPart + 1) % 3;
    if (s.dacPart === 0) s.dacWriteAt = (s.dacWriteAt + 1) & 0xff;
  }
}
