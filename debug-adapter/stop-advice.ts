/** Why a stop of its kind happens at all, where one looks next, and what to read: words for people, by vector and reason of exit. */
import type { VmExit } from '../emulator/machine/api';
import { VECTOR } from '../emulator/x86/registers';

/** Views of the editor that a piece of advice leads to. */
export type AdviceView = 'pageTables' | 'exits' | 'structures' | 'domains' | 'callStack' | 'disassembly';

export interface Advice {
  why: string;
  next: readonly { text: string; view?: AdviceView }[];
  manual?: string;
}

const structures = (text: string): Advice['next'][number] => ({ text, view: 'structures' });
const tables = (text: string): Advice['next'][number] => ({ text, view: 'pageTables' });
const exits = (text: string): Advice['next'][number] => ({ text, view: 'exits' });
const stack = (text: string): Advice['next'][number] => ({ text, view: 'callStack' });
const code = (text: string): Advice['next'][number] => ({ text, view: 'disassembly' });

/** SDM vol. 3A chapter 6, "Exception and Interrupt Reference". */
const reference = (vector: number): string =>
  `Intel SDM vol. 3A, "Exception and Interrupt Reference", interrupt ${vector}`;

const { DE, DB, NMI, BP, OF, BR, UD, NM, DF, TS, NP, SS, GP, PF, MF, AC, MC, XM, VE, CP } = VECTOR;

const TRAPS: Partial<Record<number, Omit<Advice, 'manual'>>> = {
  [DE]: { why: 'DIV or IDIV: the divisor was 0, or the quotient does not fit.', next: [code('the divisor: the operand of the instruction at RIP')] },
  [DB]: { why: 'The trap flag, a debug register or a task switch asked for it; DR6 says which.', next: [structures('DR6 and DR7 among the debug registers')] },
  [NMI]: { why: 'A signal that no flag holds back: hardware, a watchdog, or an NMI sent by another processor.', next: [structures('the local APIC: who sent it')] },
  [BP]: { why: 'INT3 was executed: a breakpoint of a debugger inside the guest, or an assertion of the kernel.', next: [code('the byte before RIP is CC')] },
  [OF]: { why: 'INTO with OF set: a signed result did not fit.', next: [code('the arithmetic before RIP')] },
  [BR]: { why: 'BOUND: the index lies outside of its bounds.', next: [code('the operands of BOUND')] },
  [UD]: { why: 'The bytes at RIP are no instruction here: not one at all, one that this processor model or mode lacks, or UD2, with which kernels mark what must not happen.', next: [code('the bytes at RIP; 0F 0B is UD2'), structures('CR4 and XCR0, which allow whole groups of instructions')] },
  [NM]: { why: 'A floating-point or SIMD instruction while CR0.TS or CR0.EM is set: kernels use that to switch these registers late.', next: [structures('TS and EM of CR0')] },
  [DF]: { why: 'An exception came while another was being delivered, most often because the stack or the handler is not mapped.', next: [structures('the IDT’s gate of the first exception, and the stack that the TSS gives'), tables('walk RSP: is the stack mapped and writable?')] },
  [TS]: { why: 'What a task switch or an interrupt takes from the TSS is wrong: a selector or a stack.', next: [structures('TR, the TSS and the descriptor that the error code names')] },
  [NP]: { why: 'A descriptor or gate was used whose present bit is 0.', next: [structures('the descriptor that the error code names')] },
  [SS]: { why: 'A stack access beyond the segment’s limit, a non-canonical stack address, or a stack segment that is not present.', next: [structures('SS and its descriptor'), code('RSP and RBP at this instruction')] },
  [GP]: { why: 'A rule of protection was broken that has no exception of its own: a privileged instruction outside of ring 0, a non-canonical address, a bad selector, a reserved bit written to a control register or MSR.', next: [code('the instruction at RIP, and the registers that it uses'), structures('the descriptor that the error code names, where it is not 0')] },
  [PF]: { why: 'The page tables do not allow this access. Often that is how it should be: memory on demand, copy on write, a stack that grows.', next: [tables('the walk: which entry stops it'), stack('the frame below the border: who made the access')] },
  [MF]: { why: 'An x87 instruction found an unmasked floating-point exception of one before it.', next: [structures('the x87 status and control words')] },
  [AC]: { why: 'An access that is not aligned, in ring 3 with CR0.AM and RFLAGS.AC set.', next: [code('the address that the instruction uses')] },
  [MC]: { why: 'The processor reports a fault of its own or of the bus.', next: [structures('the machine-check registers')] },
  [XM]: { why: 'An SSE or AVX instruction with an unmasked floating-point exception.', next: [structures('MXCSR: flags below, masks above')] },
  [VE]: { why: 'An EPT violation that the hypervisor leaves to the guest.', next: [structures('the virtualisation-exception information area')] },
  [CP]: { why: 'A return or indirect branch went where the shadow stack or ENDBRANCH does not allow.', next: [structures('the CET registers')] },
}; // prettier-ignore

