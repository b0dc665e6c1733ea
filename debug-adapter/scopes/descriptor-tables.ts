/** GDT, LDT, IDT and TSS in guest memory, decoded (SDM vol. 3A 3.4.5, 6.11, 6.14.1, 7.2.1, 7.7). */
import type { Inspector } from '../../emulator/machine/api';
import type { StructureNode } from '../../emulator/machine/inspect-api';
import { vectorName } from '../../emulator/x86/registers';
import { hex, shortHex } from '../addresses';
import { vectorTitle } from '../trap-explanation';
import { describeSegment } from './processor';

export interface TableView {
  inspect: Inspector;
  cpu: number;
  describe(gva: bigint): string | undefined;
}

const EFER_LMA = 1n << 10n;
const MAX_DESCRIPTORS = 8192;
const GATES: Readonly<Record<number, string>> = { 4: '16-bit call gate', 5: 'task gate', 6: '16-bit interrupt gate', 7: '16-bit trap gate', 12: 'call gate', 14: 'interrupt gate', 15: 'trap gate' }; // prettier-ignore

const register = ({ inspect, cpu }: TableView, name: string): bigint => inspect.registers(cpu).get(name) ?? 0n;
const isLong = (view: TableView): boolean => (register(view, 'efer') & EFER_LMA) !== 0n;
function read(view: TableView, gva: bigint, bytes: number): DataView {
  const found = view.inspect.readVirtual(view.cpu, gva, bytes);
  return new DataView(found.buffer, found.byteOffset, found.byteLength);
}

/** Bytes that lie in guest memory can be edited there. */
const inMemory = (gva: bigint, bytes: keyof typeof TYPES = 8): string => `*(${TYPES[bytes]} *)gv:${hex(gva)}`;
const TYPES = { 2: 'unsigned short', 4: 'unsigned int', 8: 'unsigned long long' } as const;

interface Descriptor {
  base: bigint;
  limit: bigint;
  /** As RegisterFile has them: access byte, and flags from bit 12 on. */
  attributes: bigint;
  system: boolean;
  type: number;
}
function descriptorOf(raw: bigint, high: bigint): Descriptor {
  const access = (raw >> 40n) & 0xffn;
  const flags = (raw >> 52n) & 0xfn;
  const limit = (raw & 0xffffn) | (((raw >> 48n) & 0xfn) << 16n);
  return {
    base: ((raw >> 16n) & 0xff_ffffn) | ((raw >> 56n) << 24n) | (high << 32n),
    limit: flags & 8n ? (limit << 12n) | 0xfffn : limit,
    attributes: access | (flags << 12n),
    system: (access & 0x10n) === 0n,
    type: Number(access & 0xfn),
  };
}
/** Offset, selector and rights of a gate. `high`: what follows in long mode. */
function gateText(view: TableView, raw: bigint, high: bigint): string {
  const offset = (raw & 0xffffn) | ((raw >> 48n) << 16n) | ((high & 0xffff_ffffn) << 32n);
  const type = Number((raw >> 40n) & 0xfn);
  const ist = (raw >> 32n) & 7n;
  const symbol = view.describe(offset);
  const stack = isLong(view) && ist ? `, IST ${ist}` : '';
  const target = `${shortHex((raw >> 16n) & 0xffffn)}:${shortHex(offset)}${symbol === undefined ? '' : ` <${symbol}>`}`;
  const present = raw & (1n << 47n) ? '' : ', not present';
  return `${GATES[type] ?? `type ${type}`} to ${target}, DPL ${(raw >> 45n) & 3n}${stack}${present}`;
}

/** Null descriptors are left out, but for the first. */
function descriptors(view: TableView, base: bigint, limit: number, inTable: number): StructureNode[] {
  const memory = read(view, base, Math.min(limit + 1, MAX_DESCRIPTORS * 8));
  const nodes: StructureNode[] = [];
  for (let at = 0; at + 8 <= memory.byteLength; at += 8) {
    const raw = memory.getBigUint64(at, true);
    if (raw === 0n) continue;
    const first = descriptorOf(raw, 0n);
    // In long mode system descriptors have 16 bytes.
    const wide = isLong(view) && first.system && at + 16 <= memory.byteLength;
    const high = wide ? memory.getBigUint64(at + 8, true) & 0xffff_ffffn : 0n;
    const { attributes, limit: bytes, base: start } = descriptorOf(raw, high);
    const gate = first.system && first.type in GATES && first.type !== 5;
    const text = gate ? gateText(view, raw, high) : describeSegment(BigInt(at | inTable), attributes, bytes, start);
    nodes.push({ name: shortHex(at | inTable), value: hex(raw), text, editable: inMemory(base + BigInt(at)) });
    if (wide) at += 8;
  }
  return nodes;
}

