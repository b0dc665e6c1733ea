/** A VMCS as a tree: fields by area (SDM vol. 3C chapter 25), decoded, and whether VM entry would accept it. */
import { failedCheck, failedGuestCheck } from '../../cpu/vmx-checks';
import type { HostMode } from '../../cpu/vmx-checks';
import type { Vmcs } from '../../cpu/vmcs-region';
import type { StructureNode } from '../../machine/inspect-api';
import { fieldsOfBits } from '../../util/bit-fields';
import type { Field } from '../../util/bit-fields';
import {
  ENTRY_CONTROL, ENTRY_FAILED, EXIT_CONTROL, PIN, PRIMARY, SECONDARY, VMCS, VMX_ERROR, widthOf,
} from '../../x86/vmcs'; // prettier-ignore
import type { VmcsFieldName } from '../../x86/vmcs';
import { reasonName } from '../engines/vmcs-exit';
import { bitsNode, eventText, hex, REGISTER_FIELDS, SEGMENT_FIELDS } from './nodes';

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

/** `launched` etc. as they are; `host`: of the processor that would enter, if entries are to be judged. */
export function vmcsNode(vmcs: Vmcs, host?: HostMode): StructureNode {
  const areas = AREAS.map((name): StructureNode & { children: StructureNode[] } => ({ name, children: [] }));
  for (const [name, encoding] of Object.entries(VMCS) as [VmcsFieldName, number][])
    areas[(encoding >>> 10) & 3].children.push(fieldNode(vmcs, name, encoding));
  const state = vmcs.launched ? 'launched' : 'clear';
  const children = host ? [entryNode(vmcs, host), ...areas] : areas;
  return { name: 'VMCS', value: `hp:${hex(vmcs.gpa)}`, text: state, children };
}
function fieldNode(vmcs: Vmcs, name: VmcsFieldName, encoding: number): StructureNode {
  const width = widthOf(encoding);
  const value = BigInt.asUintN(width, vmcs.read(name));
  const meaning = textOf(name, value);
  const text = `encoding ${hex(encoding)}, ${width} bits${meaning === undefined ? '' : `: ${meaning}`}`;
  return bitsNode(name, value, fieldsOf(name), { text });
}
/** What the checks of VM entry say (27.2, 27.3): the first rule that is broken. */
function entryNode(vmcs: Vmcs, host: HostMode): StructureNode {
  const failed = failedCheck(vmcs, host);
  const guest = failed ? undefined : failedGuestCheck(vmcs, host);
  const check = failed?.check ?? guest;
  if (!check) return { name: 'VM entry', value: 'would succeed', text: 'Every check of SDM vol. 3C 27.2 and 27.3 holds.' };
  const section = `${check.section}, ${guest ? 'exit reason 33' : `VM-instruction error ${failed!.error}`}`;
  const value = vmcs.read(check.field);
  return { name: 'VM entry', value: 'would be refused', text: `${check.field} = ${hex(value)}: ${check.rule} (SDM vol. 3C ${section}).` };
} // prettier-ignore
