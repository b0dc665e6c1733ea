/** Structures as trees: control blocks of our engines and of a guest's hypervisor, descriptor tables, registers; and what it runs. */
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import type { CustomRequests } from '../../../debug-adapter/protocol';
import type { Machine } from '../../../emulator/index';
import type { Client } from '../support/client';
import { InProcess } from '../support/in-process';
import { evaluate, launchSample, clientForEach } from '../support/server';

type Body = CustomRequests['ringside/structures']['body'];
type Node = Body['nodes'][number];

/** By names, from the root on. */
function at(nodes: readonly Node[], ...path: string[]): Node {
  const [name, ...rest] = path;
  const found = nodes.find((each) => each.name === name);
  assert.ok(found, `${name} is not among ${nodes.map((each) => each.name).join(', ')}`);
  return rest.length === 0 ? found : at(found.children ?? [], ...rest);
}
const bits = (node: Node): string[] => (node.bits ?? []).map(({ name }) => name);

describe('structures', () => {
  let client: Client;
  clientForEach((own) => (client = own));

  const structures = (args: object = {}): Promise<Body> => client.request('ringside/structures', args) as Promise<Body>;
  const atFault = async (attributes: object): Promise<void> => {
    await launchSample(client, {
      attributes,
      configure: (own) => own.request('setFunctionBreakpoints', { breakpoints: [{ name: 'handle_page_fault' }] }),
    });
    await client.event('stopped');
  };

  it('of the bare machine: tables, registers, devices', async () => {
    await atFault({});
    const { nodes, roots, structures: plain } = await structures();
    assert.deepEqual(nodes.map(({ name }) => name), roots); // prettier-ignore
    assert.deepEqual(bits(at(nodes, 'Control registers', 'cr0')), ['PE', 'ET', 'WP', 'PG']);
    assert.match(at(nodes, 'MSRs', 'lstar').text!, /^syscall_entry/);
    assert.match(at(nodes, 'GDT', '0x8').text!, /^64-bit code execute\/read.*DPL 0$/);
    assert.match(at(nodes, 'IDT', '14 #PF Page fault').text!, /^interrupt gate to 0x8:0xffffffff8010[0-9a-f]+ </);
    assert.equal(at(nodes, 'LDT').text, 'none: LDTR holds a null selector');
    assert.match(at(nodes, 'TSS', 'RSP0').value!, /^0xffff/);
    for (const name of ['pic', 'pit', 'hpet', 'io-apic', 'local-apic0']) {
      assert.ok(at(nodes, name).children!.length > 0, name);
      assert.ok(name in plain, name);
    }
    // What can be edited is edited as any expression.
    const { editable } = at(nodes, 'MSRs', 'cstar');
    await client.request('setExpression', { expression: editable, value: '0x1234' });
    assert.equal(at((await structures({ roots: ['MSRs'] })).nodes, 'MSRs', 'cstar').value, '0x0000000000001234');
    // So are registers of devices, as far as software could write them.
    for (const [device, register, wanted, is] of [
      ['pic', 'master.imr', '0x1fa', '0xfa'],
      ['pic', 'slave.vectorBase', '0x77', '0x70'],
      ['pit', 'counter0.reload', '0x1234', '0x1234'],
      ['local-apic0', 'tpr', '0x20', '0x20'],
      ['local-apic0', 'lvt.error', '0x100fe', '0x100fe'],
    ] as const) {
      const { editable: expression } = at(nodes, device, register);
      await client.request('setExpression', { expression, value: wanted });
      assert.equal(at((await structures({ roots: [device] })).nodes, device, register).value, is, register);
      assert.equal(BigInt(await evaluate(client, expression!)), BigInt(is));
    }
    assert.equal(at(nodes, 'pic', 'master.irr').editable, undefined);
    assert.match(await client.refusal('setExpression', { expression: '$pic.master.irr', value: '1' }), /pic.master.irr cannot be written/); // prettier-ignore
    const stack = at(nodes, 'TSS', 'RSP1');
    await client.request('setExpression', { expression: stack.editable, value: '0xffff800000001000' });
    assert.equal(at((await structures({ roots: ['TSS'] })).nodes, 'TSS', 'RSP1').value, '0xffff800000001000');
    const gate = at(nodes, 'IDT', '14 #PF Page fault');
    assert.equal(BigInt(await evaluate(client, gate.editable!)), BigInt(gate.value!));
  });

  const BLOCKS: [attributes: object, root: string, check: (node: Node) => void][] = [
    [{ technique: 'vt-x' }, 'VMCS', (vmcs) => {
      assert.equal(vmcs.text, 'launched');
      assert.equal(at(vmcs.children!, 'VM entry').value, 'would succeed');
      assert.deepEqual(bits(at(vmcs.children!, 'controls', 'PIN_CONTROLS')), ['EXTERNAL_INTERRUPT', 'NMI']);
      assert.match(at(vmcs.children!, 'guest state', 'GUEST_RIP').text!, /^<handle_page_fault\S*> {2}encoding 0x681e, 64 bits$/);
      assert.match(at(vmcs.children!, 'exit information', 'EXIT_REASON').text!, /^encoding 0x4402, 32 bits: IO$/);
    }],
    [{ technique: 'amd-v' }, 'VMCB', (vmcb) => {
      assert.equal(at(vmcb.children!, 'VMRUN').value, 'would succeed');
      assert.ok(bits(at(vmcb.children!, 'controls', 'intercepts, vector 4')).includes('vmrun'));
      assert.match(at(vmcb.children!, 'controls', 'exit code').text!, /^offset 0x70: io$/);
      assert.ok(bits(at(vmcb.children!, 'state', 'EFER')).includes('SVME'));
      assert.match(at(vmcb.children!, 'state', 'LSTAR').text!, /^<syscall_entry> {2}offset 0x608$/);
    }],
  ]; // prettier-ignore
  for (const [attributes, root, check] of BLOCKS)
    it(`the ${root} of our engine`, async () => {
      await atFault(attributes);
      const { nodes } = await structures({ roots: [root] });
      assert.equal(nodes.length, 1);
      check(nodes[0]!);
    });

  /** Of our engines' blocks the guest's registers are changed, as registers; what the engine makes of them, and asks for, is its own. */
  const REGISTERS: [attributes: object, root: string, registers: [expression: string, ...path: string[]][], own: string[]][] = [
    [{ technique: 'vt-x', paging: 'shadow' }, 'VMCS', [['$sysenter_eip', 'guest state', 'GUEST_SYSENTER_EIP'], ['$fs.base', 'guest state', 'GUEST_FS_BASE']], ['GUEST_CR0', 'GUEST_CR3']],
    [{ technique: 'amd-v' }, 'VMCB', [['$cstar', 'state', 'CSTAR'], ['$gs.base', 'state', 'GS', 'base']], ['EFER']],
  ]; // prettier-ignore
  for (const [attributes, root, registers, own] of REGISTERS)
    it(`the ${root} of our engine is changed as the guest's registers`, async () => {
      await atFault(attributes);
      const block = async (): Promise<Node[]> => (await structures({ roots: [root] })).nodes[0]!.children!;
      const before = await block();
      for (const [expression, ...path] of registers) {
        assert.equal(at(before, ...path).editable, expression);
        await client.request('setExpression', { expression, value: '0x1234' });
        assert.equal(BigInt(await evaluate(client, expression)), 0x1234n);
        assert.equal(at(await block(), ...path).value, '0x1234');
      }
      for (const name of own) assert.equal(at(before, registers[0]![1]!, name).editable, undefined, name);
      for (const control of at(before, 'controls').children!) assert.equal(control.editable, undefined, control.name);
    });

  const HYPERVISORS = [
    { name: 'vmx', cpu: 'haswell', block: 'VMCS', format: 'EPT', mode: 2n },
    { name: 'svm', cpu: 'epyc', block: 'VMCB', format: '4-level', mode: 3n },
  ] as const;
  /** Launched in this process, which can look at each instruction. */
  const inProcess = async (name: string, cpu: string): Promise<{ own: InProcess; machine: Machine; mode: () => bigint | undefined }> => {
    const own = new InProcess();
    await own.launch({ kernel: resolve('guests/hypervisors', `${name}.elf`), cpu });
    await own.enter();
    const { machine } = own.session.target;
    return { own, machine, mode: () => machine.inspect.registers(0).get('vm_mode') };
  }; // prettier-ignore
  for (const { name, cpu, block, format, mode: inGuest } of HYPERVISORS)
    it(`a hypervisor of the guest's, ${name}: its control block, and its guest's memory through both stages`, async () => {
      const { own, machine, mode } = await inProcess(name, cpu);
      machine.run(2_000_000);
      for (let steps = 0; steps < 500_000 && mode() !== inGuest; steps++) machine.run(1);
      assert.equal(mode(), inGuest);
      const { nodes } = await own.request('ringside/structures');
      assert.match(at(nodes, `${block} of the guest's hypervisor`).value!, /^gp:0x/);
      const { view, text } = await own.request('ringside/translate', { address: '$rip' });
      assert.equal(view.paging, 'nested');
      assert.ok(view.references.some((each: { tables: string }) => each.tables === 'nested'));
      assert.notEqual(view.gpa, view.hpa);
      assert.match(text, /nested paging under it/);
      const code = await own.request('readMemory', { memoryReference: `hp:0x${view.hpa.toString(16)}`, count: 4 });
      const seen = await own.request('readMemory', { memoryReference: view.gva, count: 4 });
      assert.equal(seen.data, code.data);
      const tables = await own.request('ringside/pageTables', { tables: 'nested' });
      assert.deepEqual([tables.format, tables.available], [format, ['guest', 'nested']]);
      own.session.end();
    });

  for (const { name, cpu, block } of HYPERVISORS)
    it(`why an entry was refused: the rule that the guest's hypervisor broke last, ${name}`, async () => {
      const { own, machine } = await inProcess(name, cpu);
      type Unit = { lastRefusal?: { field: string; rule: string } };
      const unit = (machine as unknown as { cpus: Record<string, Unit>[] }).cpus[0]![name]!;
      machine.run(2_000_000);
      for (let slices = 0; slices < 1000 && !unit.lastRefusal; slices++) machine.run(500);
      const { nodes } = await own.request('ringside/structures', { roots: [`${block} of the guest's hypervisor`] });
      const { value, text } = at(nodes[0].children, 'last entry that was refused');
      assert.ok(unit.lastRefusal);
      assert.deepEqual([value, text], [unit.lastRefusal.field, unit.lastRefusal.rule]);
      own.session.end();
    });

  /** A rule that each hypervisor breaks, and what keeps it again. */
  const REFUSED = [
    { ...HYPERVISORS[0], entry: 'VM entry', field: 'PIN_CONTROLS', rule: /27\.2\.1\.1, VM-instruction error 7/, right: (bad: bigint) => bad | 2n, said: ['exit information', 'EXIT_REASON'], },
    { ...HYPERVISORS[1], entry: 'VMRUN', field: 'EFER', rule: /APM vol\. 2/, right: (bad: bigint) => bad | 0x1000n, said: ['controls', 'exit code'] },
  ] as const; // prettier-ignore
  for (const { name, cpu, block, entry, field, rule, right, said } of REFUSED)
    it(`what keeps an entry from succeeding, and setting it right where it lies, ${name}`, async () => {
      const { own, machine } = await inProcess(name, cpu);
      type Unit = { lastRefusal?: { field: string } };
      const unit = (machine as unknown as { cpus: Record<string, Unit>[] }).cpus[0]![name]!;
      machine.run(2_000_000);
      for (let slices = 0; slices < 200_000 && unit.lastRefusal?.field !== field; slices++) machine.run(10);
      const read = async (): Promise<Node[]> =>
        (await own.request('ringside/structures', { roots: [`${block} of the guest's hypervisor`] })).nodes[0].children;
      const before = await read();
      const refused = at(before, entry);
      assert.equal(refused.value, 'would be refused');
      assert.match(refused.text!, new RegExp(`^${field}\\b`));
      assert.match(refused.text!, rule);
      const area = field === 'EFER' ? 'state' : 'controls';
      const broken = at(before, area, field);
      assert.match(broken.text!, /refuses it: /);
      assert.match(broken.editable!, /^\*\(unsigned .*gp:0x/);
      const value = `0x${right(BigInt(broken.value!)).toString(16)}`;
      await own.request('setExpression', { expression: broken.editable, value });
      const after = await read();
      assert.equal(at(after, area, field).value, value);
      assert.equal(at(after, entry).value, 'would succeed');
      // What the processor says is not for changing.
      assert.equal(at(after, ...said).editable, undefined);
      own.session.end();
    });
}).timeout(120_000);
