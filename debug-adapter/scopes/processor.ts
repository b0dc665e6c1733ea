/** Registers of one processor as a tree, decoded as far as people want to read them, editable. */
import type { Inspector, RegisterFile } from '../../emulator/machine/api';
import { UserError } from '../../emulator/util/assert';
import { hex, shortHex, type Address } from '../addresses';
import { describeBits, FIELDS, fieldValue, withField, type Field } from './bits';
import { group, type Node } from './node';

/** Values by name for a frame further up, where only some registers are known; absent: the processor's own. */
export type Override = (name: string) => bigint | undefined | 'unknown';

export interface ProcessorView {
  inspect: Inspector;
  cpu: number;
  /** What `0x401000` is, for values that are addresses: `main+0x10`. */
  describe(gva: bigint): string | undefined;
  /** Called after an edit. */
  edited(): void;
}

/** A number as people type it: decimal, 0x, 0b, 0o, negative. `bits` is the register's width. */
export function parseNumber(text: string, bits: number, what: string): bigint {
  const match = /^\s*(-?)(0x[0-9a-f_]+|0b[01_]+|0o[0-7_]+|[0-9_]+)\s*$/i.exec(text);
  if (match === null) throw new UserError(`'${text}' is not a number; give ${what} as 123, 0x7b or 0b1111011.`);
  const magnitude = BigInt(match[2]!.replaceAll('_', ''));
  const value = match[1] === '-' ? -magnitude : magnitude;
  if (value >= 1n << BigInt(bits) || value < -(1n << BigInt(bits - 1))) {
    throw new UserError(`${text.trim()} does not fit ${what}, which has ${bits} bits.`);
  }
  return BigInt.asUintN(bits, value);
}

const WIDTHS: Record<string, number> = {
  mxcsr: 32,
  fcw: 16,
  fsw: 16,
  rflags: 64,
  eflags: 32,
  rip: 64,
  eip: 32,
  iopl: 2,
};

/** How many bits a register of that name has. */
export function registerBits(name: string, file: RegisterFile): number {
  if (name in WIDTHS) return WIDTHS[name]!;
  if (file.groups.flags.includes(name)) return 1;
  if (/^xmm/.test(name)) return 128;
  if (/^st\d/.test(name)) return 80;
  if (/^([cdefgs]s|ldtr|tr)$/.test(name)) return 16;
  if (/\.(limit|attributes)$/.test(name)) return 32;
  if (/^([abcd][lh]|[sd]il|[sb]pl|r\d+b)$/.test(name)) return 8;
  if (/^([abcd]x|[sd]i|[sb]p|r\d+w)$/.test(name)) return 16;
  if (/^(e[abcd]x|e[sd]i|e[sb]p|r\d+d)$/.test(name)) return 32;
  return 64;
}

const gv = (value: bigint): Address => ({ space: 'gv', value });

