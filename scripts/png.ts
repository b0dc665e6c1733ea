/** Pictures of an editor have few colours: a PNG of 8 bits a pixel, by a palette, is half as large as the browser's of 24 or 32. */
import { crc32, deflateSync, inflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const MAX_COLOURS = 256;
/** Kept in any case: backgrounds differ little. */
const FREQUENT = 128;

interface Image {
  width: number;
  height: number;
  /** 0xRRGGBB of each pixel. */
  pixels: Uint32Array;
}

/** PNG specification, section 5: a length, a type, the data, and a CRC of the last two. */
function chunk(type: string, data: Uint8Array): Buffer {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(typed));
  return Buffer.concat([length, typed, check]);
}

/** What browsers write: 8 bits a channel, RGB or RGBA, not interlaced. */
export function decode(png: Buffer): Image {
  let [width, height, channels] = [0, 0, 0];
  const data: Buffer[] = [];
  for (let at = SIGNATURE.length; at < png.length; ) {
    const length = png.readUInt32BE(at);
    const body = png.subarray(at + 8, at + 8 + length);
    const type = png.toString('latin1', at + 4, at + 8);
    if (type === 'IHDR') {
      [width, height] = [body.readUInt32BE(0), body.readUInt32BE(4)];
      channels = { 2: 3, 6: 4 }[body[9]!] ?? 0;
      if (body[8] !== 8 || channels === 0 || body[12] !== 0) throw new Error('a PNG of another kind than browsers write');
    } else if (type === 'IDAT') data.push(body);
    at += length + 12;
  }
  const bytes = unfiltered(inflateSync(Buffer.concat(data)), width * channels, height, channels);
  const pixels = Uint32Array.from({ length: width * height }, (_, n) => bytes.readUIntBE(n * channels, 3));
  return { width, height, pixels };
} // prettier-ignore

/** Section 9: each line begins with the number of its filter. */
function unfiltered(raw: Buffer, stride: number, height: number, channels: number): Buffer {
  const out = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)];
    for (let x = 0; x < stride; x++) {
      const at = y * stride + x;
      const left = x >= channels ? out[at - channels]! : 0;
      const above = y > 0 ? out[at - stride]! : 0;
      const corner = x >= channels && y > 0 ? out[at - stride - channels]! : 0;
      const predicted = [0, left, above, (left + above) >> 1, paeth(left, above, corner)][filter!]!;
      out[at] = raw[y * (stride + 1) + 1 + x]! + predicted;
    }
  }
  return out;
}

function paeth(left: number, above: number, corner: number): number {
  const p = left + above - corner;
  const [a, b, c] = [Math.abs(p - left), Math.abs(p - above), Math.abs(p - corner)];
  return a <= b && a <= c ? left : b <= c ? above : corner;
}

/** Squared, of two colours that nobody tells apart where one of them is rare. */
const ALIKE = 108;

/** Where there are too many, the most frequent, and of the others those that can be told apart; what is left becomes the nearest of them. */
export function encode({ width, height, pixels }: Image): Buffer {
  const counts = new Map<number, number>();
  for (const pixel of pixels) counts.set(pixel, (counts.get(pixel) ?? 0) + 1);
  const palette: number[] = [];
  for (const [colour] of [...counts].sort((a, b) => b[1] - a[1])) {
    if (palette.length === MAX_COLOURS) break;
    const kept = counts.size <= MAX_COLOURS || palette.length < FREQUENT;
    if (kept || palette.every((each) => distance(each, colour) > ALIKE)) palette.push(colour);
  }
  const indices = new Map(palette.map((colour, index) => [colour, index]));
  for (const colour of counts.keys()) if (!indices.has(colour)) indices.set(colour, nearest(palette, colour));
  const lines = Buffer.alloc((width + 1) * height);
  pixels.forEach((pixel, n) => (lines[n + Math.floor(n / width) + 1] = indices.get(pixel)!));
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3], 8);
  const colours = Buffer.alloc(palette.length * 3);
  palette.forEach((colour, index) => colours.writeUIntBE(colour, index * 3, 3));
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('PLTE', colours),
    chunk('IDAT', deflateSync(lines, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

const distance = (a: number, b: number): number =>
  [16, 8, 0].reduce((sum, shift) => sum + (((a >> shift) & 255) - ((b >> shift) & 255)) ** 2, 0);

function nearest(palette: readonly number[], colour: number): number {
  let best = 0;
  palette.forEach((each, index) => {
    if (distance(each, colour) < distance(palette[best]!, colour)) best = index;
  });
  return best;
}
