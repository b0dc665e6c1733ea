/** Bits of control registers, MSRs by number, vectors: what a number in a source may mean. Names are those of x86/registers. */
import { CR0, CR4, EFER, MSR, RFLAGS, VECTOR } from '../../../emulator/x86/registers';

type Bits = Readonly<Record<string, number>>;
const REGISTERS: readonly [string, RegExp, Bits][] = [
  ['CR0', /%?cr0\b/i, CR0],
  ['CR4', /%?cr4\b/i, CR4],
  ['RFLAGS', /\b(pushf|popf)[lq]?\b/i, RFLAGS],
];

const BIT_TEXTS: Readonly<Record<string, string>> = {
  'CR0.PE': 'protected mode', 'CR0.MP': 'WAIT obeys TS', 'CR0.EM': 'no FPU: #NM', 'CR0.TS': 'task switched: #NM at the next use of the FPU', 'CR0.ET': 'always 1', 'CR0.NE': 'x87 errors as #MF', 'CR0.WP': 'ring 0 obeys read-only pages', 'CR0.AM': 'alignment checks', 'CR0.NW': 'not write-through', 'CR0.CD': 'caches off', 'CR0.PG': 'paging',
  'CR4.VME': 'virtual interrupt flag in virtual-8086 mode', 'CR4.PVI': 'virtual interrupt flag in ring 3', 'CR4.TSD': 'RDTSC in ring 0 alone', 'CR4.DE': 'breakpoints on I/O', 'CR4.PSE': '4 MiB pages', 'CR4.PAE': 'physical address extension', 'CR4.MCE': 'machine checks', 'CR4.PGE': 'global pages', 'CR4.PCE': 'RDPMC in every ring', 'CR4.OSFXSR': 'SSE', 'CR4.OSXMMEXCPT': '#XM', 'CR4.UMIP': 'SGDT, SIDT, SLDT, SMSW, STR in ring 0 alone', 'CR4.LA57': '5-level paging', 'CR4.VMXE': 'VMX', 'CR4.SMXE': 'SMX', 'CR4.FSGSBASE': 'RDFSBASE and so on', 'CR4.PCIDE': 'process-context identifiers', 'CR4.OSXSAVE': 'XSAVE', 'CR4.SMEP': 'ring 0 executes no user pages', 'CR4.SMAP': 'ring 0 accesses no user pages', 'CR4.PKE': 'protection keys',
  'EFER.SCE': 'SYSCALL', 'EFER.LME': 'long mode, once paging is on', 'EFER.LMA': 'long mode is active', 'EFER.NXE': 'no-execute bits', 'EFER.SVME': 'AMD-V', 'EFER.FFXSR': 'fast FXSAVE',
  'RFLAGS.CF': 'carry', 'RFLAGS.PF': 'parity', 'RFLAGS.AF': 'auxiliary carry', 'RFLAGS.ZF': 'zero', 'RFLAGS.SF': 'sign', 'RFLAGS.TF': 'single step', 'RFLAGS.IF': 'interrupts', 'RFLAGS.DF': 'direction', 'RFLAGS.OF': 'overflow', 'RFLAGS.IOPL': 'I/O privilege level', 'RFLAGS.NT': 'nested task', 'RFLAGS.RF': 'resume', 'RFLAGS.VM': 'virtual-8086 mode', 'RFLAGS.AC': 'alignment check, or SMAP off', 'RFLAGS.VIF': 'virtual interrupt flag', 'RFLAGS.VIP': 'virtual interrupt pending', 'RFLAGS.ID': 'CPUID exists',
}; // prettier-ignore

const msrNames = new Map(Object.entries(MSR).map(([name, number]) => [number >>> 0, name]));
const MSR_TEXTS: Readonly<Record<string, string>> = {
  TSC: 'time-stamp counter', APIC_BASE: 'where the local APIC is, and x2APIC mode', EFER: 'SCE, LME, LMA, NXE, SVME', STAR: 'selectors of SYSCALL and SYSRET', LSTAR: 'RIP of SYSCALL', CSTAR: 'RIP of SYSCALL from 32-bit code', FMASK: 'flags that SYSCALL clears', FS_BASE: 'base of FS', GS_BASE: 'base of GS', KERNEL_GS_BASE: 'what SWAPGS exchanges with GS_BASE', TSC_AUX: 'what RDTSCP and RDPID read', TSC_DEADLINE: 'when the APIC timer fires', SYSENTER_CS: 'CS of SYSENTER', SYSENTER_ESP: 'rSP of SYSENTER', SYSENTER_EIP: 'rIP of SYSENTER', PAT: 'page attribute table', FEATURE_CONTROL: 'locks VMX on or off', DEBUGCTL: 'last-branch records and branch traps', SPEC_CTRL: 'speculation controls', XSS: 'supervisor state of XSAVES',
}; // prettier-ignore

export function msrText(number: number): string | undefined {
  const name = msrNames.get(number >>> 0);
  if (name) return `MSR \`IA32_${name}\`${MSR_TEXTS[name] ? `: ${MSR_TEXTS[name]}` : ''}`;
  return number >= MSR.X2APIC_FIRST && number <= MSR.X2APIC_LAST ? `MSR of the x2APIC, register \`0x${((number - MSR.X2APIC_FIRST) << 4).toString(16)}\`` : undefined; // prettier-ignore
}

const bitsText = (register: string, bits: Bits, value: number): string =>
  Object.entries(bits).filter(([, mask]) => ((value & mask) >>> 0) === mask >>> 0 && mask !== 0).map(([name]) => `${register}.${name}${BIT_TEXTS[`${register}.${name}`] ? ` (${BIT_TEXTS[`${register}.${name}`]})` : ''}`).join(', '); // prettier-ignore

/** `context`: the lines around it, which tell the register that the number is for. */
export function numberText(value: bigint, context: string): string[] {
  const lines = [`${value} = \`0x${BigInt.asUintN(64, value).toString(16)}\``];
  if (value < 0n || value > 0xffff_ffffn) return lines;
  const number = Number(value);
  const around = (pattern: RegExp): boolean => pattern.test(context);
  if (around(/\b(rdmsr|wrmsr)\b/i) || number >= 0xc000_0080) {
    const msr = msrText(number);
    if (msr) lines.push(msr);
    else if (around(/0xc0000080|\bEFER\b/i)) lines.push(bitsText('EFER', EFER, number));
  }
  for (const [name, pattern, bits] of REGISTERS)
    if (around(pattern) && number !== 0) lines.push(bitsText(name, bits, number));
  if (around(/\bint\b/i)) {
    const vector = Object.entries(VECTOR).find(([, each]) => each === number);
    if (vector) lines.push(`Vector #${vector[0]}`);
  }
  return lines.filter((line) => line !== '');
}

/** A constant by its name, as sources have it: `X86_CR0_PG`, `MSR_EFER`, `CR4_PAE`, `EFER_LME`... */
export function constantText(name: string): string | undefined {
  const plain = name
    .toUpperCase()
    .replace(/^(X86_|IA32_|MSR_|_)+/, '')
    .replace(/_BIT$/, '');
  const [, register, bit] = /^(CR0|CR4|EFER|EFLAGS|RFLAGS)_(\w+)$/.exec(plain) ?? [];
  if (register) {
    const text = BIT_TEXTS[`${register.replace('EFLAGS', 'RFLAGS')}.${bit}`];
    if (text) return `${register}.${bit}: ${text}`;
  }
  const msr = /^(X86_)?(MSR|IA32)_/i.test(name) ? Object.entries(MSR).find(([each]) => each === plain) : undefined;
  return msr && msrText(msr[1]);
}
