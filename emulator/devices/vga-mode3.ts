/** What a video BIOS programs for text mode 3, and how such a screen is drawn in time. */

/** Mode 3 (80x25 colour) as the BIOS programs it (technical reference, table of default register values). */
export const MODE3 = {
  misc: 0x67,
  sequencer: [0x03, 0x00, 0x03, 0x00, 0x02],
  crtc: [
    0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e, 0x00, 0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f,
    0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff,
  ],
  graphics: [0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0e, 0x00, 0xff],
  attribute: [
    0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x0c, 0x00, 0x0f,
    0x08, 0x00,
  ],
} as const; // prettier-ignore

/** The BIOS's palette: 6-bit EGA colours, primary bits 2-0 two thirds bright, secondary bits 5-3 one third. */
export function defaultPalette(): Uint8Array {
  const palette = new Uint8Array(768);
  for (let i = 0; i < 64; i++) {
    for (let part = 0; part < 3; part++) {
      const bit = 2 - part;
      palette[i * 3 + part] = ((i >> bit) & 1) * 42 + ((i >> (bit + 3)) & 1) * 21;
    }
  }
  return palette;
}

const FRAME_NS = 14_268_000;
const ACTIVE_NS = 12_710_000;
const LINE_NS = 31_778;
const HSYNC_NS = 6_356;

/** Of input status register 1: bit 0, not displaying; bit 3, vertical retrace. */
export function retraceAt(ns: number): number {
  const inFrame = ns % FRAME_NS;
  if (inFrame >= ACTIVE_NS) return 9;
  return inFrame % LINE_NS >= LINE_NS - HSYNC_NS ? 1 : 0;
}
