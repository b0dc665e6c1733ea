/**
 * CPUID: what the processor says of itself. Which features there are is features.ts, who has them models.ts.
 * Source: SDM vol. 2 CPUID; APM vol. 3 appendix E for leaves 8000_xxxx.
 */
import { CR4 } from '../x86/registers';
import { AVX_AREA, XSTATE, xsaveBytes } from '../x86/xsave';
import { MAXPHYADDR } from '../mmu/guest-paging';
import { APIC_CRYSTAL_HZ } from '../util/time';
import { FEATURES } from './features';
import type { CpuidRegister } from './features';
import type { Model } from './models';
import type { Cpu } from './cpu';

type Leaf = [number, number, number, number];
const REGISTERS: readonly CpuidRegister[] = ['a', 'b', 'c', 'd'];
const NONE: Readonly<Leaf> = [0, 0, 0, 0];

function featureBits(model: Model, leaf: number, subleaf = 0): Leaf {
  const out: Leaf = [...NONE];
  for (const [name, place] of Object.entries(FEATURES))
    if (place.leaf === leaf && place.subleaf === subleaf && model.has(name))
      out[REGISTERS.indexOf(place.register)] |= 1 << place.bit;
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
/** Family, model and stepping as leaf 1 and RESET's EDX show them. */
export function signature(model: Model): number {
  const family = Math.min(model.family, 15);
  const extended = model.family - family;
  return model.stepping | ((model.model & 15) << 4) | (family << 8) | ((model.model >> 4) << 16) | (extended << 20);
}
/** The same bits as leaf 1 in EDX on AMD (APM vol. 3 E.4.2). */
const AMD_ALIASES = 0x0183_f3ff;
/** 8000_000Ah is SVM's (APM vol. 3 E.4.9). */
const extendedLast = ({ model }: Cpu): number => (model.has('svm') ? 0x8000_000a : 0x8000_0008);

const isAmd = (cpu: Cpu): boolean => cpu.model.vendor === 'AuthenticAMD';

/** Registers as signed 32-bit numbers. Leaves beyond the last basic one answer as that one does (SDM vol. 2 CPUID). */
export function cpuid(cpu: Cpu, leaf: number, subleaf: number): Leaf {
  leaf >>>= 0;
  subleaf >>>= 0;
  if (leaf >= 0x4000_0000 && leaf < 0x5000_0000) return [...NONE];
  const { lastLeaf } = cpu.model;
  if ((leaf > lastLeaf && leaf < 0x8000_0000) || leaf > extendedLast(cpu)) {
    if (isAmd(cpu)) return [...NONE];
    leaf = lastLeaf;
  }
  return leaf >= 0x8000_0000 ? extendedLeaf(cpu, leaf) : basicLeaf(cpu, leaf, subleaf);
}

function basicLeaf(cpu: Cpu, leaf: number, subleaf: number): Leaf {
  const { model } = cpu;
  switch (leaf) {
    case 0:
      return vendorLeaf(model, model.lastLeaf);
    case 1:
      return leaf1(cpu);
    case 2:
      if (isAmd(cpu)) return [...NONE]; // reserved
      // FFh: leaf 4 says it all. Without a leaf 4: TLBs, 32 KiB of L1 each, 256 KiB of L2 (table 3-12).
      return model.lastLeaf >= 4 ? [0x0000_ff01, 0, 0, 0] : [0x0302_0101, 0, 0, 0x007a_302c];
    case 4:
      return isAmd(cpu) ? [...NONE] : cacheLeaf(cpu, subleaf);
    case 6:
      return featureBits(model, 6);
    case 7:
      return leaf7(model, subleaf);
    case 0xb:
      return model.has('x2apic') || !isAmd(cpu) ? topologyLeaf(cpu, subleaf) : [...NONE];
    case 0xd:
      return model.has('xsave') ? xsaveLeaf(cpu, subleaf) : [...NONE];
    case 0x15:
      // TSC = crystal * EBX / EAX. The APIC timer counts the crystal (SDM vol. 3A 10.5.4).
      return [APIC_CRYSTAL_HZ / model.tscHz, 1, APIC_CRYSTAL_HZ, 0];
    case 0x16:
      return [model.tscHz / 1e6, model.tscHz / 1e6, 100, 0];
    default:
      return [...NONE];
  }
}

/** EAX of subleaf 0 is the last subleaf. */
function leaf7(model: Model, subleaf: number): Leaf {
  const bits = featureBits(model, 7, subleaf);
  if (subleaf === 0 && model.has('bhi-ctrl')) bits[0] = 2;
  return bits;
}

function leaf1(cpu: Cpu): Leaf {
  const { model, state } = cpu;
  const bits = featureBits(model, 1);
  // EBX: local APIC identifier, logical processors, CLFLUSH of 64 bytes.
  const ebx = (cpu.apicId << 24) | (cpu.processors << 16) | (8 << 8);
  let ecx = bits[2];
  if (model.has('xsave') && state.system32('cr4') & CR4.OSXSAVE) ecx |= 1 << 27;
  // The bit follows the enable bit of the APIC (SDM vol. 3A 10.4.3).
  const apicOff = (state.system32('apic_base') & (1 << 11)) === 0;
  const many = cpu.processors > 1 ? 1 << 28 : 0;
  return [signature(model), ebx, ecx, (apicOff ? bits[3] & ~(1 << 9) : bits[3]) | many];
}

function extendedLeaf(cpu: Cpu, leaf: number): Leaf {
  const { model } = cpu;
  const amd = isAmd(cpu);
  switch (leaf) {
    case 0x8000_0000:
      return amd ? vendorLeaf(model, extendedLast(cpu) | 0) : [extendedLast(cpu) | 0, 0, 0, 0];
    case 0x8000_0001: {
      const bits = featureBits(model, leaf);
      if (amd) {
        bits[0] = signature(model);
        bits[3] |= featureBits(model, 1)[3] & AMD_ALIASES;
        // CMP_LEGACY: leaf 1 counts cores.
        if (cpu.processors > 1) bits[2] |= 1 << 1;
      }
      // Intel shows SYSCALL in 64-bit mode only.
      else if (!cpu.long) bits[3] &= ~(1 << 11);
      return bits;
    }
    case 0x8000_0002:
    case 0x8000_0003:
    case 0x8000_0004:
      return text(model.brand, 48).slice((leaf - 0x8000_0002) * 4, (leaf - 0x8000_0002) * 4 + 4) as Leaf;
    case 0x8000_0005:
      // TLBs of 64 entries; 32 KiB L1 data and instruction, 8-way, lines of 64 bytes.
      return amd ? [0xff40_ff40 | 0, 0xff40_ff40 | 0, 0x2008_0140, 0x2008_0140] : [...NONE];
    case 0x8000_0006:
      // L2: 256 KiB, 8-way, lines of 64 bytes.
      return [0, 0, amd ? 0x0100_6140 : 0x0100_6040, 0];
    case 0x8000_0007:
      return featureBits(model, leaf);
    case 0x8000_0008: {
      const linear = model.has('lm') ? 48 : 32;
      return [
        MAXPHYADDR | (linear << 8),
        featureBits(model, leaf)[1],
        amd ? (cpu.processors - 1) | (coreBits(cpu) << 12) : 0,
        0,
      ];
    }
    case 0x8000_000a:
      return model.has('svm') ? [1, ASIDS, 0, SVM_FEATURES] : [...NONE];
    default:
      return [...NONE];
  }
}
const ASIDS = 0x8000;
/** Nested paging 0, NRIP 3, VMCB clean bits 5, flush by ASID 6, decode assists 7, virtual GIF 16. */
const SVM_FEATURES = (1 << 0) | (1 << 3) | (1 << 5) | (1 << 6) | (1 << 7) | (1 << 16);

/** Deterministic cache parameters: 32 KiB L1 data and instruction, 256 KiB L2. */
function cacheLeaf(cpu: Cpu, subleaf: number): Leaf {
  const cores = (idsReserved(cpu) - 1) << 26;
  const leaf = (type: number, level: number, ways: number, sets: number): Leaf => [
    type | (level << 5) | (1 << 8) | cores,
    ((ways - 1) << 22) | 63,
    sets - 1,
    0,
  ];
  if (subleaf === 0) return leaf(1, 1, 8, 64);
  if (subleaf === 1) return leaf(2, 1, 8, 64);
  if (subleaf === 2) return leaf(3, 2, 8, 512);
  return [...NONE];
}

/** Bits of an APIC identifier that number the cores of the one package. */
const coreBits = (cpu: Cpu): number => Math.ceil(Math.log2(Math.max(1, cpu.processors)));
const idsReserved = (cpu: Cpu): number => Math.min(64, 1 << coreBits(cpu));

/** One thread a core, all cores in one package. */
function topologyLeaf(cpu: Cpu, subleaf: number): Leaf {
  if (subleaf === 0) return [0, 1, 0x100, cpu.apicId];
  if (subleaf === 1) return [coreBits(cpu), cpu.processors, 0x201, cpu.apicId];
  return [0, 0, subleaf & 0xff, cpu.apicId];
}

/** State components that XCR0 may enable. */
export const xcr0Allowed = (model: Model): number => XSTATE.X87 | XSTATE.SSE | (model.has('avx') ? XSTATE.AVX : 0);

function xsaveLeaf(cpu: Cpu, subleaf: number): Leaf {
  const { model, state } = cpu;
  const allowed = xcr0Allowed(model);
  const enabled = xsaveBytes(state.system32('xcr0'));
  switch (subleaf) {
    case 0:
      return [allowed, enabled, xsaveBytes(allowed), 0];
    case 1: {
      const [bits] = featureBits(model, 0xd, 1);
      // EBX: what XSAVES needs for XCR0 | IA32_XSS; no supervisor component exists here.
      return [bits, bits & 0b1010 ? enabled : 0, 0, 0];
    }
    case 2:
      return allowed & XSTATE.AVX ? [AVX_AREA.bytes, AVX_AREA.at, 0, 0] : [...NONE];
    default:
      return [...NONE];
  }
}
