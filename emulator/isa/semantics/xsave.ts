/**
 * XSAVE and its relatives, XGETBV and XSETBV: SDM vol. 1 chapter 13. Components: x87, SSE, AVX; none of the supervisor's.
 * A component counts as in use exactly if it is not in its initial configuration (13.6). The modified optimization of
 * XSAVEOPT and XSAVES, which a processor may leave out, is left out.
 */
import type { Processor } from '../../cpu/ports';
import { GuestFault } from '../../cpu/ports';
import * as layout from '../../execution/layout';
import { CR0, CR4, GPR, VECTOR } from '../../x86/registers';
import { AVX_AREA, COMPACTED, EXTENDED_AT, LEGACY_BYTES, XSAVE_HEADER, XSTATE } from '../../x86/xsave';
import type { Instruction, SystemMeaning } from '../instruction';
import {
  FX, MXCSR_MASK, clearHalves, halvesInUse, initializeX87, restoreX87, restoreXmm, saveX87, saveXmm, x87InUse,
} from './fx-image'; // prettier-ignore
import { memoryLinear, readBytes, writeBytes } from './x87-memory';

const gp = (): GuestFault => new GuestFault(VECTOR.GP, 0);
const MXCSR_INITIAL = 0x1f80;
/** Fields of the legacy area that belong to one component; MXCSR goes by rules of its own. */
const X87_FIELDS = [
  [FX.control, FX.mxcsr],
  [FX.st, FX.xmm],
] as const;

const checkEnabled = (cpu: Processor): void => {
  if (!(cpu.state.system32('cr4') & CR4.OSXSAVE)) throw new GuestFault(VECTOR.UD);
};

/** The area's address and the requested components that XCR0 enables (RFBM). */
function open(cpu: Processor, instruction: Instruction, access: 'read' | 'write'): { gva: bigint; rfbm: number } {
  checkEnabled(cpu);
  if (cpu.state.system32('cr0') & CR0.TS) throw new GuestFault(VECTOR.NM);
  const gva = memoryLinear(cpu, instruction, EXTENDED_AT, access);
  if (gva & 63n) throw gp();
  return { gva, rfbm: cpu.state.gpr32(GPR.RAX) & cpu.state.system32('xcr0') };
}
const vectors = (instruction: Instruction): number => (instruction.codeSize === 64 ? 16 : 8);

/** XINUSE. */
function inUse(cpu: Processor, count: number): number {
  return (
    (x87InUse(cpu) ? XSTATE.X87 : 0) |
    (halvesInUse(cpu, count, 0) ? XSTATE.SSE : 0) |
    (halvesInUse(cpu, count, 16) ? XSTATE.AVX : 0)
  );
}
const mxcsrOf = (cpu: Processor): number => cpu.state.view.getUint32(layout.MXCSR, true);

/** Which parts of an area are written: [first, end) in bytes. */
type Parts = (readonly [number, number])[];

/** An image of the components of `written`, and where in it they lie. */
function imageOf(cpu: Processor, instruction: Instruction, written: number): { image: Uint8Array; parts: Parts } {
  const image = new Uint8Array(EXTENDED_AT + AVX_AREA.bytes);
  const parts: Parts = [];
  const count = vectors(instruction);
  if (written & XSTATE.X87) {
    saveX87(cpu, instruction, image);
    parts.push(...X87_FIELDS);
  }
  if (written & XSTATE.SSE) {
    saveXmm(cpu, count, image);
    parts.push([FX.xmm, FX.xmm + count * 16]);
  }
  if (written & XSTATE.AVX) {
    for (let i = 0; i < count; i++) {
      const at = layout.VECTORS + i * layout.VECTOR_SIZE + 16;
      image.set(cpu.state.bytes.subarray(at, at + 16), AVX_AREA.at + i * 16);
    }
    parts.push([AVX_AREA.at, AVX_AREA.at + count * 16]);
  }
  return { image, parts };
}
function putMxcsr(cpu: Processor, image: Uint8Array, parts: Parts): void {
  const view = new DataView(image.buffer);
  view.setUint32(FX.mxcsr, mxcsrOf(cpu), true);
  view.setUint32(FX.mask, MXCSR_MASK, true);
  parts.push([FX.mxcsr, FX.st]);
}

/** Nothing is written before everything can be. */
function store(cpu: Processor, gva: bigint, image: Uint8Array, parts: Parts): void {
  const pieces = parts.map(([first, end]) => ({ gva: gva + BigInt(first), bytes: image.slice(first, end) }));
  for (const piece of pieces) cpu.probeWrite(piece.gva, piece.bytes.length);
  for (const piece of pieces) writeBytes(cpu, piece.gva, piece.bytes);
}

/** XSAVE writes every requested component, XSAVEOPT those in use (13.7, 13.9). */
const standard =
  (onlyInUse: boolean): SystemMeaning =>
  (cpu, instruction) => {
    const { gva, rfbm } = open(cpu, instruction, 'write');
    const used = inUse(cpu, vectors(instruction));
    const { image, parts } = imageOf(cpu, instruction, onlyInUse ? rfbm & used : rfbm);
    if (rfbm & (XSTATE.SSE | XSTATE.AVX)) putMxcsr(cpu, image, parts);
    const header = gva + BigInt(XSAVE_HEADER.XSTATE_BV);
    const old = cpu.read(header, 8);
    const now = (old & ~BigInt(rfbm)) | BigInt(rfbm & used);
    new DataView(image.buffer).setBigUint64(XSAVE_HEADER.XSTATE_BV, now, true);
    parts.push([XSAVE_HEADER.XSTATE_BV, XSAVE_HEADER.XCOMP_BV]);
    store(cpu, gva, image, parts);
  };
export const xsave = standard(false);
export const xsaveopt = standard(true);

