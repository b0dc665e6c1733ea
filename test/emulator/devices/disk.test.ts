import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Disk } from '../../../emulator/devices/disk';
import { contentOf } from './support';

describe('disk', () => {
  it('reads what was written over the image, and leaves the image alone', () => {
    const size = fc.integer({ min: 1, max: 20_000 });
    const write = fc.tuple(fc.nat(20_000), fc.uint8Array({ minLength: 1, maxLength: 6000 }));
    fc.assert(
      fc.property(size, fc.array(write, { maxLength: 8 }), (bytes, writes) => {
        const image = Uint8Array.from({ length: bytes }, (_, i) => i * 7);
        const untouched = image.slice();
        const disk = new Disk('d', contentOf(image), false);
        const model = new Uint8Array(disk.bytes);
        model.set(image);
        for (const [at, data] of writes) {
          const part = data.subarray(0, Math.max(0, disk.bytes - at));
          if (at >= disk.bytes) continue;
          disk.write(at, part);
          model.set(part, at);
        }
        assert.deepEqual(disk.read(0, disk.bytes), model);
        assert.deepEqual(image, untouched);
        const copy = new Disk('d', contentOf(image), false);
        copy.restore(structuredClone(disk.save()));
        assert.deepEqual(copy.read(0, copy.bytes), model);
        const file = image.slice();
        for (const { offset, bytes: changed } of disk.changes()) file.set(changed, offset);
        assert.deepEqual(file, model.slice(0, image.length), 'written back');
      }),
      { numRuns: 60 },
    );
  });
  it('pads the last sector with zeros', () => {
    const disk = new Disk('d', contentOf(Uint8Array.from([1, 2, 3])), true);
    assert.equal(disk.sectors, 1);
    assert.deepEqual(disk.read(0, 5), Uint8Array.from([1, 2, 3, 0, 0]));
  });
  it('is not restored on another image', () => {
    const saved = new Disk('a', contentOf(new Uint8Array(512)), false).save();
    assert.throws(() => new Disk('b', contentOf(new Uint8Array(1024)), false).restore(saved), /another disk than b/);
  });
});
