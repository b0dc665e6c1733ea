/** Values as debuggers show them, and the parts of a value for a tree of variables. */
import type { Member, Type } from '../symbols/api';
import { bare } from './c-types';
import { type Guest, placeInside, readPlace, type Place, type Value, valueAt } from './values';

export interface FormatOptions {
  /** Integers in hexadecimal. */
  hex?: boolean;
  /** Symbol at or before an address. */
  symbolAt?: (gva: bigint) => { name: string; offset: bigint } | undefined;
}

/** Bytes of text that are shown of a string. */
const LONGEST_TEXT = 200;
/** Characters of the one line that shows a structure or an array. */
const LONGEST_LINE = 120;
/** Elements of an array that are read for its line. */
const ELEMENTS_SHOWN = 16;
const DEEPEST = 3;

/** One line. Never throws: what cannot be read is said in angle brackets. */
export const formatValue = (value: Value, guest: Guest, options: FormatOptions = {}): string =>
  format(value, guest, options, 0);

const format = (value: Value, guest: Guest, options: FormatOptions, depth: number): string => {
  if (value.unavailable !== undefined) return `<${value.unavailable.replace(/\.$/, '')}>`;
  if (typeof value.value === 'string') return JSON.stringify(value.value);
  const type = bare(value.type);
  switch (type.kind) {
    case 'struct':
    case 'union':
    case 'class':
      return aggregate(value, type.incomplete ?? false, guest, options, depth);
    case 'array':
      return array(value, guest, options, depth);
    case 'function':
      return value.location?.kind === 'memory' ? pointerText(value.location.address, options) : type.name;
    case 'void':
      return '<void>';
    case 'pointer':
      return pointer(value, type.to(), guest, options);
    case 'enum':
      return enumeration(value.value as bigint | undefined, type, options);
    case 'base':
      return scalar(value.value, type, options);
    default:
      return '<no value>';
  }
};

const scalar = (
  value: bigint | number | undefined,
  type: Extract<Type, { kind: 'base' }>,
  options: FormatOptions,
): string => {
  if (value === undefined) return '<no value>';
  if (typeof value === 'number') return floatText(value, type.bytes);
  if (type.encoding === 'boolean') return value === 0n ? 'false' : value === 1n ? 'true' : `${value}`;
  const number = integerText(value, type.bytes, options);
  if (type.encoding !== 'char' && type.encoding !== 'unsigned-char')
    return type.encoding === 'address' ? hex(value) : number;
  return `${number} ${quote([Number(value & 0xffn)], "'")}`;
};
const floatText = (value: number, bytes: number): string => {
  const text = bytes === 4 ? `${Number(value.toPrecision(9))}` : `${value}`;
  return /^-?\d+$/.test(text) ? (Object.is(value, -0) ? '-0.0' : `${text}.0`) : text;
};
const integerText = (value: bigint, bytes: number, options: FormatOptions): string =>
  options.hex ? hex(BigInt.asUintN(bytes * 8, value)) : `${value}`;
const hex = (value: bigint): string => `0x${value.toString(16)}`;

const enumeration = (
  value: bigint | undefined,
  type: Extract<Type, { kind: 'enum' }>,
  options: FormatOptions,
): string => {
  if (value === undefined) return '<no value>';
  const values = type.values();
  const exact = values.find((v) => v.value === value);
  if (exact) return exact.name;
  // Single bits: flags that were put together.
  const flags = values.filter(
    (v) => v.value > 0n && (v.value & (v.value - 1n)) === 0n && (value & v.value) === v.value,
  );
  const rest = value & ~flags.reduce((sum, v) => sum | v.value, 0n);
  if (value <= 0n || flags.length === 0) return integerText(value, type.bytes, options);
  return [...flags.map((v) => v.name), ...(rest ? [hex(rest)] : [])].join(' | ');
};

