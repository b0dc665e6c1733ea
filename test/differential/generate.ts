/**
 * Cases from the opcode rows: every row in every form, with operands at which instructions go wrong.
 */
import { parseEncoding } from '../../emulator/isa/encoding';
import type { Encoding } from '../../emulator/isa/encoding';
import type { Row } from '../../emulator/isa/instruction';
import { encode, little, placeRipRelative, setPointers } from './encode';
import type { Encoded } from './encode';
import { PLACE } from './oracle';
import type { Case } from './oracle';
import { interestingExtended, interestingFloat, interestingInteger } from './random';
import type { Random } from './random';

/** What user mode may not do, what differs between runs, and what leaves the test's address space. */
const NOT_HERE = new Set([
  'int', 'int1', 'int3', 'into', 'iret', 'syscall', 'sysenter', 'cpuid', 'rdtsc', 'rdtscp', 'rdpmc', 'rdrand', 'rdseed',
  'xgetbv', 'sgdt', 'sidt', 'sldt', 'str', 'smsw', 'verr', 'verw', 'lar', 'lsl', 'arpl', 'lds', 'les', 'lfs', 'lgs', 'lss',
  'callf', 'jmpf', 'retf', 'popf', 'vmcall', 'vmmcall', 'rdpid', 'xsave', 'xsaveopt', 'xsavec', 'xrstor', 'rdfsbase', 'rdgsbase', 'wrfsbase', 'wrgsbase',
  'monitor', 'mwait', 'clflush', 'clflushopt', 'clwb', 'clzero', 'emms_', 'ud0', 'ud1', 'ud2',
]); // prettier-ignore

export function runsInUserMode(row: Row): boolean {
  const { privileged, io, protectedOnly } = row.attributes;
  if (privileged || io || protectedOnly || NOT_HERE.has(row.mnemonic)) return false;
  return !/(^|,)([ASCD][wpvz]?|Mp|Ms|ES|CS|SS|DS|FS|GS)(,|$)/.test(row.operands);
}

export type Domain = 'integer' | 'x87' | 'vector';
export const domainOf = (row: Row): Domain =>
  /^(d[8-f]|9b)/.test(row.opcode) || row.mnemonic === 'emms' ? 'x87' : /[PQNVWU]/.test(row.operands) || /xmm|mxcsr|fx|^vzero/.test(row.mnemonic) ? 'vector' : 'integer'; // prettier-ignore

const PLAIN_FX = ((): Uint8Array => {
  const fx = new Uint8Array(512);
  const view = new DataView(fx.buffer);
  view.setUint16(0, 0x37f, true);
  view.setUint32(24, 0x1f80, true);
  view.setUint32(28, 0xffff, true);
  return fx;
})();

const NO_UPPER = new Uint8Array(256);
/** 16 bytes of packed floats or integers. */
export function vectorBytes(random: Random, kind: number): number[] {
  switch (kind) {
    case 0: return [0, 1, 2, 3].flatMap(() => little(interestingFloat(random, 32), 4));
    case 1: return [0, 1].flatMap(() => little(interestingFloat(random, 64), 8));
    case 2: return [0, 1].flatMap(() => little(interestingInteger(random), 8));
    default: return [...random.bytes(16)];
  } // prettier-ignore
}

function packedDecimal(random: Random): number[] {
  const digits = Array.from({ length: 9 }, () => random.below(10) | (random.below(10) << 4));
  return [...digits, random.pick([0, 0x80])];
}

function x87Operand(random: Random, bytes: number): number[] {
  if (bytes === 10) return random.oneIn(2) ? little(interestingExtended(random), 10) : packedDecimal(random);
  if (bytes === 4 && random.oneIn(2)) return little(interestingFloat(random, 32), 4);
  if (bytes === 8 && random.oneIn(2)) return little(interestingFloat(random, 64), 8);
  if (bytes > 16) return [...random.bytes(bytes)];
  return little(interestingInteger(random), bytes);
}

