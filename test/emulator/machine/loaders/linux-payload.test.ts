/** What a bzImage holds, in each way that kernels are packed in. */
import assert from 'node:assert/strict';
import { gzipSync } from 'node:zlib';
import { linuxPayload } from '../../../../emulator/machine/loaders/linux-payload';
import { UserError } from '../../../../emulator/util/assert';
import { bzImage } from './images';

const KERNEL = new TextEncoder().encode(`\x7fELF${'a kernel that repeats itself, '.repeat(200)}`);
/** `zstd -19` of it. */
const ZSTD = 'KLUv/QRoXQEAJAJ/RUxGYSBrZXJuZWwgdGhhdCByZXBlYXRzIGl0c2VsZiwgAQB6utCrJ0i6RqQ=';

/** `payload` behind an image whose header says where. */
function packed(payload: Uint8Array): Uint8Array {
  const before = bzImage({ version: 0x20f });
  const file = new Uint8Array(before.length + payload.length);
  file.set(before);
  file.set(payload, before.length);
  const view = new DataView(file.buffer);
  const setupBytes = ((file[0x1f1] || 4) + 1) * 512;
  view.setUint32(0x248, before.length - setupBytes, true);
  view.setUint32(0x24c, payload.length, true);
  return file;
}
const size = Buffer.alloc(4);
size.writeUInt32LE(KERNEL.length);

describe('a kernel inside a bzImage', () => {
  const ROWS: [name: string, payload: Uint8Array][] = [
    ['as it is', KERNEL],
    ['gzip, as the kernel has it by itself', gzipSync(KERNEL)],
    ['zstd, as Debian 13 and Fedora have it', Buffer.concat([Buffer.from(ZSTD, 'base64'), size])],
  ];
  for (const [name, payload] of ROWS)
    it(name, () => assert.deepEqual(Buffer.from(linuxPayload('bzImage', packed(payload))), Buffer.from(KERNEL)));

  for (const [name, payload] of ROWS.slice(1))
    it(`damage of ${name} is told, wherever it is, and nothing else is thrown`, () => {
      // Nobody notices that zstd's has fewer bytes than the size behind it says: they become zeros.
      const looked = name.startsWith('zstd') ? payload.length - size.length : payload.length;
      for (let at = 4; at < looked; at++) {
        const bad = Uint8Array.from(payload);
        bad[at]! ^= 0xff;
        try {
          assert.equal(linuxPayload('bzImage', packed(bad)).length, KERNEL.length, 'no more than is said');
        } catch (error) {
          assert.ok(error instanceof UserError, `${at}: ${error}`);
          assert.match(error.message, /^bzImage: its \w+ data is damaged \(.+\); build or download it again\.$/);
        }
      }
    });

  it('packed otherwise: what is known is said', () => {
    const refused = /gzip, xz, zstd are\); give the vmlinux itself/;
    assert.throws(() => linuxPayload('bzImage', packed(Buffer.from('BZh9 and more'))), refused);
  });
});
