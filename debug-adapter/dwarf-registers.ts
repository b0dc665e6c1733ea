/** Registers by DWARF number: System V psABI x86-64 figure 3.36, i386 figure 2.14. */

const X86_64 = [
  'rax', 'rdx', 'rcx', 'rbx', 'rsi', 'rdi', 'rbp', 'rsp', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15', 'rip',
  ...Array.from({ length: 16 }, (_, n) => `xmm${n}`), ...Array.from({ length: 8 }, (_, n) => `st${n}`),
] as const; // prettier-ignore
const I386 = [
  'eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi', 'eip', 'eflags', '', ...Array.from({ length: 8 }, (_, n) => `st${n}`),
  '', '', ...Array.from({ length: 8 }, (_, n) => `xmm${n}`),
] as const; // prettier-ignore

export interface RegisterNumbers {
  readonly names: readonly string[];
  readonly pc: number;
  readonly sp: number;
  readonly fp: number;
  /** Those a function must leave as it found them. */
  readonly preserved: readonly number[];
  /** Bytes a stack word. */
  readonly word: 4 | 8;
  numberOf(name: string): number | undefined;
}

const numbers = (names: readonly string[], rest: Omit<RegisterNumbers, 'names' | 'numberOf'>): RegisterNumbers => {
  const byName = new Map(names.map((name, number) => [name, number]));
  return { names, ...rest, numberOf: (name) => byName.get(name) };
};

export const REGISTERS_64 = numbers(X86_64, { pc: 16, sp: 7, fp: 6, preserved: [3, 6, 12, 13, 14, 15], word: 8 });
export const REGISTERS_32 = numbers(I386, { pc: 8, sp: 4, fp: 5, preserved: [3, 5, 6, 7], word: 4 });

/** Everything but 64-bit mode counts registers as i386 does. */
export const registersOfMode = (mode: string): RegisterNumbers => (mode === 'long' ? REGISTERS_64 : REGISTERS_32);
