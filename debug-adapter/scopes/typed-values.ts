/** Values of the guest's program as people see them: by type, from where they lie, with children and edits. */
import { UserError } from '../../emulator/util/assert';
import { hex, shortHex } from '../addresses';
import type { Location, Type } from '../symbols/api';
import type { Node } from './node';
import { parseNumber } from './processor';

/** The guest as a value's reader and writer sees it, in one frame. */
export interface ValueAccess {
  memory(gva: bigint, bytes: number): Uint8Array;
  register(number: number): bigint | undefined;
  writeMemory(gva: bigint, bytes: Uint8Array): void;
  /** By DWARF number; UserError in frames whose registers are not the processor's. */
  writeRegister(number: number, value: bigint): void;
  /** `name+0x12` for code and data addresses. */
  describe(gva: bigint): string | undefined;
  edited(): void;
}

const MAX_STRING = 200;
const SUMMARY_LENGTH = 120;
const NAMED_ELEMENTS = 1000;
/** Summaries look this many levels into structures. */
const SUMMARY_DEPTH = 2;

/** The type behind typedefs and qualifiers. */
export function bare(type: Type): Type {
  let inner = type;
  for (let n = 0; n < 64 && (inner.kind === 'typedef' || inner.kind === 'qualified'); n++) inner = inner.to();
  return inner;
}

/** The bytes of a value, or why there are none. */
export function readLocation(location: Location, bytes: number, access: ValueAccess): Uint8Array | string {
  switch (location.kind) {
    case 'memory': {
      const read = access.memory(location.gva, bytes);
      return read.length < bytes ? `<not mapped: gv:${hex(location.gva)}>` : read;
    }
    case 'register': {
      const value = access.register(location.number);
      return value === undefined ? '<not known in this frame>' : littleEndian(value, bytes);
    }
    case 'value':
      return location.bytes.length >= bytes ? location.bytes.subarray(0, bytes) : padded(location.bytes, bytes);
    case 'pieces': {
      const result = new Uint8Array(bytes);
      let at = 0;
      for (const piece of location.pieces) {
        const part = readLocation(piece.location, piece.bytes, access);
        if (typeof part === 'string') return part;
        result.set(part.subarray(0, Math.max(0, bytes - at)), at);
        at += piece.bytes;
      }
      return result;
    }
    case 'unavailable':
      return `<${location.why}>`;
  }
}

const padded = (bytes: Uint8Array, length: number): Uint8Array => {
  const result = new Uint8Array(length);
  result.set(bytes.subarray(0, length));
  return result;
};

export function littleEndian(value: bigint, bytes: number): Uint8Array {
  const result = new Uint8Array(bytes);
  for (let n = 0, rest = BigInt.asUintN(bytes * 8, value); n < bytes; n++, rest >>= 8n)
    result[n] = Number(rest & 0xffn);
  return result;
}

export function unsignedOf(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let n = bytes.length - 1; n >= 0; n--) value = (value << 8n) | BigInt(bytes[n]!);
  return value;
}

export const writeLocation = (location: Location, bytes: Uint8Array, access: ValueAccess): void => {
  if (location.kind === 'memory') access.writeMemory(location.gva, bytes);
  else if (location.kind === 'register') {
    // What the value does not cover stays, as with a 32-bit variable in a 64-bit register.
    const old = access.register(location.number) ?? 0n;
    const mask = (1n << BigInt(bytes.length * 8)) - 1n;
    access.writeRegister(location.number, (old & ~mask) | unsignedOf(bytes));
  } else throw new UserError('This value is computed or spread over several places and cannot be written.');
};

interface BitField {
  size: number;
  offset: number;
}

const scalarBits = (bytes: Uint8Array, field: BitField | undefined): { value: bigint; bits: number } => {
  const value = unsignedOf(bytes);
  if (field === undefined) return { value, bits: bytes.length * 8 };
  return { value: (value >> BigInt(field.offset)) & ((1n << BigInt(field.size)) - 1n), bits: field.size };
};

