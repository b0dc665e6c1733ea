/** A VMCB as a tree: control area and state save area (APM vol. 2 appendix B), decoded, and whether VMRUN would accept it. */
import { failedVmrunCheck } from '../../cpu/svm-checks';
import type { FailedCheck, SvmHost } from '../../cpu/svm-checks';
import { registerOf } from '../../cpu/svm-state';
import type { Vmcb } from '../../cpu/svm-state';
import type { StructureNode } from '../../machine/inspect-api';
import { fieldsOfBits } from '../../util/bit-fields';
import type { Field } from '../../util/bit-fields';
import { exitCodeName } from '../../x86/exit-names';
import { CONTROL, MISC1, MISC2, segmentField, SEGMENT_OFFSETS, STATE } from '../../x86/vmcb';
import type { VmcbField } from '../../x86/vmcb';
import { bitsNode, editableBy, eventText, hex, REGISTER_FIELDS, SEGMENT_FIELDS, valueNode } from './nodes';
import type { Editing } from './nodes';

const numbered = (name: string): Field[] => Array.from({ length: 16 }, (_, bit) => ({ name: `${name}${bit}`, bit, width: 1 })); // prettier-ignore
const FIELDS = new Map<VmcbField, readonly Field[]>([
  [CONTROL.INTERCEPT_CR_READ, numbered('CR')],
  [CONTROL.INTERCEPT_CR_WRITE, numbered('CR')],
  [CONTROL.INTERCEPT_DR_READ, numbered('DR')],
  [CONTROL.INTERCEPT_DR_WRITE, numbered('DR')],
  [CONTROL.INTERCEPT_EXCEPTIONS, REGISTER_FIELDS.exceptions],
  [CONTROL.INTERCEPT_MISC1, fieldsOfBits(MISC1)],
  [CONTROL.INTERCEPT_MISC2, fieldsOfBits(MISC2)],
  [CONTROL.NP_ENABLE, fieldsOfBits(['nested paging'])],
  [CONTROL.INTERRUPT_SHADOW, fieldsOfBits(['interrupt shadow', 'guest IF'])],
  // 15.15.3.
  [CONTROL.CLEAN, fieldsOfBits(['intercepts', 'permission maps', 'ASID', 'virtual interrupts', 'nested paging', 'CRx and EFER', 'DRx', 'descriptor tables', 'segments', 'CR2', 'LBR', 'AVIC'])],
  [CONTROL.V_INTR, [
    { name: 'V_TPR', bit: 0, width: 8 }, { name: 'V_IRQ', bit: 8, width: 1 }, { name: 'VGIF', bit: 9, width: 1 },
    { name: 'V_INTR_PRIO', bit: 16, width: 4 }, { name: 'V_IGN_TPR', bit: 20, width: 1 }, { name: 'V_INTR_MASKING', bit: 24, width: 1 },
    { name: 'VGIF enabled', bit: 25, width: 1 }, { name: 'V_INTR_VECTOR', bit: 32, width: 8 },
  ]],
  [STATE.CR0, REGISTER_FIELDS.cr0],
  [STATE.CR4, REGISTER_FIELDS.cr4],
  [STATE.EFER, REGISTER_FIELDS.efer],
  [STATE.RFLAGS, REGISTER_FIELDS.rflags],
]); // prettier-ignore

function textOf(field: VmcbField, value: bigint): string | undefined {
  if (field === CONTROL.EXITCODE) return exitCodeName(value);
  if (field === CONTROL.EVENTINJ || field === CONTROL.EXITINTINFO) return eventText(Number(value & 0xffff_ffffn));
  if (field === CONTROL.TLB_CONTROL) return ['nothing', 'flush all', '', 'flush this ASID'][Number(value)];
  return undefined;
}

/** What #VMEXIT says and VMRUN does not read (15.5.1; appendix B): set by nobody but the processor. */
const SAID: ReadonlySet<VmcbField> = new Set([CONTROL.EXITCODE, CONTROL.EXITINFO1, CONTROL.EXITINFO2, CONTROL.EXITINTINFO, CONTROL.NRIP]); // prettier-ignore

const fieldNode = (vmcb: Vmcb, field: VmcbField, editing: Editing<VmcbField>, broken?: FailedCheck): StructureNode => {
  const value = vmcb.read(field);
  const meaning = textOf(field, value);
  const place = `offset ${hex(field.offset)}${meaning === undefined ? '' : `: ${meaning}`}`;
  const text = broken?.field === field.name ? `VMRUN refuses it: ${broken.rule} (${place})` : place;
  const expression = SAID.has(field) ? undefined : editing(field, registerOf(field));
  return bitsNode(field.name, value, FIELDS.get(field) ?? [], { text, ...editableBy(expression) });
};
function segmentNode(vmcb: Vmcb, name: keyof typeof SEGMENT_OFFSETS, editing: Editing<VmcbField>): StructureNode {
  const { selector, attributes, limit, base } = vmcb.readSegment(name);
  const table = name === 'gdtr' || name === 'idtr';
  const selected = table
    ? []
    : [
        valueNode('selector', selector, editableBy(editing(segmentField(name, 'SELECTOR'), name))),
        // In memory they are packed otherwise than they are shown.
        bitsNode('attributes', attributes >>> 0, SEGMENT_FIELDS, editableBy(editing(undefined, `${name}.attributes`))),
      ];
  const [baseEdit, limitEdit] = (['BASE', 'LIMIT'] as const).map((part) =>
    editableBy(editing(segmentField(name, part), `${name}.${part.toLowerCase()}`)),
  );
  const text = `base ${hex(base)}, limit ${hex(limit >>> 0)}`;
  return {
    name: name.toUpperCase(),
    text,
    children: [...selected, valueNode('base', base, baseEdit), valueNode('limit', limit >>> 0, limitEdit)],
  };
}

export function vmcbNode(vmcb: Vmcb, host: SvmHost, editing: Editing<VmcbField>): StructureNode {
  const failed = failedVmrunCheck(vmcb, host);
  const entry: StructureNode = failed
    ? {
        name: 'VMRUN',
        value: 'would be refused',
        text: `${failed.field}: ${failed.rule} (APM vol. 2 ${failed.section}).`,
      }
    : { name: 'VMRUN', value: 'would succeed', text: 'Every check of APM vol. 2 15.5.1 holds.' };
  const segments = (Object.keys(SEGMENT_OFFSETS) as (keyof typeof SEGMENT_OFFSETS)[]).map((name) => segmentNode(vmcb, name, editing)); // prettier-ignore
  const nodes = (fields: object): StructureNode[] =>
    (Object.values(fields) as VmcbField[]).map((field) => fieldNode(vmcb, field, editing, failed));
  const areas: StructureNode[] = [
    { name: 'controls', children: nodes(CONTROL) },
    { name: 'state', children: [...nodes(STATE), ...segments] },
  ];
  return { name: 'VMCB', value: `hp:${hex(vmcb.hpa)}`, children: [entry, ...areas] };
}
