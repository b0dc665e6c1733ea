/** PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM: plain meanings. SDM vol. 2B section 4.1. */
import type { Processor } from '../../cpu/ports';
import { GPR, RFLAGS } from '../../x86/registers';
import type { Instruction, SystemMeaning } from '../instruction';
import { immediateOf } from './sse-float';
import { available, readUnaligned, writeVector } from './vector-operands';

/** A string in a vector: its elements, and how many of them count. */
interface Text {
  elements: number[];
  length: number;
}

function elementsOf(value: bigint, wide: boolean, signed: boolean): number[] {
  const bits = wide ? 16 : 8;
  return Array.from({ length: 128 / bits }, (_, i) => {
    const element = value >> BigInt(i * bits);
    return Number(signed ? BigInt.asIntN(bits, element) : BigInt.asUintN(bits, element));
  });
}
/** A length in a general register: its magnitude, at most all. */
function explicitLength(cpu: Processor, insn: Instruction, register: number, most: number): number {
  const bits = insn.rex & 8 ? 64 : 32;
  const value = BigInt.asIntN(bits, cpu.state.gpr(register));
  const magnitude = value < 0n ? -value : value;
  return magnitude > BigInt(most) ? most : Number(magnitude);
}

/** Table 4-7: how pairs of which not both count are compared, by kind of aggregation. */
function aggregate(kind: number, a: Text, b: Text): boolean[] {
  const count = a.elements.length;
  const places = Array.from({ length: count }, (_, i) => i);
  const [inA, inB] = [a, b].map(
    (text) =>
      (i: number): boolean =>
        i < text.length,
  );
  switch (kind) {
    case 0: return places.map((j) => inB(j) && places.some((i) => inA(i) && a.elements[i] === b.elements[j]));
    case 1: return places.map((j) => inB(j) && places.some((i) => i % 2 === 0 && inA(i + 1) && a.elements[i] <= b.elements[j] && b.elements[j] <= a.elements[i + 1]));
    case 2: return places.map((i) => (inA(i) && inB(i) ? a.elements[i] === b.elements[i] : inA(i) === inB(i)));
    default: return places.map((j) => places.every((i) => i + j >= count || !inA(i) || (inB(i + j) && a.elements[i] === b.elements[i + j])));
  } // prettier-ignore
}

/** Polarity: negated, or negated where the second string counts. */
function polarized(control: number, bits: readonly boolean[], b: Text): boolean[] {
  if (!(control & 0x10)) return [...bits];
  return bits.map((bit, i) => (control & 0x20 && i >= b.length ? bit : !bit));
}

/** The index of the first or last one, or a mask of bits or of whole elements in XMM0. */
function answer(cpu: Processor, insn: Instruction, index: boolean, control: number, bits: readonly boolean[]): void {
  if (index) {
    const found = control & 0x40 ? bits.lastIndexOf(true) : bits.indexOf(true);
    cpu.state.setGpr32(GPR.RCX, found < 0 ? bits.length : found);
    return;
  }
  const width = control & 0x40 ? 128 / bits.length : 1;
  const ones = (1n << BigInt(width)) - 1n;
  const mask = bits.reduceRight((all, bit) => (all << BigInt(width)) | (bit ? ones : 0n), 0n);
  writeVector(cpu, { ...insn, operands: [{ kind: 'xmm', index: 0, size: 128 }] }, mask);
}

export const compareStrings = (explicit: boolean, index: boolean): SystemMeaning => (cpu, insn) => {
  available(cpu, insn);
  const control = immediateOf(insn);
  const [wide, signed] = [(control & 1) !== 0, (control & 2) !== 0];
  const [a, b] = [0, 1].map((i): Text => {
    const elements = elementsOf(readUnaligned(cpu, insn, i), wide, signed);
    const end = elements.indexOf(0);
    const length = explicit ? explicitLength(cpu, insn, i ? GPR.RDX : GPR.RAX, elements.length) : end < 0 ? elements.length : end;
    return { elements, length };
  });
  const bits = polarized(control, aggregate((control >> 2) & 3, a, b), b);
  const { CF, PF, AF, ZF, SF, OF } = RFLAGS;
  const short = (text: Text): boolean => text.length < text.elements.length;
  const flags = (bits.includes(true) ? CF : 0) | (short(b) ? ZF : 0) | (short(a) ? SF : 0) | (bits[0] ? OF : 0);
  answer(cpu, insn, index, control, bits);
  cpu.state.rflags = (cpu.state.rflags & ~(CF | PF | AF | ZF | SF | OF)) | flags;
}; // prettier-ignore
