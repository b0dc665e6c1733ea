/**
 * Every feature that a processor model may have: its place in CPUID, what it rests on, and whether it works here.
 * Rows of the opcode table, bits of control registers and MSRs ask by these names (`Model.has`). A new family of
 * instructions appends its name to WORKS, and every model that has the feature shows it.
 * Source: SDM vol. 2 CPUID; APM vol. 3 appendix E for leaves 8000_xxxx.
 */

export type CpuidRegister = 'a' | 'b' | 'c' | 'd';
export interface Place {
  leaf: number;
  subleaf: number;
  register: CpuidRegister;
  bit: number;
}
const at = (leaf: number, register: CpuidRegister, bit: number, subleaf = 0): Place => ({
  leaf,
  subleaf,
  register,
  bit,
});

export const FEATURES = {
  fpu: at(1, 'd', 0), vme: at(1, 'd', 1), de: at(1, 'd', 2), pse: at(1, 'd', 3), tsc: at(1, 'd', 4), msr: at(1, 'd', 5),
  pae: at(1, 'd', 6), mce: at(1, 'd', 7), cx8: at(1, 'd', 8), apic: at(1, 'd', 9), sep: at(1, 'd', 11),
  mtrr: at(1, 'd', 12), pge: at(1, 'd', 13), mca: at(1, 'd', 14), cmov: at(1, 'd', 15), pat: at(1, 'd', 16),
  pse36: at(1, 'd', 17), clflush: at(1, 'd', 19), mmx: at(1, 'd', 23), fxsr: at(1, 'd', 24), sse: at(1, 'd', 25),
  sse2: at(1, 'd', 26),
  sse3: at(1, 'c', 0), pclmulqdq: at(1, 'c', 1), monitor: at(1, 'c', 3), vmx: at(1, 'c', 5), ssse3: at(1, 'c', 9),
  fma: at(1, 'c', 12), cx16: at(1, 'c', 13), pcid: at(1, 'c', 17), 'sse4.1': at(1, 'c', 19), 'sse4.2': at(1, 'c', 20),
  x2apic: at(1, 'c', 21), movbe: at(1, 'c', 22), popcnt: at(1, 'c', 23), 'tsc-deadline': at(1, 'c', 24),
  aes: at(1, 'c', 25), xsave: at(1, 'c', 26), avx: at(1, 'c', 28), f16c: at(1, 'c', 29), rdrand: at(1, 'c', 30),
  hypervisor: at(1, 'c', 31),
  arat: at(6, 'a', 2),
  fsgsbase: at(7, 'b', 0), 'tsc-adjust': at(7, 'b', 1), bmi1: at(7, 'b', 3), avx2: at(7, 'b', 5), smep: at(7, 'b', 7),
  bmi2: at(7, 'b', 8), erms: at(7, 'b', 9), invpcid: at(7, 'b', 10), rdseed: at(7, 'b', 18), adx: at(7, 'b', 19),
  smap: at(7, 'b', 20), clflushopt: at(7, 'b', 23), clwb: at(7, 'b', 24), sha: at(7, 'b', 29),
  umip: at(7, 'c', 2), vaes: at(7, 'c', 9), vpclmulqdq: at(7, 'c', 10), rdpid: at(7, 'c', 22),
  'md-clear': at(7, 'd', 10), ibrs: at(7, 'd', 26), stibp: at(7, 'd', 27), 'arch-capabilities': at(7, 'd', 29),
  ssbd: at(7, 'd', 31), 'bhi-ctrl': at(7, 'd', 4, 2),
  xsaveopt: at(0xd, 'a', 0, 1), xsavec: at(0xd, 'a', 1, 1), xgetbv1: at(0xd, 'a', 2, 1), xsaves: at(0xd, 'a', 3, 1),
  lahf: at(0x8000_0001, 'c', 0), svm: at(0x8000_0001, 'c', 2),
  lzcnt: at(0x8000_0001, 'c', 5), sse4a: at(0x8000_0001, 'c', 6), misalignsse: at(0x8000_0001, 'c', 7),
  prefetchw: at(0x8000_0001, 'c', 8), syscall: at(0x8000_0001, 'd', 11), nx: at(0x8000_0001, 'd', 20),
  mmxext: at(0x8000_0001, 'd', 22), ffxsr: at(0x8000_0001, 'd', 25), pdpe1gb: at(0x8000_0001, 'd', 26),
  rdtscp: at(0x8000_0001, 'd', 27), lm: at(0x8000_0001, 'd', 29),
  'invariant-tsc': at(0x8000_0007, 'd', 8),
  clzero: at(0x8000_0008, 'b', 0), ibpb: at(0x8000_0008, 'b', 12),
} as const satisfies Record<string, Place>; // prettier-ignore
export type Feature = keyof typeof FEATURES;
export const isFeature = (name: string): name is Feature => Object.hasOwn(FEATURES, name);

