/** The kernel proper inside a bzImage (boot.rst: payload_offset, payload_length), for those who start it without its own loader. */
import { UserError } from '../../util/assert';
import { unxz } from '../../util/xz';
import { isElf } from '../elf';
import { Fields } from './fields';
import { readLinuxHeader } from './linux-header';

const PAYLOAD_OFFSET = 0x248;
const PAYLOAD_LENGTH = 0x24c;
const XZ_MAGIC = '\xfd7zXZ\0';

/** UserError: compressed otherwise than is known here, or damaged. */
export function linuxPayload(name: string, file: Uint8Array): Uint8Array {
  const fields = new Fields(name, file);
  const { setupBytes, version } = readLinuxHeader(fields);
  if (version < 0x208)
    throw new UserError(`${name}: its boot protocol is too old to say where the kernel is (payload_offset, 2.08); give the vmlinux itself.`); // prettier-ignore
  const offset = setupBytes + fields.u32(PAYLOAD_OFFSET, 'setup header field payload_offset');
  const payload = fields.slice(offset, fields.u32(PAYLOAD_LENGTH, 'setup header field payload_length'), 'the payload');
  if (isElf(payload)) return payload;
  if (new Fields(name, payload).has(0, XZ_MAGIC)) return unxz(name, payload);
  throw new UserError(`${name}: its kernel is compressed in a way that is not known here (xz is); give the vmlinux itself.`);
} // prettier-ignore