/** Text of a value whose bytes are given. */
export function formatValue(type: Type, bytes: Uint8Array, access: ValueAccess, field?: BitField, depth = 0): string {
  const inner = bare(type);
  switch (inner.kind) {
    case 'base':
      return formatBase(inner, bytes, field);
    case 'pointer':
      return formatPointer(inner, unsignedOf(bytes), access, depth);
    case 'enum': {
      const { value, bits } = scalarBits(bytes, field);
      return enumText(inner.values(), value, bits);
    }
    case 'array':
      return formatArray(inner, bytes, access, depth);
    case 'struct':
    case 'union':
    case 'class':
      return formatStruct(inner, bytes, access, depth);
    case 'function':
      return inner.name;
    default:
      return bytes.length === 0 ? 'void' : hex(unsignedOf(bytes), bytes.length * 2);
  }
}

function formatBase(type: Type & { kind: 'base' }, bytes: Uint8Array, field?: BitField): string {
  const { value, bits } = scalarBits(bytes, field);
  switch (type.encoding) {
    case 'boolean':
      return value === 0n ? 'false' : value === 1n ? 'true' : `true (${value})`;
    case 'signed':
      return `${BigInt.asIntN(bits, value)}`;
    case 'char':
    case 'unsigned-char': {
      const number = type.encoding === 'char' ? BigInt.asIntN(bits, value) : value;
      return value >= 0x20n && value < 0x7fn ? `${number} '${String.fromCharCode(Number(value))}'` : `${number}`;
    }
    case 'float': {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      if (bytes.length === 4) return `${view.getFloat32(0, true)}`;
      if (bytes.length === 8) return `${view.getFloat64(0, true)}`;
      return hex(value, bytes.length * 2);
    }
    case 'address':
      return hex(value, bytes.length * 2);
    default:
      return `${value}`;
  }
}

/** One name, or flags joined by `|` where that adds up. */
function enumText(values: { name: string; value: bigint }[], value: bigint, bits: number): string {
  const equal = (a: bigint): boolean => BigInt.asUintN(bits, a) === value;
  const exact = values.find((each) => equal(each.value));
  if (exact !== undefined) return `${exact.name} (${exact.value})`;
  const parts = values.filter((each) => each.value > 0n && (each.value & value) === each.value);
  const sum = parts.reduce((all, each) => all | each.value, 0n);
  return sum === value && parts.length > 0 ? `${parts.map((each) => each.name).join(' | ')} (${value})` : `${value}`;
}

const isCharacter = (type: Type): boolean => {
  const inner = bare(type);
  return (
    inner.kind === 'base' && inner.bytes === 1 && (inner.encoding === 'char' || inner.encoding === 'unsigned-char')
  );
};

const quoted = (bytes: Uint8Array): string => {
  const end = bytes.indexOf(0);
  const text = new TextDecoder('latin1').decode(end < 0 ? bytes : bytes.subarray(0, end));
  return JSON.stringify(text) + (end < 0 ? '...' : '');
};

function formatPointer(type: Type & { kind: 'pointer' }, value: bigint, access: ValueAccess, depth: number): string {
  const text = hex(value, type.bytes * 2);
  if (value === 0n) return text;
  const to = type.to();
  if (isCharacter(to) && depth === 0) {
    const bytes = access.memory(value, MAX_STRING);
    return bytes.length === 0 ? `${text} <not mapped>` : `${text} ${quoted(bytes)}`;
  }
  const symbol = access.describe(value);
  return symbol === undefined ? text : `${text} <${symbol}>`;
}

