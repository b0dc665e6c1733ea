/** Details of a stop at an exit: each field of each reason by name and in words, each argument of each hypercall as what it is. */
import assert from 'node:assert/strict';
import { exitDetails, type Reason } from '../../debug-adapter/exit-details';
import { hypercallLines } from '../../debug-adapter/hypercall-details';
import { msrName, portName } from '../../debug-adapter/register-names';
import { HYPERCALLS } from '../../emulator/hypervisor/hypercalls/table';
import type { VmExit } from '../../emulator/machine/api';
import { MSR } from '../../emulator/x86/registers';

type Cause = VmExit['cause'];
const place = (gva: bigint): string => `at_${gva.toString(16)} (gv:0x${gva.toString(16)})`;
const event = { vector: 14, kind: 'fault', errorCode: 6, address: 0x1000n, returnRip: 0x2000n } as const;
const plain = (reason: Reason): [Cause, ...RegExp[]] => [{ reason } as Cause];

/** A cause with every field, and lines that there are. */
const CAUSES: Record<Reason, [Cause, ...RegExp[]]> = {
  cpuid: plain('cpuid'), hlt: plain('hlt'), invd: plain('invd'), wbinvd: plain('wbinvd'), rdtsc: plain('rdtsc'), rdtscp: plain('rdtscp'),
  rdpmc: plain('rdpmc'), pause: plain('pause'), rsm: plain('rsm'), monitor: plain('monitor'), mwait: plain('mwait'), xsetbv: plain('xsetbv'),
  xsaves: plain('xsaves'), rdrand: plain('rdrand'), rdseed: plain('rdseed'), invpcid: plain('invpcid'), iret: plain('iret'),
  pushf: plain('pushf'), popf: plain('popf'), int: plain('int'), int1: plain('int1'), nmi: plain('nmi'), init: plain('init'),
  'interrupt-window': plain('interrupt-window'), 'nmi-window': plain('nmi-window'), 'preemption-timer': plain('preemption-timer'),
  'monitor-trap': plain('monitor-trap'), 'tpr-below': plain('tpr-below'), 'triple-fault': plain('triple-fault'),
  exception: [
    { reason: 'exception', event: { ...event, conditions: 0x4002, during: { vector: 0x20, kind: 'interrupt', returnRip: 0x3000n } } },
    /^vector: 0xe \(#PF Page fault\)$/, /^event: a fault/, /^error code 0x6$/, /W\/R {2}= 1: the access was a write/, /^address: at_1000 .*CR2/,
    /^DR6 will say: 0x4002 B1 BS$/, /^returns to: at_2000/, /^while this was being delivered:$/, /^ {2}vector: 0x20 \(an interrupt\)$/, /^ {2}returns to: at_3000/,
  ],
  'external-interrupt': [{ reason: 'external-interrupt', vector: 0x30 }, /^vector: 0x30 \(an interrupt\), acknowledged/],
  sipi: [{ reason: 'sipi', vector: 0x9a }, /0x9a: begins at gp:0x9a000$/],
  'task-switch': [
    { reason: 'task-switch', selector: 0x28, source: 'call', errorCode: 0, length: 7 },
    /^selector of the new TSS:$/, /selector 0x28 in the GDT/, /^caused by: CALL$/, /^error code: 0x0, /, /^instruction: 7 bytes long$/,
  ],
  invlpg: [{ reason: 'invlpg', gva: 0x5000n }, /forgotten: at_5000/],
  io: [
    { reason: 'io', port: 0x3f8, bytes: 1, write: true, string: true, rep: true, immediate: false, gva: 0x6000n },
    /^I\/O port: 0x3f8 \(COM1: data, or divisor low\)$/, /^size: 1 byte$/, /^direction: OUT/, /^string instruction: yes/, /^repeated \(REP\): yes/,
    /^port number: in DX$/, /^memory operand: at_6000/,
  ],
  'msr-read': [{ reason: 'msr-read', msr: 0xc000_0080 }, /^MSR: 0xc0000080 \(EFER\)$/],
  'msr-write': [{ reason: 'msr-write', msr: 0x12345 }, /^MSR: 0x12345 \(without a name here\)$/],
  'cr-access': [
    { reason: 'cr-access', register: 3, access: 'write', gpr: 1, value: 0x1000n, gva: 0x7000n },
    /^control register: CR3$/, /^access: MOV to the register$/, /^general register: rcx$/, /^value: 0x1000$/, /^memory operand: at_7000/,
  ],
  'dr-access': [{ reason: 'dr-access', register: 7, write: false, gpr: 0 }, /^debug register: DR7$/, /^access: MOV from/, /^general register: rax$/],
  'descriptor-table': [{ reason: 'descriptor-table', register: 'gdtr', store: false }, /^register: GDTR$/, /^access: it is loaded$/],
  'nested-fault': [
    { reason: 'nested-fault', access: 'write', gpa: 0x8000, gva: 0x9000n, table: false, allowed: { read: true, write: false, execute: true }, misconfigured: false, user: true },
    /^access: write$/, /^refused at: gp:0x8000$/, /^for: at_9000/, /^reached: with/, /^the entries allow: read, execute$/, /^entries: well formed$/, /^on behalf of: user mode$/,
  ],
  virtualization: [{ reason: 'virtualization', mnemonic: 'vmcall' }, /^instruction: VMCALL$/],
  'call-out': [{ reason: 'call-out', mnemonic: 'cli' }, /to be done for the guest: CLI$/],
  'apic-access': [{ reason: 'apic-access', offset: 0x80, access: 'read' }, /^APIC register: 0x80 \(TPR\)$/, /^access: read$/],
  'apic-write': [{ reason: 'apic-write', offset: 0x110 }, /^APIC register: 0x110 \(ISR \+ 1\)$/],
  'virtualized-eoi': [{ reason: 'virtualized-eoi', vector: 0x41 }, /^vector: 0x41 \(an interrupt\)$/],
  'entry-failure': [{ reason: 'entry-failure', what: 'guest-state', field: 'GUEST_CR0' }, /^refused because: a field of the guest state/, /^field: GUEST_CR0$/],
}; // prettier-ignore

/** Nothing is a number alone: a name stands before it. */
const NAMED = /^ *[A-Za-z#/][^:=]*( *= \d)?(: \S.*|:)$|^error code 0x[0-9a-f]+$|^ *index = |^ *\w+ +at gp/;
function check(lines: readonly string[], ...expected: RegExp[]): void {
  for (const each of expected) assert(lines.some((line) => each.test(line)), `${each} in\n${lines.join('\n')}`);
  for (const line of lines) {
    assert.match(line, NAMED);
    assert.doesNotMatch(line, /undefined|\[object|NaN/);
  }
} // prettier-ignore

const exitOf = (cause: Cause, more: Partial<VmExit> = {}): VmExit => ({ reason: cause.reason, cause, domain: 1, vcpu: 0, gva: 0x100n, cpl: 0, at: 1_234_567, ...more }); // prettier-ignore

describe('details of an exit', () => {
  for (const [reason, [cause, ...expected]] of Object.entries(CAUSES))
    it(`${reason}: each field in words`, () => {
      const lines = exitDetails(exitOf(cause), { place, technique: 'vt-x' });
      check(lines, ...expected, /^domain: 1$/, /^virtual processor: 0$/, /^time: 1,234,567 instructions/);
      // A row here for each line that the cause has: what is not looked at could be anything.
      const own = Object.keys(cause).length - 1;
      assert(expected.length >= own, `${reason} has ${own} fields`);
    });

  const OWN: [string, string, Partial<VmExit>, ...RegExp[]][] = [
    ['VT-x numbers', 'vt-x', { code: 30 }, /^basic exit reason: 30 \(IO\)$/],
    ['a failed entry', 'vt-x', { code: 0x8000_0021 | 0 }, /^basic exit reason: 33 \(ENTRY_GUEST_STATE, the entry failed\)$/],
    ['AMD-V numbers', 'amd-v', { code: 0x7b }, /^EXITCODE: 0x7b \(io\)$/],
    ['addresses', 'vt-x', { address: 0xa000n, gpa: 0xb000 }, /^address: at_a000/, /^guest-physical address: gp:0xb000$/],
    ['the time of the host', 'vt-x', { hostNs: 1234.5 }, /^handled in: 1,23[45] ns of the host$/],
  ]; // prettier-ignore
  for (const [what, technique, more, ...expected] of OWN)
    it(what, () => check(exitDetails(exitOf({ reason: 'hlt' }, more), { place, technique, domain: 'web' }), ...expected, /^domain: 1 \(web\)$/)); // prettier-ignore
});

describe('details of a hypercall', () => {
  for (const [number, { name, args, commands }] of Object.entries(HYPERCALLS))
    it(`${name}: ${args.map(([argument]) => argument).join(', ') || 'no arguments'}`, () => {
      const command = commands?.[0];
      const list = args.map(([argument, kind]) => ({ name: argument, kind, value: 0n, ...(kind === 'command' && command ? { named: command } : {}) }));
      const call = { number: Number(number), name, args: list.map(({ value }) => value), ...(command ? { command } : {}) };
      const lines = hypercallLines({ ...call, arguments: list, about: {} }, place);
      check(lines, new RegExp(`^hypercall ${number}: ${name}$`), ...args.map(([argument]) => new RegExp(`^ {2}${argument}: `)));
      assert.equal(lines.length, 1 + args.length);
      // As it is before anybody has looked.
      check(hypercallLines(call, place));
    }); // prettier-ignore

  const argument = (name: string, kind: NonNullable<NonNullable<VmExit['hypercall']>['arguments']>[number]['kind'], value: bigint, named?: string) => ({ name, kind, value, ...(named ? { named } : {}) }); // prettier-ignore
  const VALUES: [ReturnType<typeof argument>, RegExp][] = [
    [argument('domid', 'domain', 0x7ff0n, 'DOMID_SELF'), /0x7ff0 \(DOMID_SELF, the caller\)/],
    [argument('domid', 'domain', 3n), /0x3 \(domain 3\)/],
    [argument('flags', 'flush', 6n), /UVMF_INVLPG: this page, on all processors/],
    [argument('flags', 'flush', 0n), /flushed is nothing$/],
    [
      argument('value', 'entry', 0x8000_0000_0000_1027n),
      /machine frame 0x1, present, writable, user, no-execute, accessed$/,
    ],
    [argument('value', 'entry', 0x1000n), /not present/],
    [argument('descriptor', 'descriptor', 0x00af_9a00_0000_ffffn), /base 0x0, limit 0xfffff pages, DPL 0, present/],
    [argument('timeout', 'time', 5_000_000n), /5000000 ns of system time \(5 ms\)/],
    [argument('type', 'assist', 2n, 'writable_pagetables'), /2 \(writable_pagetables\)/],
    [argument('type', 'assist', 77n), /77 \(unknown\)/],
    [argument('done', 'pointer', 0n), /none/],
  ];
  for (const [each, expected] of VALUES)
    it(`${each.kind} 0x${each.value.toString(16)}`, () =>
      check(hypercallLines({ number: 1, name: 'x', args: [each.value], arguments: [each] }, place), expected));

  it('a frame’s place in the domain', () =>
    check(
      hypercallLines({ number: 1, name: 'mmu_update', args: [], about: { frame: 2n, pfn: 0x635n }, operation: 'machphys_update' }, place),
      /first operation: machphys_update, machine frame 0x2, is the domain’s own frame 0x635$/,
    )); // prettier-ignore

  it('what it is about, and what a batch holds', () => {
    const about = { frame: 0x12n, entry: 5n, value: 0x1003n, target: 1n };
    const inner = { number: 26, name: 'mmuext_op', args: [0x1000n], arguments: [argument('ops', 'pointer', 0x1000n)], about: { frame: 7n }, operation: 'pin_l4_table', result: 0n }; // prettier-ignore
    check(
      hypercallLines({ number: 13, name: 'multicall', args: [], about, batch: [inner] }, place),
      /^ {2}first operation: machine frame 0x12, entry 5 of it, becomes 0x1003: machine frame 0x1, present, writable, supervisor/,
      /^ {2}hypercall 26: mmuext_op$/,
      /^ {4}first operation: pin_l4_table, machine frame 0x7$/,
      /^ {4}result: 0$/,
    );
  });
});

describe('names of numbers', () => {
  const PORTS: [number, string | undefined][] = [
    [0x20, 'PIC 1: command'], [0x43, 'PIT: mode'], [0x64, 'keyboard controller: status, command'], [0x3fd, 'COM1: line status'], [0x1f7, 'first IDE channel: status, command'],
    [0xcfc, 'PCI configuration: data'], [0xc000, undefined],
  ]; // prettier-ignore
  for (const [port, name] of PORTS) it(`port 0x${port.toString(16)}`, () => assert.equal(portName(port), name));
  const MSRS: [number, string | undefined][] = [
    [0x480, 'VMX_BASIC'], [0xc001_0117, 'VM_HSAVE_PA'], [0x203, 'MTRR_PHYSMASK1'], [0x268, 'MTRR_FIX4K_C0000'], [0x405, 'MC1_STATUS'], [0x830, 'x2APIC register 0x300'], [0x9999, undefined],
  ]; // prettier-ignore
  for (const [msr, name] of MSRS) it(`MSR 0x${msr.toString(16)}`, () => assert.equal(msrName(msr), name));
  it('every MSR that the processor has a constant for', () => {
    for (const number of Object.values(MSR)) assert(msrName(number), `0x${number.toString(16)}`);
  });
});