export function globalTable(view: TableView): StructureNode {
  const [base, limit] = [register(view, 'gdtr.base'), register(view, 'gdtr.limit')];
  return { name: 'GDT', value: `gv:${hex(base)}`, text: `limit ${shortHex(limit)}`, children: descriptors(view, base, Number(limit), 0) };
} // prettier-ignore
export function localTable(view: TableView): StructureNode {
  const selector = register(view, 'ldtr');
  if ((selector & 0xfffcn) === 0n) return { name: 'LDT', text: 'none: LDTR holds a null selector' };
  const [base, limit] = [register(view, 'ldtr.base'), register(view, 'ldtr.limit')];
  return { name: 'LDT', value: `gv:${hex(base)}`, text: `selector ${shortHex(selector)}, limit ${shortHex(limit)}`, children: descriptors(view, base, Number(limit), 4) };
} // prettier-ignore

export function interruptTable(view: TableView): StructureNode {
  const [base, limit] = [register(view, 'idtr.base'), register(view, 'idtr.limit')];
  const node: StructureNode = { name: 'IDT', value: `gv:${hex(base)}`, text: `limit ${shortHex(limit)}` };
  if (view.inspect.mode(view.cpu) === 'real') return { ...node, text: `${node.text}, real mode: vectors of segment and offset` };
  const size = isLong(view) ? 16 : 8;
  const memory = read(view, base, Math.min(Number(limit) + 1, 256 * size));
  const children: StructureNode[] = [];
  for (let vector = 0; (vector + 1) * size <= memory.byteLength; vector++) {
    const raw = memory.getBigUint64(vector * size, true);
    if (raw === 0n) continue;
    const high = size === 16 ? memory.getBigUint64(vector * size + 8, true) : 0n;
    const name = vector < 32 ? `${vector} ${vectorName(vector)} ${vectorTitle(vector)}` : `${vector}`;
    children.push({ name, value: hex(raw), text: gateText(view, raw, high), editable: inMemory(base + BigInt(vector * size)) });
  }
  return { ...node, children };
} // prettier-ignore

export function taskState(view: TableView): StructureNode {
  const selector = register(view, 'tr');
  const [base, limit] = [register(view, 'tr.base'), register(view, 'tr.limit')];
  const node: StructureNode = { name: 'TSS', value: `gv:${hex(base)}`, text: `selector ${shortHex(selector)}, limit ${shortHex(limit)}` };
  if ((selector & 0xfffcn) === 0n) return { name: 'TSS', text: 'none: TR holds a null selector' };
  const memory = read(view, base, 104);
  const wide = isLong(view);
  const field = (name: string, offset: number, bytes: 2 | 4 | 8): StructureNode[] => {
    if (offset + bytes > memory.byteLength) return [];
    const value = bytes === 8 ? memory.getBigUint64(offset, true) : BigInt(bytes === 4 ? memory.getUint32(offset, true) : memory.getUint16(offset, true));
    const symbol = bytes === 2 ? undefined : view.describe(value);
    const editable = inMemory(base + BigInt(offset), bytes);
    return [{ name, value: hex(value, bytes * 2), ...(symbol === undefined ? {} : { text: symbol }), editable }];
  };
  const fields = wide
    ? [...[0, 1, 2].flatMap((n) => field(`RSP${n}`, 4 + n * 8, 8)), ...[1, 2, 3, 4, 5, 6, 7].flatMap((n) => field(`IST${n}`, 28 + n * 8, 8))]
    : [...field('link', 0, 2), ...[0, 1, 2].flatMap((n) => [...field(`ESP${n}`, 4 + n * 8, 4), ...field(`SS${n}`, 8 + n * 8, 2)]), ...field('CR3', 28, 4), ...field('EIP', 32, 4), ...field('EFLAGS', 36, 4)];
  return { ...node, children: [...fields, ...field('I/O map base', 102, 2)] };
} // prettier-ignore