const pointerText = (address: bigint, options: FormatOptions): string => {
  const symbol = address === 0n ? undefined : options.symbolAt?.(address);
  if (!symbol) return hex(address);
  return `${hex(address)} <${symbol.name}${symbol.offset === 0n ? '' : `+${symbol.offset}`}>`;
};
const pointer = (value: Value, to: Type, guest: Guest, options: FormatOptions): string => {
  if (typeof value.value !== 'bigint') return '<no value>';
  const text = pointerText(value.value, options);
  if (value.value === 0n || !isCharacter(to)) return text;
  const bytes = guest.read('gv', value.value, LONGEST_TEXT);
  return bytes.length === 0 ? `${text} <not mapped>` : `${text} ${textOf(bytes)}`;
};
const isCharacter = (type: Type): boolean => {
  const t = bare(type);
  return t.kind === 'base' && (t.encoding === 'char' || t.encoding === 'unsigned-char');
};

/** Up to the terminating zero; `...` when there is none. */
const textOf = (bytes: Uint8Array): string => {
  const end = bytes.indexOf(0);
  return `${quote([...(end < 0 ? bytes : bytes.subarray(0, end))], '"')}${end < 0 ? '...' : ''}`;
};
const NAMED: Readonly<Record<number, string>> = {
  0: '\\0',
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  12: '\\f',
  13: '\\r',
  92: '\\\\',
};
const quote = (bytes: number[], mark: string): string => {
  const letters = bytes.map((b) => {
    if (b === mark.charCodeAt(0)) return `\\${mark}`;
    return NAMED[b] ?? (b >= 32 && b < 127 ? String.fromCharCode(b) : `\\${b.toString(8).padStart(3, '0')}`);
  });
  return `${mark}${letters.join('')}${mark}`;
};

const aggregate = (value: Value, incomplete: boolean, guest: Guest, options: FormatOptions, depth: number): string => {
  if (incomplete) return '<incomplete type>';
  if (depth >= DEEPEST) return '{...}';
  const parts: string[] = [];
  let length = 0;
  for (const part of membersOf(value, guest)) {
    const text = `${part.name.startsWith('(') ? '' : `${part.name} = `}${format(part.value, guest, options, depth + 1)}`;
    length += text.length;
    if (length > LONGEST_LINE) {
      parts.push('...');
      break;
    }
    parts.push(text);
  }
  return `{${parts.join(', ')}}`;
};

const array = (value: Value, guest: Guest, options: FormatOptions, depth: number): string => {
  const type = bare(value.type);
  if (type.kind !== 'array' || !value.location) return '<no value>';
  const { count } = type;
  if (count !== undefined && count > 0 && isCharacter(type.of())) return characters(value.location, count, guest);
  if (depth >= DEEPEST) return '{...}';
  const shown = Math.min(count ?? 0, ELEMENTS_SHOWN);
  const parts: string[] = [];
  let length = 0;
  for (let i = 0; i < shown && length <= LONGEST_LINE; i++) {
    const text = format(element(value, type.of(), i, guest), guest, options, depth + 1);
    length += text.length;
    parts.push(text);
  }
  if (parts.length < (count ?? 0)) parts.push('...');
  return `{${parts.join(', ')}}`;
};
const characters = (place: Place, count: number, guest: Guest): string => {
  try {
    const bytes = readPlace(guest, place, Math.min(count, LONGEST_TEXT));
    const end = bytes.indexOf(0);
    return end >= 0 ? textOf(bytes) : `${quote([...bytes], '"')}${count > bytes.length ? '...' : ''}`;
  } catch (error) {
    return `<${(error as Error).message.replace(/\.$/, '')}>`;
  }
};

/** A part of a value: `evaluateName` is an expression for it, given one for the whole. */
export interface Child {
  name: string;
  value: Value;
  evaluateName?: string;
}