/** x87 and SSE state in FXSAVE's layout: rounding modes, precisions, sometimes unmasked or pending exceptions. */
export function floatState(random: Random, kind: number): Uint8Array {
  const fx = PLAIN_FX.slice();
  const view = new DataView(fx.buffer);
  const masks = random.oneIn(8) ? random.below(64) : 0x3f;
  const control = (random.below(4) << 10) | (random.pick([3, 3, 3, 2, 0, 1]) << 8) | 0x40 | masks;
  view.setUint16(0, control, true);
  const flags = random.oneIn(16) ? random.below(64) : random.below(64) & masks;
  const pending = flags & ~masks ? 0x8080 : 0;
  view.setUint16(2, (random.below(8) << 11) | (random.u32() & 0x4700) | flags | pending, true);
  fx[4] = random.oneIn(4) ? random.u32() : 0xff;
  for (let i = 0; i < 8; i++) {
    const value = random.oneIn(2) ? interestingExtended(random) : extendedInteger(random);
    little(value, 10).forEach((byte, j) => (fx[32 + i * 16 + j] = byte));
  }
  const unmasked = random.oneIn(8) ? random.below(64) : 0x3f;
  const mxcsr = (random.below(4) << 13) | (unmasked << 7) | (random.oneIn(8) ? random.pick([0x40, 0x8000, 0x8040]) : 0);
  view.setUint32(24, mxcsr | (random.oneIn(2) ? random.below(64) : 0), true);
  for (let i = 0; i < 16; i++)
    fx.set(random.oneIn(3) && i ? fx.slice(160, 176) : vectorBytes(random, kind), 160 + i * 16);
  return fx;
}

/** An 80-bit extended that holds an integer, or an integer and a half. */
function extendedInteger(random: Random): bigint {
  const magnitude = interestingInteger(random) >> BigInt(random.below(64));
  if (magnitude === 0n) return 0n;
  const length = BigInt(magnitude.toString(2).length);
  const exponent = 16383n + length - 1n - BigInt(random.below(3));
  return (BigInt(random.below(2)) << 79n) | (exponent << 64n) | (magnitude << (64n - length));
}

export interface Generated {
  row: Row;
  case: Case;
}

export class Generator {
  private readonly encodings: readonly Encoding[];
  /** Memory is cut out of this; what the operand holds is written over it. */
  private readonly pool: Uint8Array;

  constructor(
    rows: readonly Row[],
    private readonly random: Random,
  ) {
    this.encodings = rows.filter(runsInUserMode).map(parseEncoding);
    this.pool = Uint8Array.from(Array.from({ length: 4096 }, () => little(interestingInteger(random), 8)).flat());
  }

  /** `count` cases for each row that exists in this code size. */
  *cases(codeSize: 64 | 32, count: number): Generator_ {
    for (const encoding of this.encodings) {
      const { attributes } = encoding.row;
      if (codeSize === 64 ? attributes.not64 : attributes.only64 || encoding.rexW) continue;
      for (let i = 0; i < count; i++) {
        const made = this.one(encoding, codeSize);
        if (made) yield { row: encoding.row, case: made };
      }
    }
  }

  private one(encoding: Encoding, codeSize: 64 | 32): Case | undefined {
    const { random } = this;
    const encoded = encode(encoding, codeSize, random);
    if (!encoded || encoded.bytes.length > 15) return undefined;
    const atPageEnd = random.oneIn(16);
    placeRipRelative(encoded, atPageEnd ? PLACE.CODE_END - encoded.bytes.length : PLACE.CODE_NORMAL);
    const domain = domainOf(encoding.row);
    const kind = random.below(4);
    const gprs = this.registers(encoding, encoded, codeSize);
    const fx = domain === 'integer' ? PLAIN_FX : floatState(random, kind);
    const upper = domain === 'vector' ? this.upperHalves(kind) : NO_UPPER;
    if (encoded.vectorIndex !== undefined) this.smallIndices(encoding, encoded.vectorIndex, fx, upper);
    return {
      codeSize, code: Uint8Array.from(encoded.bytes), atPageEnd,
      // CF PF AF ZF SF OF, sometimes DF.
      rflags: 0x202 | (random.u32() & 0x8d5) | (random.oneIn(4) ? 0x400 : 0),
      gprs, fx, upper,
      memory: this.memory(encoding, encoded, domain, kind, gprs),
    }; // prettier-ignore
  }

