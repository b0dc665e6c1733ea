/**
 * CPUID: what the processor says of itself, and the one list of what it can do. A feature is advertised exactly if its
 * line is here; rows of the opcode table and reserved bits of control registers and MSRs follow (`Model.has`).
 * Source: SDM vol. 2 CPUID; APM vol. 3 appendix E for leaves 8000_xxxx.
 */
import { INSTRUCTIONS_PER_SECOND } from '../util/time';
import { CR4 } from '../x86/registers';
import { MAXPHYADDR } from '../mmu/guest-paging';
import type { Cpu } from './cpu';

type Register = 'a' | 'b' | 'c' | 'd';
interface Place {
  leaf: number;
  register: Register;
  bit: number;
}
const at = (leaf: number, register: Register, bit: number): Place => ({ leaf, register, bit });

/** Every feature that exists somewhere in Ringside. */
const FEATURES = {
  fpu: at(1, 'd', 0),
  de: at(1, 'd', 2),
  pse: at(1, 'd', 3),
  tsc: at(1, 'd', 4),
  msr: at(1, 'd', 5),
  pae: at(1, 'd', 6),
  mce: at(1, 'd', 7),
  cx8: at(1, 'd', 8),
  apic: at(1, 'd', 9),
  sep: at(1, 'd', 11),
  mtrr: at(1, 'd', 12),
  pge: at(1, 'd', 13),
  mca: at(1, 'd', 14),
  cmov: at(1, 'd', 15),
  pat: at(1, 'd', 16),
  pse36: at(1, 'd', 17),
  clflush: at(1, 'd', 19),
  mmx: at(1, 'd', 23),
  fxsr: at(1, 'd', 24),
  sse: at(1, 'd', 25),
  sse2: at(1, 'd', 26),
  sse3: at(1, 'c', 0),
  monitor: at(1, 'c', 3),
  ssse3: at(1, 'c', 9),
  cx16: at(1, 'c', 13),
  pcid: at(1, 'c', 17),
  'sse4.1': at(1, 'c', 19),
  'sse4.2': at(1, 'c', 20),
  x2apic: at(1, 'c', 21),
  movbe: at(1, 'c', 22),
  popcnt: at(1, 'c', 23),
  'tsc-deadline': at(1, 'c', 24),
  xsave: at(1, 'c', 26),
  rdrand: at(1, 'c', 30),
  hypervisor: at(1, 'c', 31),
  fsgsbase: at(7, 'b', 0),
  'tsc-adjust': at(7, 'b', 1),
  bmi1: at(7, 'b', 3),
  smep: at(7, 'b', 7),
  bmi2: at(7, 'b', 8),
  erms: at(7, 'b', 9),
  invpcid: at(7, 'b', 10),
  adx: at(7, 'b', 19),
  smap: at(7, 'b', 20),
  umip: at(7, 'c', 2),
  lahf: at(0x8000_0001, 'c', 0),
  lzcnt: at(0x8000_0001, 'c', 5),
  prefetchw: at(0x8000_0001, 'c', 8),
  syscall: at(0x8000_0001, 'd', 11),
  nx: at(0x8000_0001, 'd', 20),
  pdpe1gb: at(0x8000_0001, 'd', 26),
  rdtscp: at(0x8000_0001, 'd', 27),
  lm: at(0x8000_0001, 'd', 29),
  'invariant-tsc': at(0x8000_0007, 'd', 8),
} as const satisfies Record<string, Place>;
export type Feature = keyof typeof FEATURES;

/** What works today. One line to switch a feature on once its rows exist. */
const BASE: readonly Feature[] = [
  'fpu', 'de', 'pse', 'tsc', 'msr', 'pae', 'mce', 'cx8', 'apic', 'sep', 'mtrr', 'pge', 'mca', 'cmov', 'pat', 'pse36', 'clflush',
  'mmx', 'fxsr', 'sse', 'sse2', 'sse3', 'ssse3',
  'cx16', 'pcid', 'x2apic', 'movbe', 'popcnt', 'tsc-deadline',
  'fsgsbase', 'tsc-adjust', 'smep', 'invpcid', 'smap', 'umip',
  'lahf', 'prefetchw', 'syscall', 'nx', 'pdpe1gb', 'rdtscp', 'lm', 'invariant-tsc',
]; // prettier-ignore

export interface Model {
  vendor: 'GenuineIntel' | 'AuthenticAMD';
  family: number;
  model: number;
  stepping: number;
  /** At most 47 characters. */
  brand: string;
  has(feature: string): boolean;
  /** Hertz of the time-stamp counter: one tick is one nanosecond. */
  tscHz: number;
}
export function makeModel(
  vendor: Model['vendor'] = 'GenuineIntel',
  options: { without?: readonly Feature[]; with?: readonly Feature[] } = {},
): Model {
  const features = new Set<string>([...BASE, ...(options.with ?? [])]);
  for (const name of options.without ?? []) features.delete(name);
  return {
    vendor,
    family: vendor === 'GenuineIntel' ? 6 : 16,
    model: vendor === 'GenuineIntel' ? 23 : 2,
    stepping: 0,
    brand: 'Ringside Virtual Processor at 100MHz',
    tscHz: INSTRUCTIONS_PER_SECOND,
    has: (name) => features.has(name),
  };
}

type Leaf = [number, number, number, number];
const REGISTERS: readonly Register[] = ['a', 'b', 'c', 'd'];