function formatArray(type: Type & { kind: 'array' }, bytes: Uint8Array, access: ValueAccess, depth: number): string {
  const of = type.of();
  if (isCharacter(of)) return quoted(bytes.length > MAX_STRING ? bytes.subarray(0, MAX_STRING) : bytes);
  const count = of.bytes > 0 ? Math.floor(bytes.length / of.bytes) : 0;
  if (depth >= SUMMARY_DEPTH) return `[${count}]`;
  const parts: string[] = [];
  let length = 0;
  for (let n = 0; n < count && length < SUMMARY_LENGTH; n++) {
    const part = formatValue(of, bytes.subarray(n * of.bytes, (n + 1) * of.bytes), access, undefined, depth + 1);
    parts.push(part);
    length += part.length + 2;
  }
  return `[${count}] {${parts.join(', ')}${parts.length < count ? ', ...' : ''}}`;
}

function formatStruct(
  type: Type & { kind: 'struct' | 'union' | 'class' },
  bytes: Uint8Array,
  access: ValueAccess,
  depth: number,
): string {
  if (depth >= SUMMARY_DEPTH) return '{...}';
  const parts: string[] = [];
  let length = 0;
  for (const member of type.members()) {
    if (length >= SUMMARY_LENGTH) {
      parts.push('...');
      break;
    }
    const field = member.bitSize === undefined ? undefined : { size: member.bitSize, offset: member.bitOffset ?? 0 };
    const part = bytes.subarray(member.offset, member.offset + member.type.bytes);
    const text = `${member.name} = ${formatValue(member.type, part, access, field, depth + 1)}`;
    parts.push(text);
    length += text.length + 2;
  }
  return `{${parts.join(', ')}}`;
}

/** Where a part of a value lies. */
function within(location: Location, offset: number, bytes: number, whole: Uint8Array | string): Location {
  if (location.kind === 'memory') return { kind: 'memory', gva: location.gva + BigInt(offset) };
  if (location.kind === 'unavailable') return location;
  if (typeof whole === 'string') return { kind: 'unavailable', why: whole.replace(/^<|>$/g, '') };
  return { kind: 'value', bytes: whole.subarray(offset, offset + bytes) };
}

/** A value as a node of the tree. `path` is an expression that yields it, when there is one. */
export function valueNode(
  name: string,
  type: Type,
  location: Location,
  access: ValueAccess,
  path: string | undefined,
  field?: BitField,
): Node {
  const inner = bare(type);
  const bytes = readLocation(location, type.bytes, access);
  const node: Node = {
    name,
    type: type.name,
    value: typeof bytes === 'string' ? bytes : formatValue(type, bytes, access, field),
  };
  if (path !== undefined) node.evaluateName = path;
  if (location.kind === 'memory') {
    node.memory = { gva: location.gva, bytes: type.bytes };
    if (/struct|union|class|array/.test(inner.kind)) node.reference = location.gva;
  }
  if (typeof bytes === 'string') return node;
  if (inner.kind === 'pointer') pointerParts(node, inner, unsignedOf(bytes), access, path);
  else if (inner.kind === 'array') node.children = arrayChildren(inner, location, bytes, access, path);
  else if (inner.kind === 'struct' || inner.kind === 'union' || inner.kind === 'class') {
    node.children = { list: () => memberNodes(inner, location, bytes, access, path) };
  }
  if (/base|pointer|enum/.test(inner.kind)) {
    node.set = (text) => {
      writeLocation(location, parseValue(inner, text, bytes, field), access);
      access.edited();
    };
  }
  return node;
}

function pointerParts(
  node: Node,
  type: Type & { kind: 'pointer' },
  value: bigint,
  access: ValueAccess,
  path?: string,
): void {
  node.reference = value;
  const to = type.to();
  const inner = bare(to);
  if (value === 0n || inner.kind === 'void' || inner.kind === 'function' || access.memory(value, 1).length === 0)
    return;
  const target: Location = { kind: 'memory', gva: value };
  const inside = path === undefined ? undefined : `(*${path})`;
  if (inner.kind === 'struct' || inner.kind === 'union' || inner.kind === 'class') {
    node.children = {
      list: () => {
        const bytes = readLocation(target, to.bytes, access);
        return memberNodes(inner, target, bytes, access, inside);
      },
    };
  } else node.children = { list: () => [valueNode(`*${node.name}`, to, target, access, inside)] };
}