/** What works today. One name to switch a feature on once its rows exist. */
export const WORKS: readonly Feature[] = [
  'fpu', 'de', 'pse', 'tsc', 'msr', 'pae', 'mce', 'cx8', 'apic', 'sep', 'mtrr', 'pge', 'mca', 'cmov', 'pat', 'pse36', 'clflush',
  'mmx', 'fxsr', 'sse', 'sse2', 'sse3', 'ssse3',
  'cx16', 'pcid', 'x2apic', 'movbe', 'popcnt', 'tsc-deadline', 'arat', 'erms', 'lzcnt', 'bmi1', 'bmi2', 'adx',
  'sse4.1', 'sse4.2', 'aes', 'pclmulqdq', 'sha', 'clflushopt', 'clwb',
  'avx', 'avx2', 'fma', 'f16c', 'vaes', 'vpclmulqdq',
  'xsave', 'xsaveopt', 'xsavec', 'xgetbv1', 'xsaves', 'rdpid',
  'fsgsbase', 'tsc-adjust', 'smep', 'invpcid', 'smap', 'umip',
  'ibrs', 'stibp', 'bhi-ctrl', 'arch-capabilities', 'rdrand', 'rdseed', 'ibpb',
  'lahf', 'prefetchw', 'syscall', 'nx', 'mmxext', 'pdpe1gb', 'rdtscp', 'lm', 'invariant-tsc', 'vmx', 'svm',
]; // prettier-ignore

/** What a feature cannot be without (SDM vol. 1 13.2 ff., 14.3, 14.5; vol. 3A 4.1.4). */
export const RESTS_ON: Readonly<Partial<Record<Feature, readonly Feature[]>>> = {
  sse: ['fxsr'], sse2: ['sse'], sse3: ['sse2'], ssse3: ['sse3'], 'sse4.1': ['ssse3'], 'sse4.2': ['sse4.1'],
  aes: ['sse2'], pclmulqdq: ['sse2'], sha: ['sse2'], sse4a: ['sse2'],
  xsave: ['fxsr'], xsaveopt: ['xsave'], xsavec: ['xsave'], xgetbv1: ['xsave'], xsaves: ['xsavec'],
  avx: ['xsave', 'sse4.2'], f16c: ['avx'], fma: ['avx'], avx2: ['avx'], vaes: ['avx2', 'aes'], vpclmulqdq: ['avx2', 'pclmulqdq'],
  x2apic: ['apic'], 'tsc-deadline': ['apic'], pcid: ['lm'], lm: ['pae', 'sse2', 'syscall'], nx: ['pae'],
  invpcid: ['pcid'], 'bhi-ctrl': ['ibrs'], fsgsbase: ['lm'], pdpe1gb: ['lm'], cx16: ['lm'], rdtscp: ['tsc'], 'tsc-adjust': ['tsc'],
}; // prettier-ignore

/** The set with `feature` and all that it rests on. */
export function withFeature(set: Set<Feature>, feature: Feature): void {
  set.add(feature);
  for (const below of RESTS_ON[feature] ?? []) if (!set.has(below)) withFeature(set, below);
}
/** The set without `feature` and all that rests on it. */
export function withoutFeature(set: Set<Feature>, feature: Feature): void {
  set.delete(feature);
  for (const name of [...set]) if (RESTS_ON[name]?.includes(feature)) withoutFeature(set, name);
}
