/** A VMCS as a tree: fields by area (SDM vol. 3C chapter 25), decoded, and whether VM entry would accept it. */
import { ENTRY_CHECKS, failedCheck, refusalOf } from '../../cpu/vmx-checks';
import type { EntryCheck, HostMode } from '../../cpu/vmx-checks';
import type { Vmcs } from '../../cpu/vmcs-region';
import { registerOf } from '../../cpu/vmx-state';
import type { StructureNode } from '../../machine/inspect-api';
import { fieldsOfBits } from '../../util/bit-fields';
import type { Field } from '../../util/bit-fields';
import { reasonName } from '../../x86/exit-names';
import {
  ENTRY_CONTROL, ENTRY_FAILED, EXIT_CONTROL, PIN, PRIMARY, SECONDARY, VMCS, VMX_ERROR, widthOf,
} from '../../x86/vmcs'; // prettier-ignore
import type { VmcsFieldName } from '../../x86/vmcs';
import { bitsNode, editableBy, eventText, hex, REGISTER_FIELDS, SEGMENT_FIELDS } from './nodes';
import type { Editing } from './nodes';

const FIELDS: Partial<Record<VmcsFieldName, readonly Field[]>> = {
  PIN_CONTROLS: fieldsOfBits(PIN),
  PRIMARY_CONTROLS: fieldsOfBits(PRIMARY),
  SECONDARY_CONTROLS: fieldsOfBits(SECONDARY),
  EXIT_CONTROLS: fieldsOfBits(EXIT_CONTROL),
  ENTRY_CONTROLS: fieldsOfBits(ENTRY_CONTROL),
  EXCEPTION_BITMAP: REGISTER_FIELDS.exceptions,
  GUEST_RFLAGS: REGISTER_FIELDS.rflags,
  // 25.4.2, table 25-3.
  GUEST_INTERRUPT_STATUS: [
    { name: 'RVI', bit: 0, width: 8 },
    { name: 'SVI', bit: 8, width: 8 },
  ],
  GUEST_INTERRUPTIBILITY: fieldsOfBits(['by STI', 'by MOV SS', 'by SMI', 'by NMI']),
  EPT_POINTER: [
    { name: 'memory type', bit: 0, width: 3 },
    { name: 'levels - 1', bit: 3, width: 3 },
    { name: 'accessed and dirty flags', bit: 6, width: 1 },
  ],
};
const fieldsOf = (name: VmcsFieldName): readonly Field[] => {
  const own = FIELDS[name];
  if (own) return own;
  if (/_CR0$|^CR0_/.test(name)) return REGISTER_FIELDS.cr0;
  if (/_CR4$|^CR4_/.test(name)) return REGISTER_FIELDS.cr4;
  if (name.endsWith('_EFER')) return REGISTER_FIELDS.efer;
  return name.endsWith('_RIGHTS') ? SEGMENT_FIELDS : [];
};

const ACTIVITIES = ['active', 'HLT', 'shutdown', 'wait for SIPI'];
const ERRORS = new Map<number, string>(Object.entries(VMX_ERROR).map(([name, number]) => [number, name]));

function textOf(name: VmcsFieldName, value: bigint): string | undefined {
  switch (name) {
    case 'EXIT_REASON':
      return reasonName(Number(value & 0xffffn)) + (value & BigInt(ENTRY_FAILED) ? ', the entry failed' : '');
    case 'VM_INSTRUCTION_ERROR':
      return ERRORS.get(Number(value));
    case 'GUEST_ACTIVITY':
      return ACTIVITIES[Number(value)];
    case 'ENTRY_INTERRUPTION':
    case 'EXIT_INTERRUPTION':
    case 'IDT_VECTORING':
      return eventText(Number(value & 0xffff_ffffn));
    default:
      return undefined;
  }
}

/** Bits 11:10 of an encoding (appendix B). */
const AREAS = ['controls', 'exit information', 'guest state', 'host state'] as const;

/** `launched` etc. as they are; `host`: of the processor that would enter. */
export function vmcsNode(vmcs: Vmcs, host: HostMode, editing: Editing<VmcsFieldName>): StructureNode {
  const areas = AREAS.map((name): StructureNode & { children: StructureNode[] } => ({ name, children: [] }));
  const refused = refusal(vmcs, host);
  for (const [name, encoding] of Object.entries(VMCS) as [VmcsFieldName, number][]) {
    const node = fieldNode(vmcs, name, encoding);
    const broken = refused?.check.field === name ? { text: `Entry refuses it: ${refused.check.rule} (${node.text})` } : {};
    areas[(encoding >>> 10) & 3].children.push({ ...node, ...broken, ...editableBy(editing(name, registerOf(name))) });
  }
  const state = vmcs.launched ? 'launched' : 'clear';
  return { name: 'VMCS', value: `hp:${hex(vmcs.gpa)}`, text: state, children: [entryNode(vmcs, refused), ...areas] };
} // prettier-ignore
function fieldNode(vmcs: Vmcs, name: VmcsFieldName, encoding: number): StructureNode {
  const width = widthOf(encoding);
  const value = BigInt.asUintN(width, vmcs.read(name));
  const meaning = textOf(name, value);
  const text = `encoding ${hex(encoding)}, ${width} bits${meaning === undefined ? '' : `: ${meaning}`}`;
  return bitsNode(name, value, fieldsOf(name), { text });
}
/** The first rule of VM entry that is broken (27.2, 27.3), and how the processor says so. */
function refusal(vmcs: Vmcs, host: HostMode): { check: EntryCheck; says: string } | undefined {
  const number = failedCheck(vmcs, host);
  if (number < 0) return undefined;
  const error = refusalOf(number);
  return { check: ENTRY_CHECKS[number], says: error === 'exit' ? 'exit reason 33' : `VM-instruction error ${error}` };
}
function entryNode(vmcs: Vmcs, refused: ReturnType<typeof refusal>): StructureNode {
  if (!refused) return { name: 'VM entry', value: 'would succeed', text: 'Every check of SDM vol. 3C 27.2 and 27.3 holds.' };
  const { check, says } = refused;
  const section = `${check.section}, ${says}`;
  const value = vmcs.read(check.field);
  return { name: 'VM entry', value: 'would be refused', text: `${check.field} = ${hex(value)}: ${check.rule} (SDM vol. 3C ${section}).` };
} // prettier-ignore
