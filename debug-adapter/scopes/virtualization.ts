/** Everything that has structure in a stopped machine, as trees: control blocks, descriptor tables, registers, devices. */
import type { Inspector, Machine } from '../../emulator/machine/api';
import type { StructureNode } from '../../emulator/machine/inspect-api';
import { setFields } from '../../emulator/util/bit-fields';
import { hex, shortHex } from '../addresses';
import { isObject } from '../arguments';
import { expressionOf } from '../device-registers';
import { FIELDS } from './bits';
import { globalTable, interruptTable, localTable, taskState, type TableView } from './descriptor-tables';

export interface Root {
  name: string;
  /** Read when asked for. */
  node(): StructureNode;
}

/** `describe`: what an address is, for gates and stacks. */
export function structureRoots(machine: Machine, cpu: number, describe: TableView['describe']): Root[] {
  const { inspect, virtualization } = machine;
  const view: TableView = { inspect, cpu, describe };
  const named = (name: string, node: StructureNode | undefined): Root[] =>
    node ? [{ name, node: () => ({ ...node, name }) }] : [];
  const own = virtualization?.inspect.controlBlock(cpu);
  const hosted = inspect.tables.hostedBlock(cpu);
  return [
    ...named(own?.name ?? '', own && withSymbols(own, describe)),
    ...(virtualization?.inspect.structures() ?? []).map((node) => ({ name: node.name, node: () => withSymbols(node, describe) })),
    ...named(`${hosted?.name ?? ''} of the guest's hypervisor`, hosted),
    { name: 'Control registers', node: () => registers(view, 'Control registers', ['cr0', 'cr2', 'cr3', 'cr4', 'cr8', 'xcr0', 'efer', 'rflags', 'dr6', 'dr7']) },
    { name: 'MSRs', node: () => registers(view, 'MSRs', inspect.registers(cpu).groups.system) },
    { name: 'GDT', node: () => globalTable(view) },
    { name: 'LDT', node: () => localTable(view) },
    { name: 'IDT', node: () => interruptTable(view) },
    { name: 'TSS', node: () => taskState(view) },
    ...Object.entries(inspect.structures(cpu)).map(([name, value]) => ({ name, node: () => deviceNode(inspect, name, value) })),
  ];
} // prettier-ignore

/** Of the guest's code, in a VMCS and in a VMCB. */
const CODE_FIELDS = new Set(['GUEST_RIP', 'GUEST_SYSENTER_EIP', 'RIP', 'next RIP', 'LSTAR', 'CSTAR', 'SYSENTER_EIP']);

/** Far addresses, as of trap tables and callbacks, and fields that hold addresses of code, with what lies there: as gates have it. */
function withSymbols(node: StructureNode, describe: TableView['describe']): StructureNode {
  const address = CODE_FIELDS.has(node.name) ? node.value : /^0x[0-9a-f]+:(0x[0-9a-f]+)$/.exec(node.value ?? '')?.[1];
  const symbol = address && describe(BigInt(address));
  return {
    ...node,
    ...(symbol ? { text: [`<${symbol}>`, ...(node.text ? [node.text] : [])].join('  ') } : {}),
    ...(node.children ? { children: node.children.map((child) => withSymbols(child, describe)) } : {}),
  };
}

/** Where the processor goes. */
const CODE_ADDRESSES = new Set(['lstar', 'cstar', 'sysenter_eip']);

function registers({ inspect, cpu, describe }: TableView, name: string, names: readonly string[]): StructureNode {
  const file = inspect.registers(cpu);
  const children = names.flatMap((each): StructureNode[] => {
    const value = file.get(each);
    if (value === undefined) return [];
    const bits = setFields(value, FIELDS[each] ?? []);
    const symbol = CODE_ADDRESSES.has(each) ? describe(value) : undefined;
    return [{
      name: each,
      value: hex(value),
      ...(symbol === undefined ? {} : { text: symbol }),
      ...(bits.length > 0 ? { bits } : {}),
      editable: `$${each}`,
    }];
  });
  return { name, children };
} // prettier-ignore

/** A device with its registers, some of which can be set. */
function deviceNode(inspect: Inspector, device: string, value: unknown): StructureNode {
  const editable = new Set(inspect.editableDevices());
  const node = plainNode(device, value);
  const children = node.children?.map((child): StructureNode =>
    editable.has(`${device}.${child.name}`) ? { ...child, editable: expressionOf(device, child.name) } : child,
  );
  return children ? { ...node, children } : node;
}

/** Values of a device. Numbers are registers, which people read in hexadecimal. */
const plainNode = (name: string, value: unknown): StructureNode =>
  isObject(value)
    ? { name, children: Object.entries(value).map(([key, each]) => plainNode(key, each)) }
    : {
        name,
        value:
          typeof value === 'number' || typeof value === 'bigint'
            ? shortHex(value)
            : value === ''
              ? 'none'
              : String(value),
      };
