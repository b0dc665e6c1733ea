/** The bytes of a value, wherever it is. */
import type { Location, Target } from './api';
import { littleEndian, toBytes } from './location-expressions';
import { Unavailable } from './typed-values';

/** Nobody looks at more at once. A damaged file, or the types of a hostile guest, may say that a value is as large as they like. */
const MOST_BYTES = 64 << 20;
/** Of what is put together from pieces: registers, mostly. */
const MOST_PIECED_BYTES = 4096;

/** Fewer bytes than asked where memory ends. Throws Unavailable with the reason when the value is not there. */
export const readLocation = (
  location: Location,
  bytes: number,
  target: Pick<Target, 'memory' | 'register'>,
): Uint8Array => {
  if (!(bytes <= MOST_BYTES)) throw new Unavailable(`a value of ${bytes} bytes is not read`);
  switch (location.kind) {
    case 'memory':
      return target.memory(location.gva, bytes);
    case 'register': {
      const value = target.register(location.number);
      if (value === undefined)
        throw new Unavailable(`register ${location.number} (DWARF number) is not known in this frame`);
      return toBytes(value, bytes);
    }
    case 'value': {
      const padded = new Uint8Array(bytes);
      padded.set(location.bytes.subarray(0, bytes));
      return padded;
    }
    case 'pieces':
      return readPieces(location.pieces, bytes, target);
    case 'unavailable':
      throw new Unavailable(location.why);
  }
};

const readPieces = (
  pieces: Extract<Location, { kind: 'pieces' }>['pieces'],
  bytes: number,
  target: Pick<Target, 'memory' | 'register'>,
): Uint8Array => {
  if (bytes > MOST_PIECED_BYTES) throw new Unavailable(`a value of ${bytes} bytes in pieces is not read`);
  let [value, at] = [0n, 0];
  for (const { location, bytes: size, bits } of pieces) {
    const length = Math.min(bits?.size ?? size * 8, bytes * 8 - at);
    const offset = bits?.offset ?? 0;
    const read = littleEndian(readLocation(location, Math.ceil((offset + length) / 8), target));
    value |= BigInt.asUintN(length, read >> BigInt(offset)) << BigInt(at);
    at += length;
    if (at >= bytes * 8) break;
  }
  return toBytes(value, bytes);
};