function featureBits(model: Model, leaf: number): Leaf {
  const out: Leaf = [0, 0, 0, 0];
  for (const [name, place] of Object.entries(FEATURES))
    if (place.leaf === leaf && model.has(name)) out[REGISTERS.indexOf(place.register)] |= 1 << place.bit;
  return out;
}

/** Twelve characters of the vendor in EBX, EDX, ECX. */
function vendorLeaf(model: Model, highest: number): Leaf {
  const words = text(model.vendor, 12);
  return [highest, words[0], words[2], words[1]];
}
function text(s: string, bytes: number): number[] {
  const words: number[] = [];
  for (let i = 0; i < bytes; i += 4) {
    let word = 0;
    for (let j = 0; j < 4; j++) word |= (i + j < s.length ? s.charCodeAt(i + j) & 0xff : 0) << (j * 8);
    words.push(word);
  }
  return words;
}
function signature(model: Model): number {
  const family = Math.min(model.family, 15);
  const extended = model.family - family;
  return model.stepping | ((model.model & 15) << 4) | (family << 8) | ((model.model >> 4) << 16) | (extended << 20);
}
/** The same bits as leaf 1 in EDX on AMD (APM vol. 3 E.4.2). */
const AMD_ALIASES = 0x0183_f3ff;

const BASIC_LAST = 0xd;
const EXTENDED_LAST = 0x8000_0008;

/** Registers as signed 32-bit numbers. Leaves beyond the last basic one answer as that one does (SDM vol. 2 CPUID). */
export function cpuid(cpu: Cpu, leaf: number, subleaf: number): Leaf {
  const { model, state } = cpu;
  leaf >>>= 0;
  if (leaf >= 0x4000_0000 && leaf < 0x5000_0000) return [0, 0, 0, 0];
  if ((leaf > BASIC_LAST && leaf < 0x8000_0000) || leaf > EXTENDED_LAST) leaf = BASIC_LAST;
  const bits = featureBits(model, leaf);
  switch (leaf) {
    case 0:
      return vendorLeaf(model, BASIC_LAST);
    case 1: {
      // EBX: local APIC identifier, logical processors, CLFLUSH of 64 bytes.
      const ebx = (cpu.apicId << 24) | (cpu.processors << 16) | (8 << 8);
      let ecx = bits[2];
      if (model.has('xsave') && state.system32('cr4') & CR4.OSXSAVE) ecx |= 1 << 27;
      // The bit follows the enable bit of the APIC (SDM vol. 3A 10.4.3).
      const apicOff = (state.system32('apic_base') & (1 << 11)) === 0;
      const many = cpu.processors > 1 ? 1 << 28 : 0;
      return [signature(model), ebx, ecx, (apicOff ? bits[3] & ~(1 << 9) : bits[3]) | many];
    }
    case 2:
      // Descriptors: 32 KiB L1 caches, leaf 4 for the rest.
      return [0x0000_ff01, 0, 0, 0];
    case 4:
      return cacheLeaf(subleaf);
    case 6:
      return [1 << 2, 0, 0, 0];
    case 7:
      return subleaf === 0 ? bits : [0, 0, 0, 0];
    case 0xb:
      return topologyLeaf(cpu, subleaf);
    case 0xd:
      return [0, 0, 0, 0];
    case 0x8000_0000:
      return model.vendor === 'AuthenticAMD' ? vendorLeaf(model, EXTENDED_LAST | 0) : [EXTENDED_LAST | 0, 0, 0, 0];
    case 0x8000_0001:
      if (model.vendor === 'AuthenticAMD') bits[3] |= featureBits(model, 1)[3] & AMD_ALIASES;
      // Intel shows SYSCALL in 64-bit mode only.
      else if (!cpu.long) bits[3] &= ~(1 << 11);
      return bits;
    case 0x8000_0002:
    case 0x8000_0003:
    case 0x8000_0004:
      return text(model.brand, 48).slice((leaf - 0x8000_0002) * 4, (leaf - 0x8000_0002) * 4 + 4) as Leaf;
    case 0x8000_0006:
      // L2: 256 KiB, 8-way, lines of 64 bytes.
      return [0, 0, 0x0100_6040, 0];
    case 0x8000_0007:
      return bits;
    case 0x8000_0008:
      return [MAXPHYADDR | (48 << 8), 0, model.vendor === 'AuthenticAMD' ? cpu.processors - 1 : 0, 0];
    default:
      return [0, 0, 0, 0];
  }
}

/** Deterministic cache parameters: 32 KiB L1 data and instruction, 256 KiB L2. */
function cacheLeaf(subleaf: number): Leaf {
  const leaf = (type: number, level: number, ways: number, sets: number): Leaf => [
    type | (level << 5) | (1 << 8),
    ((ways - 1) << 22) | 63,
    sets - 1,
    0,
  ];
  if (subleaf === 0) return leaf(1, 1, 8, 64);
  if (subleaf === 1) return leaf(2, 1, 8, 64);
  if (subleaf === 2) return leaf(3, 2, 8, 512);
  return [0, 0, 0, 0];
}

/** One thread a core, all cores in one package. */
function topologyLeaf(cpu: Cpu, subleaf: number): Leaf {
  const shift = Math.ceil(Math.log2(Math.max(1, cpu.processors)));
  if (subleaf === 0) return [0, 1, 0x100, cpu.apicId];
  if (subleaf === 1) return [shift, cpu.processors, 0x201, cpu.apicId];
  return [0, 0, subleaf & 0xff, cpu.apicId];
}
