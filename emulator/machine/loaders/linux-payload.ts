/** The kernel proper inside a bzImage (boot.rst: payload_offset, payload_length), for those who start it without its own loader. */
import { UserError } from '../../util/assert';
import { PACKERS } from '../../util/unpack';
import { isElf } from '../elf';
import { Fields } from './fields';
import { readLinuxHeader } from './linux-header';

const PAYLOAD_OFFSET = 0x248;
const PAYLOAD_LENGTH = 0x24c;
/** The payload's last word: how large the kernel is. In a gzip file it is a part of the format, behind others it was put. */
const SIZE_BYTES = 4;

/** UserError: compressed otherwise than is known here, or damaged. */
export function linuxPayload(name: string, file: Uint8Array): Uint8Array {
  const fields = new Fields(name, file);
  const { setupBytes, version } = readLinuxHeader(fields);
  if (version < 0x208)
    throw new UserError(`${name}: its boot protocol is too old to say where the kernel is (payload_offset, 2.08); give the vmlinux itself.`); // prettier-ignore
  const offset = setupBytes + fields.u32(PAYLOAD_OFFSET, 'setup header field payload_offset');
  const payload = fields.slice(offset, fields.u32(PAYLOAD_LENGTH, 'setup header field payload_length'), 'the payload');
  if (isElf(payload)) return payload;
  const inside = new Fields(name, payload);
  const packer = PACKERS.find(({ magic }) => inside.has(0, magic));
  if (!packer) {
    const known = PACKERS.map((each) => each.name).join(', ');
    throw new UserError(`${name}: its kernel is compressed in a way that is not known here (${known} are); give the vmlinux itself.`); // prettier-ignore
  }
  const end = payload.length - SIZE_BYTES;
  const bytes = inside.u32(end, "the kernel's size");
  return packer.unpack(name, packer.name === 'gzip' ? payload : payload.subarray(0, end), bytes);
}