/** XSAVEC, XSAVES: the compacted form. With AVX as the last component it lies where the standard form has it (13.10, 13.11). */
export const xsaveCompacted: SystemMeaning = (cpu, instruction) => {
  const { gva, rfbm } = open(cpu, instruction, 'write');
  let used = inUse(cpu, vectors(instruction));
  if (mxcsrOf(cpu) !== MXCSR_INITIAL) used |= XSTATE.SSE;
  const { image, parts } = imageOf(cpu, instruction, rfbm & used);
  if (rfbm & used & XSTATE.SSE) putMxcsr(cpu, image, parts);
  const view = new DataView(image.buffer);
  view.setBigUint64(XSAVE_HEADER.XSTATE_BV, BigInt(rfbm & used), true);
  view.setBigUint64(XSAVE_HEADER.XCOMP_BV, COMPACTED | BigInt(rfbm), true);
  parts.push([LEGACY_BYTES, LEGACY_BYTES + 16]);
  store(cpu, gva, image, parts);
};

interface Header {
  /** Components that the area holds. */
  present: number;
  compacted: boolean;
}
/** Header checks of 13.8, 13.12: #GP(0). `must`: XRSTORS takes the compacted form only. */
function checkHeader(cpu: Processor, bytes: Uint8Array, must: boolean): Header {
  const view = new DataView(bytes.buffer, bytes.byteOffset + LEGACY_BYTES);
  const present = view.getBigUint64(0, true);
  const format = view.getBigUint64(8, true);
  const enabled = cpu.state.system('xcr0');
  const compacted = (format & COMPACTED) !== 0n;
  const zero = (from: number, to: number): boolean => {
    for (let i = from; i < to; i += 8) if (view.getBigUint64(i, true) !== 0n) return false;
    return true;
  };
  if (compacted && !cpu.has('xsavec')) throw gp();
  if (must && !compacted) throw gp();
  if (!compacted) {
    if (present & ~enabled || !zero(8, 24)) throw gp();
  } else if (format & ~COMPACTED & ~enabled || present & ~format || !zero(16, 64)) throw gp();
  return { present: Number(present & 0xffn), compacted };
}

const restore =
  (must: boolean): SystemMeaning =>
  (cpu, instruction) => {
    const { gva, rfbm } = open(cpu, instruction, 'read');
    const legacy = readBytes(cpu, gva, EXTENDED_AT);
    const { present, compacted } = checkHeader(cpu, legacy, must);
    const count = vectors(instruction);
    const load = rfbm & present;
    const upper = load & XSTATE.AVX ? readBytes(cpu, gva + BigInt(AVX_AREA.at), count * 16) : undefined;
    const mxcsr = newMxcsr(legacy, rfbm, present, compacted);
    if (mxcsr !== undefined && mxcsr & ~MXCSR_MASK) throw gp();
    // Nothing faults from here on.
    if (load & XSTATE.X87) restoreX87(cpu, instruction, legacy);
    else if (rfbm & XSTATE.X87) initializeX87(cpu);
    if (load & XSTATE.SSE) restoreXmm(cpu, count, legacy);
    else if (rfbm & XSTATE.SSE) clearHalves(cpu, count, 0);
    if (upper) restoreUpper(cpu, upper);
    else if (rfbm & XSTATE.AVX) clearHalves(cpu, count, 16);
    if (mxcsr !== undefined) cpu.state.view.setUint32(layout.MXCSR, mxcsr, true);
  };
export const xrstor = restore(false);
export const xrstors = restore(true);

/** In the standard form SSE and AVX both load it, whatever XSTATE_BV says; compacted it belongs to SSE. Undefined: kept. */
function newMxcsr(legacy: Uint8Array, rfbm: number, present: number, compacted: boolean): number | undefined {
  const saved = new DataView(legacy.buffer).getUint32(FX.mxcsr, true);
  if (!compacted) return rfbm & (XSTATE.SSE | XSTATE.AVX) ? saved : undefined;
  if (!(rfbm & XSTATE.SSE)) return undefined;
  return present & XSTATE.SSE ? saved : MXCSR_INITIAL;
}
function restoreUpper(cpu: Processor, upper: Uint8Array): void {
  for (let i = 0; i * 16 < upper.length; i++)
    cpu.state.bytes.set(upper.subarray(i * 16, i * 16 + 16), layout.VECTORS + i * layout.VECTOR_SIZE + 16);
}

/** ECX 1, where it exists, is XCR0 and XINUSE (SDM vol. 2 XGETBV). */
export const xgetbv: SystemMeaning = (cpu) => {
  const { state } = cpu;
  checkEnabled(cpu);
  const index = state.gpr32(GPR.RCX);
  if (index > 1 || (index === 1 && !cpu.has('xgetbv1'))) throw gp();
  const value = state.system32('xcr0') & (index === 1 ? inUse(cpu, cpu.long ? 16 : 8) : ~0);
  state.setGpr32(GPR.RAX, value);
  state.setGpr32(GPR.RDX, 0);
};
/** x87 cannot be taken away, AVX needs SSE (SDM vol. 1 13.3). */
export const xsetbv: SystemMeaning = (cpu) => {
  const { state } = cpu;
  checkEnabled(cpu);
  const value = state.gpr32(GPR.RAX);
  const known = XSTATE.X87 | XSTATE.SSE | (cpu.has('avx') ? XSTATE.AVX : 0);
  if (state.gpr32(GPR.RCX) !== 0 || state.gpr32(GPR.RDX) !== 0) throw gp();
  if (value & ~known || !(value & XSTATE.X87) || (value & XSTATE.AVX && !(value & XSTATE.SSE))) throw gp();
  state.setSystem('xcr0', BigInt(value));
};
