/** Registers by name: class, width, and what each is for. */
export type RegisterClass =
  'gpr' | 'segment' | 'control' | 'debug' | 'test' | 'st' | 'mmx' | 'vector' | 'mask' | 'bound' | 'pointer';

export interface Register {
  class: RegisterClass;
  /** Width in bits. */
  bits: number;
  number: number;
  /** Exists in 64-bit code only. */
  only64: boolean;
}

const registers = new Map<string, Register>();
const add = (name: string, kind: RegisterClass, bits: number, number: number, only64 = false): void =>
  void registers.set(name, { class: kind, bits, number, only64 });

['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'].forEach((name, n) => {
  add(name, 'gpr', 16, n);
  add(`e${name}`, 'gpr', 32, n);
  add(`r${name}`, 'gpr', 64, n, true);
});
['al', 'cl', 'dl', 'bl', 'ah', 'ch', 'dh', 'bh'].forEach((name, n) => add(name, 'gpr', 8, n));
['spl', 'bpl', 'sil', 'dil'].forEach((name, n) => add(name, 'gpr', 8, n + 4, true));
for (let n = 8; n < 16; n++) {
  add(`r${n}`, 'gpr', 64, n, true);
  add(`r${n}d`, 'gpr', 32, n, true);
  add(`r${n}w`, 'gpr', 16, n, true);
  add(`r${n}b`, 'gpr', 8, n, true);
}
['es', 'cs', 'ss', 'ds', 'fs', 'gs'].forEach((name, n) => add(name, 'segment', 16, n));
for (let n = 0; n < 16; n++) {
  add(`cr${n}`, 'control', 0, n, n >= 8);
  add(`dr${n}`, 'debug', 0, n, n >= 8);
}
for (let n = 0; n < 8; n++) {
  add(`db${n}`, 'debug', 0, n);
  add(`tr${n}`, 'test', 32, n);
  add(`mm${n}`, 'mmx', 64, n);
  add(`st(${n})`, 'st', 80, n);
  add(`st${n}`, 'st', 80, n);
  add(`k${n}`, 'mask', 64, n);
}
add('st', 'st', 80, 0);
for (let n = 0; n < 32; n++) {
  add(`xmm${n}`, 'vector', 128, n, n >= 8);
  add(`ymm${n}`, 'vector', 256, n, n >= 8);
  add(`zmm${n}`, 'vector', 512, n, n >= 8);
}
for (let n = 0; n < 4; n++) add(`bnd${n}`, 'bound', 128, n);
add('rip', 'pointer', 64, 0, true);
add('eip', 'pointer', 32, 0);

export const registerNamed = (name: string): Register | undefined => registers.get(name.toLowerCase());
/** Names that completion offers: `st0` is NASM's, `db0` nobody's. */
export const REGISTER_NAMES: readonly string[] = [...registers.keys()].filter(
  (name) => !/^(db\d|tr\d|st\(0\))$/.test(name),
);

const GENERAL = [
  'accumulator: results of MUL and DIV, of IN and OUT, number and result of system calls',
  'counter: REP and LOOP count it down, CL is the count of shifts; number of the MSR for RDMSR and WRMSR',
  'upper half of what MUL makes and DIV takes; port number of IN and OUT',
  'general; the value of CPUID leaf answers, otherwise free',
  'stack pointer',
  'frame pointer of code that keeps one; its addresses are in SS',
  'source index of string instructions',
  'destination index of string instructions, in ES',
];
const SEGMENTS = [
  'extra data: the destination of string instructions',
  'code; its low two bits are the current privilege level, which PUSH CS shows to a deprivileged kernel',
  "stack; its descriptor's DPL is the current privilege level",
  'data: the default of most memory operands',
  'with a base of its own in 64-bit code (IA32_FS_BASE): thread-local data',
  'with a base of its own in 64-bit code (IA32_GS_BASE): per-processor data of kernels, exchanged by SWAPGS',
];
const CONTROL: Readonly<Record<number, string>> = {
  0: 'operating mode: protection (PE), paging (PG), write protection in ring 0 (WP), lazy FPU (TS), caches (CD)',
  2: 'linear address of the last page fault',
  3: 'physical address of the top-level page table; with CR4.PCIDE its low 12 bits are the PCID. A write flushes the TLB but for global pages',
  4: 'extensions: PAE, PSE, PGE, SMEP, SMAP, OSFXSR, VMXE, PCIDE...',
  8: "task priority: the upper four bits of the local APIC's TPR",
};

/** One sentence. */
export function describeRegister(name: string): string | undefined {
  const register = registerNamed(name);
  if (!register) return undefined;
  const { number } = register;
  switch (register.class) {
    case 'gpr': {
      const high = /^[abcd]h$/.test(name);
      const what = number < 8 ? GENERAL[high || register.bits === 8 && number > 3 && !register.only64 ? number - 4 : number] : 'general purpose';
      const write = register.bits === 32 ? ' Writing it clears bits 63:32 of the whole register in 64-bit mode.' : '';
      return `General register of ${register.bits} bits${high ? ' (bits 15:8)' : ''}: ${what}.${write}`;
    }
    case 'segment': return `Segment register: ${SEGMENTS[number]}.`;
    case 'control': return `Control register: ${CONTROL[number] ?? 'reserved'}.`;
    case 'debug': return `Debug register: ${number < 4 ? `address of hardware breakpoint ${number}` : number === 6 ? 'status: which breakpoint, single step or task switch it was' : number === 7 ? 'enables, kinds and lengths of the breakpoints' : 'an alias of DR6 and DR7, or #UD with CR4.DE'}.`;
    case 'st': return `x87 register ${number} below the top of the stack: 80-bit extended precision.`;
    case 'mmx': return `MMX register, 64 bits: the significand of an x87 register.`;
    case 'vector': return `Vector register of ${register.bits} bits.${number > 15 ? ' AVX-512 only.' : ''}`;
    case 'mask': return 'Mask register of AVX-512.';
    case 'bound': return 'Bounds register of MPX.';
    case 'test': return 'Test register of the 80386 and 80486.';
    case 'pointer': return 'Instruction pointer: as a base, the address of the next instruction.';
  }
} // prettier-ignore
