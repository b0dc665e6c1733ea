/** The pictures' PNGs: the same colours, in fewer bytes. */
import assert from 'node:assert/strict';
import { decode, encode } from '../../scripts/png';

const image = (colours: number): ReturnType<typeof decode> => ({
  width: 40,
  height: 30,
  pixels: Uint32Array.from({ length: 1200 }, (_, n) => (n % colours) * 0x0305),
});

/** A palette's indices are no RGB: what we wrote is read back by its own chunks. */
const palette = (png: Buffer): number => png.readUInt32BE(png.indexOf('PLTE') - 4) / 3;

describe('pictures by a palette', () => {
  for (const colours of [1, 2, 200]) it(`${colours} colours stay`, () => assert.equal(palette(encode(image(colours))), colours)); // prettier-ignore
  it('of more than 256 those stay that differ', () => {
    const many = palette(encode(image(1000)));
    assert(many > 100 && many <= 256, `${many}`);
  });
  it('other kinds are refused', () => assert.throws(() => decode(encode(image(2))), /another kind/));
});