export function trapAdvice(vector: number, source: 'exception' | 'interrupt' | 'software' | 'nmi'): Advice {
  const manual = reference(vector);
  const known = source === 'exception' || source === 'nmi' || vector === BP || vector === OF ? TRAPS[vector] : undefined;
  if (known) return { ...known, manual };
  if (source === 'interrupt')
    return {
      why: 'A device asked for attention, and the guest lets interrupts through (RFLAGS.IF).',
      next: [structures('the interrupt controllers: which line has this vector'), stack('what was interrupted')],
      manual: 'Intel SDM vol. 3A, "Interrupt and Exception Handling"',
    };
  return {
    why: 'INT n was executed: a service of the kernel, or of the BIOS in real mode.',
    next: [structures('the gate in the IDT: where it leads, and from which ring it may be used'), code('arguments are in registers')],
    manual: 'Intel SDM vol. 2A, INT n/INTO/INT3/INT1',
  };
} // prettier-ignore

export const TRIPLE_FAULT: Advice = {
  why: 'The double-fault handler could not be entered either, so the processor shut down. The first of the three exceptions is the cause.',
  next: [
    structures('the IDT: is its gate for #PF, #GP and #DF right?'),
    tables('walk the IDT’s base and RSP: are they mapped?'),
    stack('restart, and tick "Every exception": the first one that stops is the cause'),
  ],
  manual: reference(DF),
}; // prettier-ignore

export const HOLE: Advice = {
  why: 'The instruction reads or changes state that belongs to ring 0 and does not trap outside of it. Under plain trap-and-emulate the guest gets the wrong answer, and nobody notices.',
  next: [
    exits('all holes of this run, by place'),
    code('what the guest does with the result'),
    { text: 'technique "binary-translation" closes it: launch the same kernel with that' },
  ],
  manual: 'docs/sensitive.md, and the instruction in Intel SDM vol. 2',
};

/** The ABI of paravirtual guests has no chapter in the processors' manuals. */
const HYPERCALLS = 'xen/include/public/xen.h';
const INSTRUCTION = 'Intel SDM vol. 3C, "Instructions That Cause VM Exits"; AMD APM vol. 2, "Instruction Intercepts"';
const EVENTS =
  'Intel SDM vol. 3C, "Other Causes of VM Exits"; AMD APM vol. 2, "Exception Intercepts", "Interrupt Intercepts"';