/** How many parts there are, for paging: named ones (members) and indexed ones (elements). */
export const childCounts = (value: Value): { named: number; indexed: number } => {
  if (value.unavailable !== undefined && !value.location) return { named: 0, indexed: 0 };
  const type = bare(value.type);
  if (isAggregate(type)) return { named: type.members().length, indexed: 0 };
  if (type.kind === 'array') return { named: 0, indexed: type.count ?? 0 };
  if (type.kind !== 'pointer' || !value.value) return { named: 0, indexed: 0 };
  const to = bare(type.to());
  if (isAggregate(to)) return { named: to.incomplete ? 0 : to.members().length, indexed: 0 };
  return { named: to.kind === 'void' || to.kind === 'function' ? 0 : 1, indexed: 0 };
};

/** Parts from `start` on, at most `count`: members in order, elements, or what a pointer points to. */
export const children = (value: Value, guest: Guest, evaluateName?: string, start = 0, count = Infinity): Child[] => {
  const type = bare(value.type);
  if (isAggregate(type)) return named(membersOf(value, guest), evaluateName, '.').slice(start, start + count);
  if (type.kind === 'array') {
    const end = Math.min(type.count ?? 0, start + count);
    const of = type.of();
    return Array.from({ length: Math.max(0, end - start) }, (_, i) => {
      const name = `[${start + i}]`;
      return {
        name,
        value: element(value, of, start + i, guest),
        ...(evaluateName !== undefined && { evaluateName: `${grouped(evaluateName)}${name}` }),
      };
    });
  }
  if (type.kind !== 'pointer' || typeof value.value !== 'bigint' || value.value === 0n) return [];
  const to = type.to();
  const target = valueAt(guest, to, { kind: 'memory', space: 'gv', address: value.value });
  if (isAggregate(bare(to))) return named(membersOf(target, guest), evaluateName, '->').slice(start, start + count);
  if (bare(to).kind === 'void' || bare(to).kind === 'function') return [];
  const name = evaluateName === undefined ? '*' : `*${grouped(evaluateName)}`;
  return [{ name, value: target, ...(evaluateName !== undefined && { evaluateName: name }) }].slice(
    start,
    start + count,
  );
};

type Aggregate = Extract<Type, { kind: 'struct' | 'union' | 'class' }>;
const isAggregate = (type: Type): type is Aggregate =>
  type.kind === 'struct' || type.kind === 'union' || type.kind === 'class';

const membersOf = (value: Value, guest: Guest): { name: string; anonymous: boolean; value: Value }[] => {
  const type = bare(value.type);
  if (!isAggregate(type) || !value.location) return [];
  const { location } = value;
  return type.members().map((member) => ({
    name: labelOf(member),
    anonymous: member.name === '',
    value: valueAt(guest, member.type, insideOf(location, member)),
  }));
};
const insideOf = (place: Place, member: Member): Place =>
  placeInside(
    place,
    member.offset,
    member.bitSize === undefined ? undefined : { offset: member.bitOffset ?? 0, size: member.bitSize },
  );
const labelOf = (member: Member): string =>
  member.name === '' ? `(anonymous ${bare(member.type).kind})` : member.name;

/** Members of an anonymous member are named as if they were the outer one's: the expression stays the same. */
const named = (
  members: { name: string; anonymous: boolean; value: Value }[],
  evaluateName: string | undefined,
  operator: string,
): Child[] =>
  members.map(({ name, anonymous, value }) => ({
    name,
    value,
    ...(evaluateName !== undefined && !anonymous && { evaluateName: `${grouped(evaluateName)}${operator}${name}` }),
    ...(evaluateName !== undefined &&
      anonymous && { evaluateName: operator === '->' ? `(*${grouped(evaluateName)})` : evaluateName }),
  }));
/** In parentheses where a postfix operator would take less than the whole. */
const grouped = (expression: string): string =>
  /^[\w$.]+(\[\w+\]|->\w+|\.\w+)*$|^\(.*\)$/.test(expression) ? expression : `(${expression})`;

const element = (value: Value, of: Type, index: number, guest: Guest): Value =>
  value.location
    ? valueAt(guest, of, placeInside(value.location, index * of.bytes))
    : { type: of, value: undefined, unavailable: 'no value' };
