/** Base types. DWARF 5 section 5.1. */
import type { Type } from './api';
import { AT, ATE } from './dwarf-constants';
import type { Entry } from './entries';

export const base = (entry: Entry): Type => {
  const name = entry.string(AT.name) ?? '(no name)';
  const bytes = entry.number(AT.byte_size) ?? Math.ceil((entry.number(AT.bit_size) ?? 0) / 8);
  const encoding = entry.number(AT.encoding);
  switch (encoding) {
    case ATE.complex_float: {
      const part: Type = {
        kind: 'base',
        name: bytes === 8 ? 'float' : bytes === 16 ? 'double' : 'long double',
        bytes: bytes / 2,
        encoding: 'float',
      };
      const members = [{ name: 'real', type: part, offset: 0 }, { name: 'imaginary', type: part, offset: bytes / 2 }]; // prettier-ignore
      return { kind: 'struct', name, tag: name, bytes, members: () => members };
    }
    case ATE.float:
    case ATE.imaginary_float:
      return { kind: 'base', name, bytes, encoding: 'float' };
    case ATE.boolean:
      return { kind: 'base', name, bytes, encoding: 'boolean' };
    case ATE.signed:
      return { kind: 'base', name, bytes, encoding: 'signed' };
    case ATE.signed_char:
      return { kind: 'base', name, bytes, encoding: 'char' };
    case ATE.unsigned_char:
      return { kind: 'base', name, bytes, encoding: 'unsigned-char' };
    case ATE.address:
      return { kind: 'base', name, bytes, encoding: 'address' };
    default:
      return { kind: 'base', name, bytes, encoding: 'unsigned' };
  }
};