function registerNode(view: ProcessorView, file: RegisterFile, name: string, value: bigint, note = ''): Node {
  const bits = registerBits(name, file);
  return {
    name,
    value: hex128(value, bits / 4) + (note === '' ? '' : ` ${note}`),
    evaluateName: `$${name}`,
    ...(file.groups.general.includes(name) && name !== 'rflags' ? { reference: gv(value) } : {}),
    set: (text) => {
      const parsed = parseNumber(text.split(/[\s<[]/)[0] ?? text, bits, name);
      if (!file.set(name, parsed)) throw new UserError(`${name} cannot be written.`);
      view.edited();
    },
  };
}

const hex128 = (value: bigint, digits: number): string => `0x${value.toString(16).padStart(digits, '0')}`;

/** One node for each register of a group that the machine has. */
function plain(view: ProcessorView, names: readonly string[], note: (name: string, value: bigint) => string): Node[] {
  const file = view.inspect.registers(view.cpu);
  return names.flatMap((name) => {
    const value = file.get(name);
    return value === undefined ? [] : [registerNode(view, file, name, value, note(name, value))];
  });
}

const symbolNote =
  (view: ProcessorView) =>
  (_: string, value: bigint): string => {
    const symbol = value < 0x1000n ? undefined : view.describe(value);
    return symbol === undefined ? '' : `<${symbol}>`;
  };

/** General registers; in frames further up as far as they are known there. */
export function generalRegisters(view: ProcessorView, override?: Override): Node[] {
  const { inspect, cpu } = view;
  const file = inspect.registers(cpu);
  const wide = inspect.mode(cpu) === 'long';
  const names = wide ? file.groups.general : file.groups.general.filter((name) => !/^r\d/.test(name)).map(narrow);
  if (override === undefined) return plain(view, names, symbolNote(view));
  return names.map((name): Node => {
    const value = override(name);
    if (value === undefined || value === 'unknown') return { name, value: '<not known in this frame>' };
    const symbol = symbolNote(view)(name, value);
    return {
      name,
      value: `${hex(value, registerBits(name, file) / 4)}${symbol && ` ${symbol}`}`,
      reference: gv(value),
    };
  });
}

const narrow = (name: string): string => name.replace(/^r/, 'e');

/** Descriptor type in words (SDM vol. 3A tables 3-1 and 3-2). */
export function describeSegment(selector: bigint, attributes: bigint, limit: bigint, base: bigint): string {
  const a = Number(attributes);
  if (a & (1 << 16)) return `null selector ${shortHex(selector)}`;
  const dpl = (a >> 5) & 3;
  const size = a & (1 << 13) ? '64-bit' : a & (1 << 14) ? '32-bit' : '16-bit';
  let what: string;
  if (a & 0x10) {
    what =
      a & 8
        ? `${size} code ${a & 2 ? 'execute/read' : 'execute'}${a & 4 ? ' conforming' : ''}`
        : `${a & (1 << 14) ? '32-bit' : '16-bit'} data ${a & 2 ? 'read/write' : 'read'}${a & 4 ? ' expand-down' : ''}`;
  } else {
    what =
      { 2: 'LDT', 1: '16-bit TSS', 3: 'busy 16-bit TSS', 9: 'TSS', 11: 'busy TSS' }[a & 15] ?? `system type ${a & 15}`;
  }
  const present = a & 0x80 ? '' : ', not present';
  return `${what}, base ${shortHex(base)}, limit ${shortHex(limit)}, DPL ${dpl}${present}`;
}

export function segmentRegisters(view: ProcessorView): Node[] {
  const file = view.inspect.registers(view.cpu);
  const names = file.groups.segment.filter((name) => !name.includes('.'));
  const segments = names.map((name): Node => {
    const [selector, base, limit, attributes] = [name, `${name}.base`, `${name}.limit`, `${name}.attributes`].map(
      (part) => file.get(part) ?? 0n,
    ) as [bigint, bigint, bigint, bigint];
    const node = registerNode(view, file, name, selector, describeSegment(selector, attributes, limit, base));
    const index = shortHex(selector >> 3n);
    const parts = [`${name}.base`, `${name}.limit`, `${name}.attributes`];
    const selectorText = `index ${index}, ${selector & 4n ? 'LDT' : 'GDT'}, RPL ${selector & 3n}`;
    node.children = { list: () => [{ name: 'selector', value: selectorText }, ...plain(view, parts, () => '')] };
    return node;
  });
  const tables = ['gdtr', 'idtr'].map((name): Node => {
    const base = file.get(`${name}.base`) ?? 0n;
    const limit = file.get(`${name}.limit`) ?? 0n;
    const list = (): Node[] => plain(view, [`${name}.base`, `${name}.limit`], () => '');
    return { name, value: `base ${hex(base)}, limit ${shortHex(limit)}`, reference: gv(base), children: { list } };
  });
  return [...segments, ...tables];
}

/** A register with its bits as children, each editable. */
function bitRegister(view: ProcessorView, name: string, fields: readonly Field[]): Node[] {
  const file = view.inspect.registers(view.cpu);
  const value = file.get(name);
  if (value === undefined) return [];
  const node = registerNode(view, file, name, value, describeBits(value, fields));
  node.children = { list: () => fields.map((field) => fieldNode(view, name, field)) };
  return [node];
}

function fieldNode(view: ProcessorView, register: string, field: Field): Node {
  const file = view.inspect.registers(view.cpu);
  const whole = file.get(register) ?? 0n;
  return {
    name: field.name,
    value: `${fieldValue(whole, field)}`,
    set: (text) => {
      const part = parseNumber(
        text.replace(/^\s*true\s*$/i, '1').replace(/^\s*false\s*$/i, '0'),
        field.width,
        field.name,
      );
      if (!file.set(register, withField(file.get(register) ?? 0n, field, part))) {
        throw new UserError(`${register} cannot be written.`);
      }
      view.edited();
    },
  };
}

function decoded(view: ProcessorView, names: readonly string[], note: (name: string, value: bigint) => string): Node[] {
  return names.flatMap((name) => {
    const fields = FIELDS[name];
    return fields === undefined ? plain(view, [name], note) : bitRegister(view, name, fields);
  });
}

export const controlRegisters = (view: ProcessorView): Node[] => {
  const names = view.inspect.registers(view.cpu).groups.control;
  return decoded(view, names.includes('efer') ? names : [...names, 'efer'], (name, value) =>
    name === 'cr3' ? `tables at gp:${shortHex(value & 0x000f_ffff_ffff_f000n)}` : '',
  );
};

export const debugRegisters = (view: ProcessorView): Node[] =>
  decoded(view, view.inspect.registers(view.cpu).groups.debug, symbolNote(view));

export const flagRegisters = (view: ProcessorView): Node[] => {
  const [whole] = bitRegister(view, 'rflags', FIELDS.rflags!);
  return whole === undefined ? [] : [whole, ...FIELDS.rflags!.map((field) => fieldNode(view, 'rflags', field))];
};

/** x87 stack and control words, vector registers as hexadecimal and as lanes. */
export function vectorRegisters(view: ProcessorView): Node[] {
  const { groups } = view.inspect.registers(view.cpu);
  const x87 = plain(view, groups.x87, (name, value) => (/^st\d/.test(name) ? `= ${extended(value)}` : ''));
  const vectors = plain(view, groups.vector, () => '').map((node) => {
    const value = view.inspect.registers(view.cpu).get(node.name) ?? 0n;
    return /^xmm/.test(node.name) ? { ...node, children: { list: () => lanes(value) } } : node;
  });
  return [...x87, ...vectors];
}

export const systemRegisters = (view: ProcessorView): Node[] =>
  plain(view, view.inspect.registers(view.cpu).groups.system, symbolNote(view));

/** An 80-bit real (SDM vol. 1 section 4.2.2) as a double: close enough to read. */
function extended(value: bigint): string {
  const exponent = Number((value >> 64n) & 0x7fffn);
  const mantissa = value & ((1n << 64n) - 1n);
  const sign = value >> 79n ? -1 : 1;
  if (exponent === 0x7fff) return mantissa << 1n === 1n << 64n ? `${sign < 0 ? '-' : ''}Infinity` : 'NaN';
  return `${mantissa === 0n ? 0 * sign : sign * Number(mantissa) * 2 ** (exponent - 16383 - 63)}`;
}

function lanes(value: bigint): Node[] {
  const view = new DataView(new ArrayBuffer(16));
  view.setBigUint64(0, value & ((1n << 64n) - 1n), true);
  view.setBigUint64(8, value >> 64n, true);
  const list = (count: number, read: (at: number) => number | string): string =>
    Array.from({ length: count }, (_, n) => `${read((n * 16) / count)}`).join(', ');
  return [
    { name: 'double[2]', value: `{${list(2, (at) => view.getFloat64(at, true))}}` },
    { name: 'float[4]', value: `{${list(4, (at) => view.getFloat32(at, true))}}` },
    { name: 'u64[2]', value: `{${list(2, (at) => hex(view.getBigUint64(at, true)))}}` },
    { name: 'i32[4]', value: `{${list(4, (at) => view.getInt32(at, true))}}` },
    { name: 'u8[16]', value: `{${list(16, (at) => view.getUint8(at))}}` },
  ];
}

/** The groups of the scope `Registers`. */
export const registerGroups = (view: ProcessorView, override?: Override): Node[] => [
  group('General', '', () => generalRegisters(view, override)),
  group('Flags', describeBits(view.inspect.registers(view.cpu).get('rflags') ?? 0n, FIELDS.rflags!), () =>
    flagRegisters(view),
  ),
  group('Segment', '', () => segmentRegisters(view)),
  group('Control', '', () => controlRegisters(view)),
  group('Debug', '', () => debugRegisters(view)),
  group('x87 and vector', '', () => vectorRegisters(view)),
  group('System', '', () => systemRegisters(view)),
];