  private upperHalves(kind: number): Uint8Array {
    return Uint8Array.from(Array.from({ length: 16 }, () => vectorBytes(this.random, kind)).flat());
  }
  /** Indices that stay in the area, one in many aside. */
  private smallIndices(encoding: Encoding, register: number, fx: Uint8Array, upper: Uint8Array): void {
    const bytes = /gatherd/.test(encoding.row.mnemonic) ? 4 : 8;
    for (let at = 0; at < 32; at += bytes) {
      const index = this.random.oneIn(100) ? this.random.u64() : BigInt(this.random.below(40) - 20);
      const [target, offset] = at < 16 ? [fx, 160 + register * 16 + at] : [upper, register * 16 + at - 16];
      target.set(little(index, bytes), offset);
    }
  }

  private registers(encoding: Encoding, encoded: Encoded, codeSize: 64 | 32): BigUint64Array {
    const { random } = this;
    const { AREA, CODE_PAGE } = PLACE;
    const gprs = new BigUint64Array(16);
    let last = random.u64();
    for (let i = 0; i < 16; i++) gprs[i] = last = interestingInteger(random, last);
    // Bit offsets reach far beyond the operand: keep most of them in the data pages.
    const wild = /^bt[src]?$/.test(encoding.row.mnemonic) && encoded.target >= 0n;
    if (wild) for (let i = 0; i < 16; i++) gprs[i] = BigInt.asUintN(64, BigInt(random.below(4096) - 2048));
    const place = (offset: number): bigint => BigInt(AREA + 64 + (random.oneIn(4) ? offset : offset & -8));
    gprs[4] = place(random.below(256));
    setPointers(encoding, encoded, codeSize, random, gprs);
    encoded.address(gprs);
    if (/^(call|jmp)$/.test(encoding.row.mnemonic) && encoded.target < 0n && random.below(8))
      for (let i = 0; i < 16; i++) if (i !== 4) gprs[i] = BigInt(CODE_PAGE + random.below(0x700));
    if (codeSize === 32) {
      for (let i = 0; i < 8; i++) gprs[i] &= 0xffff_ffffn;
      gprs.fill(0n, 8);
    }
    return gprs;
  }

  private memory(encoding: Encoding, encoded: Encoded, domain: Domain, kind: number, gprs: BigUint64Array): Uint8Array {
    const { random } = this;
    const { AREA, AREA_LOW, AREA_BYTES, CODE_PAGE } = PLACE;
    const from = random.below(this.pool.length - AREA_BYTES);
    const memory = this.pool.slice(from, from + AREA_BYTES);
    const put = (address: bigint, bytes: readonly number[]): void => {
      const area = address < 0x1_0000n ? AREA_LOW : AREA;
      const at = Number(address) - area;
      if (at >= 0 && at + bytes.length <= AREA_BYTES) memory.set(bytes, at);
    };
    const branch = /^(ret|call|jmp)$/.test(encoding.row.mnemonic);
    const pointer = little(BigInt(CODE_PAGE + random.below(0x700)), encoded.operandSize / 8);
    if (branch && random.below(8)) put(encoded.target >= 0n ? encoded.target : gprs[4], pointer);
    if (encoded.target >= 0n && domain === 'integer' && !branch) {
      put(encoded.target, little(interestingInteger(random, gprs[random.below(16)]), 8));
    }
    if (encoded.target >= 0n && domain === 'x87') put(encoded.target, x87Operand(random, encoded.memoryBytes));
    if (encoded.target >= 0n && domain === 'vector') this.vectorMemory(encoding, encoded, kind, put);
    return memory;
  }

  private vectorMemory(
    encoding: Encoding,
    encoded: Encoded,
    kind: number,
    put: (at: bigint, bytes: number[]) => void,
  ): void {
    const { random } = this;
    if (/mxcsr/.test(encoding.row.mnemonic))
      put(encoded.target, little(BigInt(random.below(random.oneIn(4) ? 0x2_0000 : 0x1_0000)), 4)); // prettier-ignore
    else if (encoded.memoryBytes === 512) put(encoded.target, [...floatState(random, kind)]);
    else put(encoded.target, [...vectorBytes(random, kind), ...(encoding.vex ? vectorBytes(random, kind) : [])]);
  }
}

type Generator_ = globalThis.Generator<Generated, void, undefined>;