const FAMILIES = {
  instruction: { why: 'The guest executed an instruction that its hypervisor has to see, or asked to see.', next: [exits('how often, and from where'), structures('the control that makes it exit')], manual: INSTRUCTION },
  registers: { why: 'The guest touched a control, debug or model-specific register. Some values belong to the hypervisor, so it keeps a copy for the guest.', next: [structures('what is in force, and what the guest believes'), exits('how often, and from where')], manual: INSTRUCTION },
  device: { why: 'The guest talks to a device. There is none behind this address but what the hypervisor emulates.', next: [exits('the accesses before and after: together they are one command of a driver'), structures('the device’s registers')], manual: 'Intel SDM vol. 3C, "VM-Execution Control Fields"; AMD APM vol. 2, "IOIO Intercepts"' },
  shadow: { why: 'The processor uses tables from GV to HP that the hypervisor builds. This address was not in them, or the guest changed its own tables: the hypervisor brings both together. It is the price of shadow paging.', next: [tables('the guest’s tables and the shadow beside each other'), exits('how many of these there are; compare with "paging": "nested"')], manual: 'Intel SDM vol. 3C, "Memory Virtualization"' },
  nested: { why: 'The guest’s own tables were walked without the hypervisor. The second stage, from GP to HP, refused: memory not there yet, a device, or a right that is missing.', next: [tables('the walk: gv, gp, hp'), structures('the exit qualification, or EXITINFO1 and EXITINFO2')], manual: 'Intel SDM vol. 3C, "EPT Violations"; AMD APM vol. 2, "Nested Paging"' },
  event: { why: 'Something happened to the guest that its hypervisor gets first.', next: [structures('the event, as the control block has it'), stack('what the guest was doing')], manual: EVENTS },
  privileged: { why: 'The kernel runs outside of ring 0, so its privileged instructions trap. The hypervisor does what the instruction asks, on the guest’s own registers.', next: [exits('how many traps the kernel costs'), structures('the guest’s registers beside those in force')], manual: 'Intel SDM vol. 3A, "Privileged Instructions"' },
  translated: { why: 'The kernel’s code is translated; this is where the translation needs the hypervisor.', next: [code('the guest’s block and its translation'), exits('how often, and from where')] },
  hypercall: { why: 'A paravirtualised kernel asks its hypervisor, instead of doing what it may not.', next: [exits('the calls before; their arguments and results'), { text: 'the domain: memory and event channels', view: 'domains' }], manual: HYPERCALLS },
  refused: { why: 'The hypervisor tried to enter the guest, and the processor refused: a field of the control block breaks a rule.', next: [structures('the control block: the field named here')], manual: 'Intel SDM vol. 3C, "VM Entries"; AMD APM vol. 2, "VMRUN Instruction"' },
  end: { why: 'The guest’s processor has given up: an exception, while a double fault was being delivered.', next: [structures('the guest’s IDT and TSS'), tables('walk the IDT’s base and RSP')], manual: EVENTS },
} as const satisfies Record<string, Advice>; // prettier-ignore

const FAMILY_OF = {
  cpuid: 'instruction', hlt: 'instruction', invd: 'instruction', wbinvd: 'instruction', rdtsc: 'instruction', rdtscp: 'instruction',
  rdpmc: 'instruction', pause: 'instruction', rsm: 'instruction', monitor: 'instruction', mwait: 'instruction', xsetbv: 'instruction',
  xsaves: 'instruction', rdrand: 'instruction', rdseed: 'instruction', invpcid: 'instruction', iret: 'instruction', pushf: 'instruction',
  popf: 'instruction', int: 'instruction', int1: 'instruction', invlpg: 'instruction', virtualization: 'instruction',
  exception: 'event', 'external-interrupt': 'event', nmi: 'event', init: 'event', 'interrupt-window': 'event', 'nmi-window': 'event',
  'preemption-timer': 'event', 'monitor-trap': 'event', 'tpr-below': 'event', sipi: 'event', 'task-switch': 'event', 'reflected-event': 'event',
  'triple-fault': 'end', 'entry-failure': 'refused', io: 'device', mmio: 'device', 'apic-access': 'device', 'apic-write': 'device', 'virtualized-eoi': 'device',
  'msr-read': 'registers', 'msr-write': 'registers', 'cr-access': 'registers', 'dr-access': 'registers', 'descriptor-table': 'registers',
  'nested-fault': 'nested', 'shadow-fault': 'shadow', 'page-table-write': 'shadow', 'privileged-instruction': 'privileged',
  'call-out': 'translated', 'code-write': 'translated', hypercall: 'hypercall',
} as const satisfies Record<VmExit['reason'], keyof typeof FAMILIES>; // prettier-ignore

/** The engine tells a guest's accesses to devices under every technique; the manual's section is about hardware's. */
export const exitAdvice = (reason: VmExit['reason']): Advice => FAMILIES[FAMILY_OF[reason]];

/** For the widget of exceptions, which shows text alone. */
export const adviceText = ({ why, next, manual }: Advice): string =>
  [
    `Why: ${why}`,
    `Look next: ${next.map(({ text }) => text).join('; ')}.`,
    ...(manual === undefined ? [] : [`Manual: ${manual}.`]),
  ].join('\n');
