/**
 * Processor models: a vendor, a signature and a set of features, by names that users know; and what `--cpu` may say,
 * `NAME[,+FEATURE|,-FEATURE]...`. A model has what the processor of that name has and what works here (features.ts).
 */
import { UserError } from '../util/assert';
import { INSTRUCTIONS_PER_SECOND } from '../util/time';
import { FEATURES, WORKS, isFeature, withFeature, withoutFeature } from './features';
import type { Feature } from './features';

export type Vendor = 'GenuineIntel' | 'AuthenticAMD';

export interface Model {
  name: string;
  vendor: Vendor;
  family: number;
  model: number;
  stepping: number;
  /** At most 47 characters. */
  brand: string;
  /** Highest basic leaf of CPUID. */
  lastLeaf: number;
  has(feature: string): boolean;
  /** What the processor of that name has and this machine lacks. */
  lacking: readonly string[];
  /** Hertz of the time-stamp counter: one tick an instruction. */
  tscHz: number;
}

interface Specification {
  vendor: Vendor;
  family: number;
  model: number;
  stepping: number;
  lastLeaf: number;
  features: readonly Feature[];
}

const PENTIUM3: readonly Feature[] = [
  'fpu', 'vme', 'de', 'pse', 'tsc', 'msr', 'pae', 'mce', 'cx8', 'apic', 'sep', 'mtrr', 'pge', 'mca', 'cmov', 'pat', 'pse36',
  'mmx', 'fxsr', 'sse',
]; // prettier-ignore
const X86_64: readonly Feature[] = [...PENTIUM3, 'clflush', 'sse2', 'sse3', 'syscall', 'nx', 'lm', 'lahf', 'cx16'];
const CORE2: readonly Feature[] = [...X86_64, 'ssse3'];
const NEHALEM: readonly Feature[] = [...CORE2, 'sse4.1', 'sse4.2', 'popcnt', 'rdtscp', 'invariant-tsc'];
const HASWELL: readonly Feature[] = [
  ...NEHALEM, 'pclmulqdq', 'aes', 'pcid', 'invpcid', 'x2apic', 'tsc-deadline', 'tsc-adjust', 'arat', 'pdpe1gb',
  'xsave', 'xsaveopt', 'avx', 'f16c', 'rdrand', 'fsgsbase', 'smep', 'erms', 'fma', 'avx2', 'bmi1', 'bmi2', 'lzcnt', 'movbe', 'vmx',
]; // prettier-ignore
const EPYC: readonly Feature[] = [
  ...NEHALEM, 'misalignsse', 'sse4a', 'mmxext', 'ffxsr', 'prefetchw', 'pclmulqdq', 'aes', 'pdpe1gb', 'arat', 'xsave', 'xsaveopt',
  'xsavec', 'xgetbv1', 'xsaves', 'avx', 'f16c', 'rdrand', 'fsgsbase', 'smep', 'smap', 'fma', 'avx2', 'bmi1', 'bmi2', 'lzcnt',
  'movbe', 'rdseed', 'adx', 'clflushopt', 'sha', 'clzero', 'ibpb', 'svm',
]; // prettier-ignore
/** What nobody gets who did not ask: the kernel would take itself for a guest of some hypervisor. */
const NOT_IN_MAX: readonly Feature[] = [
  'hypervisor',
  'vmx',
  'svm',
  'sse4a',
  'mmxext',
  'ffxsr',
  'misalignsse',
  'clzero',
  'ibpb',
];

const intel = (model: number, stepping: number, lastLeaf: number, features: readonly Feature[]): Specification => ({
  vendor: 'GenuineIntel', family: 6, model, stepping, lastLeaf, features,
}); // prettier-ignore
const MODELS: Readonly<Record<string, Specification>> = {
  max: intel(0x17, 10, 0x16, WORKS.filter((name) => !NOT_IN_MAX.includes(name))),
  pentium3: intel(8, 3, 2, PENTIUM3),
  core2: intel(15, 11, 0xa, CORE2),
  nehalem: intel(26, 3, 0xb, NEHALEM),
  haswell: intel(60, 3, 0xd, HASWELL),
  epyc: { vendor: 'AuthenticAMD', family: 0x17, model: 1, stepping: 2, lastLeaf: 0xd, features: EPYC },
}; // prettier-ignore
const VIRTUALIZATION = ['vmx', 'svm'] as const;
/** It can be a hypervisor's. */
export const hypervises = (model: Model): boolean => VIRTUALIZATION.some((name) => model.has(name));
export const MODEL_NAMES = Object.keys(MODELS);
export const DEFAULT_MODEL = 'max';

/** `haswell,-avx2,+smap`. `virtualization`: `none` is a guest's, that cannot be a hypervisor itself; `all` is our own hypervisor's. UserError names what is unknown or missing, and the choice. */
export function makeModel(text: string = DEFAULT_MODEL, options: { virtualization?: 'none' | 'all' } = {}): Model {
  const [name, ...changes] = text.split(',').map((part) => part.trim());
  const specification = Object.hasOwn(MODELS, name!) ? MODELS[name!] : undefined;
  if (!specification) throw new UserError(`cpu: there is no model "${name}"; give one of ${MODEL_NAMES.join(', ')}.`);
  const works = new Set<Feature>(WORKS);
  if (options.virtualization === 'none') for (const name of VIRTUALIZATION) works.delete(name);
  const wanted = new Set<Feature>();
  for (const feature of specification.features) withFeature(wanted, feature);
  const features = new Set([...wanted].filter((feature) => works.has(feature)));
  for (const feature of wanted) if (!works.has(feature)) withoutFeature(features, feature);
  if (options.virtualization === 'all') for (const name of VIRTUALIZATION) features.add(name);
  for (const change of changes) apply(features, works, change, specification.vendor);
  const { vendor, family, model, stepping, lastLeaf } = specification;
  return {
    name: text,
    vendor,
    family,
    model,
    stepping,
    lastLeaf,
    brand: `Ringside Virtual Processor at ${INSTRUCTIONS_PER_SECOND / 1e6}MHz`,
    has: (feature) => features.has(feature as Feature),
    lacking: [...wanted].filter((feature) => !works.has(feature)),
    tscHz: INSTRUCTIONS_PER_SECOND,
  };
}

function apply(features: Set<Feature>, works: ReadonlySet<Feature>, change: string, vendor: Vendor): void {
  const sign = change[0];
  const name = change.slice(1);
  if ((sign !== '+' && sign !== '-') || name === '')
    throw new UserError(`cpu: "${change}" is neither +FEATURE nor -FEATURE; write for example "max,-pcid".`);
  if (!isFeature(name))
    throw new UserError(`cpu: there is no feature "${name}"; give one of ${Object.keys(FEATURES).join(', ')}.`);
  if (sign === '-') return withoutFeature(features, name);
  const owner = name === 'vmx' ? 'GenuineIntel' : name === 'svm' ? 'AuthenticAMD' : vendor;
  if (owner !== vendor)
    throw new UserError(
      `cpu: "${name}" is a feature of ${owner}; choose a model of that vendor, for example ${name === 'vmx' ? 'haswell' : 'epyc'}.`,
    );
  if (!works.has(name)) throw new UserError(`cpu: this version lacks the feature "${name}"; leave +${name} out.`);
  withFeature(features, name);
}
