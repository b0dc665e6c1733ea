/** Compressed files as kernels are packed, by the bytes that they begin with. */
import { gunzipSync } from 'fflate';
import { decompress as unzstd } from 'fzstd';
import { UserError } from './assert';
import { unxz } from './xz';

/** To `bytes` bytes. UserError: `name` is damaged, or has not as many; zstd alone fills up with zeros where there are fewer. */
type Unpack = (name: string, packed: Uint8Array, bytes: number) => Uint8Array;

const MOST_BYTES = 1 << 28;

/** gzip is the Linux kernel's own choice, the others are distributions'. */
export const PACKERS: readonly { name: string; magic: string; unpack: Unpack }[] = [
  {
    name: 'gzip',
    magic: '\x1f\x8b',
    unpack: sized('gzip', (packed, bytes) => gunzipSync(packed, { out: new Uint8Array(bytes) })),
  },
  { name: 'xz', magic: '\xfd7zXZ\0', unpack: sized('xz', (packed, _bytes, name) => unxz(name, packed)) },
  // Told where to, because otherwise the library moves its window at every block.
  {
    name: 'zstd',
    magic: '\x28\xb5\x2f\xfd',
    unpack: sized('zstd', (packed, bytes) => unzstd(packed, new Uint8Array(bytes))),
  },
];

/** A library may throw anything for what is damaged. */
function sized(how: string, unpack: (packed: Uint8Array, bytes: number, name: string) => Uint8Array): Unpack {
  return (name, packed, bytes) => {
    const damaged = (why: string): UserError => new UserError(`${name}: its ${how} data is damaged (${why}); build or download it again.`); // prettier-ignore
    if (bytes > MOST_BYTES) throw damaged(`it would be ${bytes} bytes`);
    let found: Uint8Array;
    try {
      found = unpack(packed, bytes, name);
    } catch (error) {
      throw error instanceof UserError ? error : damaged((error as Error).message);
    }
    if (found.length !== bytes) throw damaged(`${found.length} bytes instead of ${bytes}`);
    return found;
  };
}
