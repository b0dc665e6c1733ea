/** INT 10h in text mode 3. Source: RBIL (Ralf Brown's interrupt list), INT 10/AH=00h to AH=13h. */
import type { BiosContext, ServiceTable } from './bios-context';
import { BDA } from './bios-context';

const COLUMNS = 80;
const ROWS = 25;
const TEXT = 0xb_8000;
const VIDEO = {
  MODE: BDA + 0x49,
  COLUMNS: BDA + 0x4a,
  CURSOR: BDA + 0x50,
  SHAPE: BDA + 0x60,
  PAGE: BDA + 0x62,
} as const;
const NORMAL = 0x07;

const position = (b: BiosContext): { row: number; column: number } => {
  const cursor = b.read(VIDEO.CURSOR, 2);
  return { row: cursor >> 8, column: cursor & 0xff };
};

function moveCursor(b: BiosContext, row: number, column: number): void {
  b.write(VIDEO.CURSOR, 2, (row << 8) | column);
  const cell = row * COLUMNS + column;
  crtc(b, 0x0e, cell >> 8);
  crtc(b, 0x0f, cell & 0xff);
}

function crtc(b: BiosContext, index: number, value: number): void {
  b.bus.writePort(0x3d4, 1, index);
  b.bus.writePort(0x3d5, 1, value);
}

const cellAt = (row: number, column: number): number => TEXT + (row * COLUMNS + column) * 2;

/** Rows top to bottom and columns left to right, inclusive; `lines` 0 clears. */
function scroll(
  b: BiosContext,
  up: boolean,
  lines: number,
  attribute: number,
  top: number,
  left: number,
  bottom: number,
  right: number,
): void {
  const count = lines === 0 || lines > bottom - top + 1 ? bottom - top + 1 : lines;
  for (let i = 0; i <= bottom - top; i++) {
    const row = up ? top + i : bottom - i;
    const source = up ? row + count : row - count;
    const inside = source >= top && source <= bottom;
    for (let column = left; column <= right; column++) {
      const cell = inside ? b.bus.readMmio(cellAt(source, column), 2) : (attribute << 8) | 0x20;
      b.bus.writeMmio(cellAt(row, column), 2, cell);
    }
  }
}

function setMode(b: BiosContext): void {
  const mode = b.al & 0x7f;
  if (mode > 3 && mode !== 7) return b.config.unsupported(`BIOS INT 10h: video mode ${mode.toString(16)}h`);
  b.write(VIDEO.MODE, 1, mode);
  if (!(b.al & 0x80)) scroll(b, true, 0, NORMAL, 0, 0, ROWS - 1, COLUMNS - 1);
  moveCursor(b, 0, 0);
}

/** One character at the cursor as a teletype does; `attribute` undefined: the cell keeps its own. */
export function teletype(b: BiosContext, byte: number, attribute?: number): void {
  b.config.onTeletype?.(byte);
  let { row, column } = position(b);
  if (byte === 0x0d) column = 0;
  else if (byte === 0x0a) row++;
  else if (byte === 0x08) column = Math.max(0, column - 1);
  else if (byte !== 0x07) {
    b.bus.writeMmio(cellAt(row, column), 1, byte);
    if (attribute !== undefined) b.bus.writeMmio(cellAt(row, column) + 1, 1, attribute);
    column++;
  }
  if (column >= COLUMNS) {
    column = 0;
    row++;
  }
  if (row >= ROWS) {
    scroll(b, true, 1, NORMAL, 0, 0, ROWS - 1, COLUMNS - 1);
    row = ROWS - 1;
  }
  moveCursor(b, row, column);
}

/** AH=13h: ES:BP, CX characters; AL bit 0 moves the cursor, bit 1 attributes lie between the characters. */
function writeString(b: BiosContext): void {
  const before = position(b);
  const paired = (b.al & 2) !== 0;
  let gpa = b.at('es', 'ebp');
  moveCursor(b, b.dx >> 8, b.dx & 0xff);
  for (let i = 0; i < b.cx; i++) {
    teletype(b, b.read(gpa, 1), paired ? b.read(gpa + 1, 1) : b.bx & 0xff);
    gpa += paired ? 2 : 1;
  }
  if (!(b.al & 1)) moveCursor(b, before.row, before.column);
}

function writeCells(b: BiosContext, attribute: number | undefined): void {
  const { row, column } = position(b);
  for (let i = 0; i < b.cx && row * COLUMNS + column + i < ROWS * COLUMNS; i++) {
    const cell = cellAt(row, column + i);
    b.bus.writeMmio(cell, 1, b.al);
    if (attribute !== undefined) b.bus.writeMmio(cell + 1, 1, attribute);
  }
}

function scrollWindow(b: BiosContext, up: boolean): void {
  const bottom = Math.min(b.dx >> 8, ROWS - 1);
  const right = Math.min(b.dx & 0xff, COLUMNS - 1);
  scroll(b, up, b.al, b.bx >> 8, b.cx >> 8, b.cx & 0xff, bottom, right);
}

export const VIDEO_SERVICES: ServiceTable = {
  0x1000: setMode,
  0x1001: (b) => {
    b.write(VIDEO.SHAPE, 2, b.cx);
    crtc(b, 0x0a, b.cx >> 8);
    crtc(b, 0x0b, b.cx & 0xff);
  },
  0x1002: (b) => moveCursor(b, Math.min(b.dx >> 8, ROWS - 1), Math.min(b.dx & 0xff, COLUMNS - 1)),
  0x1003: (b) => {
    b.dx = b.read(VIDEO.CURSOR, 2);
    b.cx = b.read(VIDEO.SHAPE, 2);
  },
  // One page: selecting page 0 changes nothing.
  0x1005: (b) => {
    if (b.al !== 0) b.config.unsupported('BIOS INT 10h: display pages other than 0');
  },
  0x1006: (b) => scrollWindow(b, true),
  0x1007: (b) => scrollWindow(b, false),
  0x1008: (b) => {
    const { row, column } = position(b);
    b.ax = b.bus.readMmio(cellAt(row, column), 2);
  },
  0x1009: (b) => writeCells(b, b.bx & 0xff),
  0x100a: (b) => writeCells(b, undefined),
  0x100e: (b) => teletype(b, b.al),
  0x100f: (b) => {
    b.ax = (COLUMNS << 8) | b.read(VIDEO.MODE, 1);
    b.bx = b.bx & 0xff;
  },
  // AX=1A00h: VGA with analog colour display.
  0x101a: (b) => {
    if (b.al !== 0) return;
    b.al = 0x1a;
    b.bx = 0x0008;
  },
  0x1013: writeString,
};

/** Fields of the BIOS data area that belong to the display. */
export function videoData(write: (gpa: number, bytes: 1 | 2 | 4, value: number) => void): void {
  write(VIDEO.MODE, 1, 3);
  write(VIDEO.COLUMNS, 2, COLUMNS);
  write(BDA + 0x4c, 2, 0x1000); // bytes of a page
  write(VIDEO.SHAPE, 2, 0x0d0e);
  write(BDA + 0x63, 2, 0x3d4);
  write(BDA + 0x84, 1, ROWS - 1);
  write(BDA + 0x85, 2, 16); // character height
}