const memberNodes = (
  type: Type & { kind: 'struct' | 'union' | 'class' },
  location: Location,
  bytes: Uint8Array | string,
  access: ValueAccess,
  path: string | undefined,
): Node[] =>
  type.members().map((member) => {
    const at = within(location, member.offset, member.type.bytes, bytes);
    const field = member.bitSize === undefined ? undefined : { size: member.bitSize, offset: member.bitOffset ?? 0 };
    const name = member.name === '' ? '<anonymous>' : member.name;
    const inner = path === undefined ? undefined : member.name === '' ? path : `${path}.${member.name}`;
    return valueNode(name, member.type, at, access, inner, field);
  });

function arrayChildren(
  type: Type & { kind: 'array' },
  location: Location,
  bytes: Uint8Array,
  access: ValueAccess,
  path: string | undefined,
): Node['children'] {
  const of = type.of();
  const count = type.count ?? (of.bytes > 0 ? Math.floor(type.bytes / of.bytes) : 0);
  return {
    indexed: count,
    list: (start = 0, wanted = NAMED_ELEMENTS) =>
      Array.from({ length: Math.max(0, Math.min(wanted, count - start)) }, (_, n) => {
        const index = start + n;
        const at = within(location, index * of.bytes, of.bytes, bytes);
        return valueNode(`[${index}]`, of, at, access, path === undefined ? undefined : `${path}[${index}]`);
      }),
  };
}

/** What the user typed, as the bytes of a value of this type. `old` supplies the bits around a bit field. */
export function parseValue(type: Type, text: string, old: Uint8Array, field?: BitField): Uint8Array {
  const inner = bare(type);
  const bytes = old.length;
  const bits = field?.size ?? bytes * 8;
  let value: bigint;
  const enumerator = inner.kind === 'enum' ? inner.values().find((each) => each.name === text.trim()) : undefined;
  const character = /^\s*'(.)'\s*$/.exec(text);
  if (enumerator !== undefined) value = enumerator.value;
  else if (character !== null) value = BigInt(character[1]!.charCodeAt(0));
  else if (inner.kind === 'base' && inner.encoding === 'float') return floatBytes(text, bytes);
  else if (inner.kind === 'base' && inner.encoding === 'boolean' && /^\s*(true|false)\s*$/.test(text)) {
    value = text.trim() === 'true' ? 1n : 0n;
  } else value = parseNumber(text.trim().split(/[\s<]/)[0]!, bits, `a value of type ${type.name}`);
  if (field === undefined) return littleEndian(value, bytes);
  const mask = ((1n << BigInt(field.size)) - 1n) << BigInt(field.offset);
  return littleEndian((unsignedOf(old) & ~mask) | ((value << BigInt(field.offset)) & mask), bytes);
}

function floatBytes(text: string, bytes: number): Uint8Array {
  const value = Number(text);
  if (text.trim() === '' || (Number.isNaN(value) && text.trim() !== 'NaN') || (bytes !== 4 && bytes !== 8)) {
    throw new UserError(`'${text}' is not a number of ${bytes} bytes; give one as 1.5 or -2e3.`);
  }
  const view = new DataView(new ArrayBuffer(bytes));
  if (bytes === 4) view.setFloat32(0, value, true);
  else view.setFloat64(0, value, true);
  return new Uint8Array(view.buffer);
}

/** A value without a type: what a register or a plain number says. */
export const untyped = (value: bigint): string =>
  value >= 0n && value < 10n ? `${value}` : `${value} (${shortHex(BigInt.asUintN(64, value))})`;
