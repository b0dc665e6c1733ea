/** Nodes of structures: values as people write them, with their bits. */
import type { StructureNode } from '../../machine/inspect-api';
import { fieldsOfMasks, setFields } from '../../util/bit-fields';
import type { Field } from '../../util/bit-fields';
import { CR0, CR4, EFER, RFLAGS, VECTOR, vectorName } from '../../x86/registers';

export const hex = (value: bigint | number): string => `0x${value.toString(16)}`;

/** Bits of registers that several structures hold. */
export const REGISTER_FIELDS = {
  cr0: fieldsOfMasks(CR0),
  cr4: fieldsOfMasks(CR4),
  efer: fieldsOfMasks(EFER),
  rflags: fieldsOfMasks(RFLAGS),
  exceptions: Object.values(VECTOR).map((vector): Field => ({ name: vectorName(vector), bit: vector, width: 1 })),
} as const;

/**
 * How a field of a control block is changed, as an expression: `field` where it lies in memory, `register` where it stands for one.
 * Undefined: it is not.
 */
export type Editing<Field> = (field: Field | undefined, register: string | undefined) => string | undefined;
const C_TYPES = { 1: 'char', 2: 'short', 4: 'int', 8: 'long long' } as const;
export const inMemory = (gpa: number, bytes: keyof typeof C_TYPES): string =>
  `*(unsigned ${C_TYPES[bytes]} *)gp:${hex(gpa)}`;
/** What is left out has no name for it. */
export const editableBy = (expression: string | undefined): Partial<StructureNode> =>
  expression === undefined ? {} : { editable: expression };

export const valueNode = (name: string, value: bigint | number, more: Partial<StructureNode> = {}): StructureNode => ({
  name,
  value: hex(value),
  ...more,
});
/** A value whose bits have names. */
export function bitsNode(name: string, value: bigint | number, fields: readonly Field[], more: Partial<StructureNode> = {}): StructureNode {
  const bits = setFields(BigInt(value), fields);
  return valueNode(name, value, { ...(bits.length > 0 ? { bits } : {}), ...more });
} // prettier-ignore

const TYPES = ['external interrupt', 'reserved', 'NMI', 'exception', 'software interrupt', 'INT1', 'software exception', 'other event']; // prettier-ignore
/** Interruption information of VT-x (SDM vol. 3C table 25-17), and EVENTINJ of AMD-V, which is the same in its low word. */
export function eventText(info: number): string {
  if (!(info & 0x8000_0000)) return 'none';
  const vector = info & 0xff;
  const type = (info >>> 8) & 7;
  return `${TYPES[type]} ${type === 3 ? vectorName(vector) : vector}${info & (1 << 11) ? ', with an error code' : ''}`;
}
/** Attributes of a segment in the VMX form (SDM vol. 3C table 25-2). */
export const SEGMENT_FIELDS: readonly Field[] = [
  { name: 'type', bit: 0, width: 4 },
  { name: 'S', bit: 4, width: 1 },
  { name: 'DPL', bit: 5, width: 2 },
  { name: 'P', bit: 7, width: 1 },
  { name: 'AVL', bit: 12, width: 1 },
  { name: 'L', bit: 13, width: 1 },
  { name: 'D/B', bit: 14, width: 1 },
  { name: 'G', bit: 15, width: 1 },
  { name: 'unusable', bit: 16, width: 1 },
];
