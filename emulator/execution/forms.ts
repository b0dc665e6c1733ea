/** From a decoded instruction to the code that executes it: forms, their keys, handler numbers, records. */
import type { Instruction, Operand, Row } from '../isa/instruction';
import { SEG } from '../x86/registers';
import { assert } from '../util/assert';
import type { Addressing, Form } from './builder';
import { buildForms } from './interpreter';
import type { FormCode } from './interpreter';
import type { FunctionTable } from './function-table';
import * as layout from './layout';
import { REPEATS } from './form-number';
import { FIRST_FORM_HANDLER, GUARD_INDEX, HANDLER, HEADER, HEADER_BYTES, NO_REGION, RECORD, RECORD_BYTES } from './record'; // prettier-ignore

/** What a block is translated for. Two blocks of different modes are never confused; `key` tells them apart. */
export interface ExecutionMode {
  readonly key: number;
  readonly codeSize: 16 | 32 | 64;
  readonly stackSize: 16 | 32 | 64;
  readonly addressing: Addressing;
  /** Rows with an `intercept`, and sensitive ones, call their plain meaning, which asks first (cpu/dispatch.ts). */
  readonly asks: boolean;
  /** But not those that guests spin on. */
  readonly spares?: boolean;
}
/** Emitted, because guests that wait do nothing else; by `intercept`. */
const SPUN_ON: readonly (string | undefined)[] = ['rdtsc', 'pause'];

/** Whether the row's plain meaning executes it, where `emitted` code could: it has no other, or somebody wants to be asked. */
export const isCalled = ({ meaning, attributes }: Row, { asks, spares }: ExecutionMode): boolean =>
  meaning.kind === 'call' ||
  (asks &&
    !(spares && SPUN_ON.includes(attributes.intercept)) &&
    meaning.plain !== undefined &&
    (attributes.intercept !== undefined || attributes.sensitive === true));

type FormOperand = Form['operands'][number];

function formOperand(operand: Operand, instruction: Instruction): FormOperand {
  switch (operand.kind) {
    case 'gpr':
    case 'immediate':
      return { kind: operand.kind, size: operand.size };
    case 'memory':
      return { kind: memoryKind(instruction), size: operand.size };
    case 'xmm':
      return { kind: 'vector', size: operand.size };
    case 'mmx':
      return { kind: 'mmx', size: 64 };
    case 'relative':
      return { kind: 'target', size: 64 };
    case 'segment':
      return { kind: 'segment', size: 16 };
    default:
      throw new Error(`${instruction.row.mnemonic}: an operand of kind ${operand.kind} has no emitted form`);
  }
}

/** A displacement that does not fit the record's 32 bits: MOV with a 64-bit offset. */
function isAbsolute({ memory }: Instruction): boolean {
  if (!memory || memory.ripRelative || memory.base >= 0 || memory.index >= 0) return false;
  return BigInt.asIntN(64, memory.displacement) !== BigInt.asIntN(32, memory.displacement);
}

const memoryKind = (instruction: Instruction): 'rip' | 'absolute' | 'memory' =>
  instruction.memory?.ripRelative ? 'rip' : isAbsolute(instruction) ? 'absolute' : 'memory';

const STACKS: readonly string[] = ['pusha', 'popa', 'iret'];
/** Whether a meaning may look at the stack's width. */
const usesStack = ({ row }: Instruction): boolean =>
  row.attributes.default64 === true || row.attributes.force64 === true || STACKS.includes(row.mnemonic);
const COUNTS: readonly string[] = ['loop', 'loope', 'loopne', 'jcxz'];
const countsByAddressSize = ({ row }: Instruction): boolean =>
  row.attributes.repeat !== undefined || COUNTS.includes(row.mnemonic);

export function formOf(instruction: Instruction, mode: ExecutionMode): Form {
  const { memory, row } = instruction;
  const touches = memory !== undefined || countsByAddressSize(instruction);
  const hasBase = memory !== undefined && (memory.segment === SEG.FS || memory.segment === SEG.GS);
  let addressing: Addressing = touches ? mode.addressing : 'flat64';
  // Outside 64-bit mode only DS, ES and SS are known to be flat and writable.
  if (addressing === 'flat32' && (hasBase || memory?.segment === SEG.CS)) addressing = 'general';
  const stack = usesStack(instruction);
  return {
    operandSize: instruction.operandSize,
    addressSize: touches ? instruction.addressSize : 64,
    stackSize: stack ? mode.stackSize : 64,
    addressing,
    stackAddressing: stack ? mode.addressing : 'flat64',
    based: addressing === 'flat64' && hasBase,
    operands: instruction.operands.map((o) => formOperand(o, instruction)),
    rep: row.attributes.repeat ? instruction.rep : 'none',
  };
}

const ADDRESSES = { memory: 1, absolute: 2, rip: 3 } as const;
/**
 * Instructions with the same number have the same form in each mode: the row and what prefixes and ModRM can change of
 * the operands that it names. For those who ask often.
 */
function likeness(insn: Instruction): number {
  const { memory } = insn;
  const address = memory ? (memory.segment << 2) | ADDRESSES[memoryKind(insn)] : 0;
  const sizes =
    (insn.operandSize >> 4) | ((insn.addressSize >> 5) << 3) | ((insn.rex & 8) << 2) | ((insn.vex >> 7) << 6);
  return (insn.row.index << 16) | (REPEATS[insn.rep] << 14) | (address << 8) | sizes;
}

/** Names a form within a build; hot-forms.ts reads the part after the row. */
export const formKey = (row: { index: number }, form: Form): string => {
  const operands = form.operands.map((o) => o.kind.slice(0, 2) + o.size).join();
  const { operandSize, addressSize, stackSize, addressing, stackAddressing, based, rep } = form;
  return `${row.index}:${operandSize}/${addressSize}/${stackSize}/${addressing}/${stackAddressing}/${based ? 'b' : ''}/${operands}/${rep}`;
};

/** Functions that are made together when the first of them is met. */
export interface CommonForms {
  /** By formKey, in the order in which their module puts them into the table. */
  readonly keys: ReadonlySet<string>;
  /** `base`: where. */
  instantiate(base: number): void;
}

/** Numbers forms as they are met and makes their functions, a batch at a time. */
export class FormTable {
  private readonly handlers = new Map<string, number>();
  /** The same by mode, then by likeness. */
  private readonly numbered = new Map<number, Map<number, number>>();
  private readonly pending: { handler: number; code: FormCode }[] = [];

  constructor(
    private readonly table: FunctionTable,
    private readonly instantiate: (bytes: Uint8Array<ArrayBuffer>) => void,
    inline: readonly { key: string }[],
    private readonly common: CommonForms,
  ) {
    inline.forEach(({ key }, i) => this.handlers.set(key, FIRST_FORM_HANDLER + i));
  }

  /** The handler for an emitted instruction; `flush` before executing a record that has it. */
  handler(instruction: Instruction, mode: ExecutionMode): number {
    let same = this.numbered.get(mode.key);
    if (!same) this.numbered.set(mode.key, (same = new Map()));
    const number = likeness(instruction);
    let handler = same.get(number);
    if (handler === undefined) same.set(number, (handler = this.handlerOf(instruction, mode)));
    return handler;
  }
  private handlerOf(instruction: Instruction, mode: ExecutionMode): number {
    const { row } = instruction;
    if (row.meaning.kind === 'call' || isCalled(row, mode)) return HANDLER.CALLED;
    const { emit } = row.meaning;
    const form = formOf(instruction, mode);
    const key = formKey(row, form);
    const known = this.handlers.get(key);
    if (known !== undefined) return known;
    if (this.common.keys.has(key)) {
      this.addCommon();
      return this.handlers.get(key)!;
    }
    const handler = this.table.take();
    this.handlers.set(key, handler);
    this.pending.push({ handler, code: { form, emit, ends: row.attributes.ends === true } });
    return handler;
  }

  private addCommon(): void {
    let place = this.table.takeRun(this.common.keys.size);
    this.common.instantiate(place);
    for (const key of this.common.keys) this.handlers.set(key, place++);
  }

  flush(): void {
    if (this.pending.length === 0) return;
    const batch = this.pending.splice(0);
    const [codes, places] = [batch.map((p) => p.code), batch.map((p) => p.handler)];
    this.instantiate(buildForms(codes, places));
  }
}

const SLOTS = [RECORD.SLOT0, RECORD.SLOT1, RECORD.SLOT2];

/** Where a register operand lies in linear memory, a segment register's selector; 0 for what is no register. */
export function slotOf(operand: Operand): number {
  if (operand.kind === 'gpr')
    return operand.index < 16 ? layout.GPRS + operand.index * 8 : layout.GPRS + (operand.index - 16) * 8 + 1;
  if (operand.kind === 'xmm') return layout.VECTORS + operand.index * layout.VECTOR_SIZE;
  if (operand.kind === 'mmx') return layout.X87 + operand.index * 16;
  if (operand.kind === 'segment')
    return layout.SEGMENTS + operand.index * layout.SEGMENT_SIZE + layout.SEGMENT.SELECTOR;
  return 0;
}

const gprSlot = (index: number): number => (index < 0 ? layout.ZERO : layout.GPRS + index * 8);

/** What a record says whatever its operands are. */
function beginRecord(
  view: DataView,
  at: number,
  handler: number,
  length: number,
  position: number,
  next: bigint,
): void {
  for (let i = 0; i < RECORD_BYTES; i += 4) view.setInt32(at + i, 0, true);
  view.setUint32(at + RECORD.HANDLER, handler, true);
  view.setUint8(at + RECORD.LENGTH, length);
  view.setUint8(at + RECORD.POSITION, position);
  view.setBigUint64(at + RECORD.NEXT_RIP, next, true);
}
/** Behind a block's last instruction: goes on after it. */
export function writeFall(view: DataView, at: number, last: Instruction, position: number, to: bigint): void {
  beginRecord(view, at, HANDLER.FALL, last.length, position, to);
}

/** The record's immediate field: immediate, branch target or absolute address. ENTER's second lies above the 16 bits of the first. */
export function immediateOf(insn: Instruction): bigint {
  let value = isAbsolute(insn) ? insn.memory!.displacement : 0n;
  let last: Operand | undefined;
  for (const operand of insn.operands) {
    if (operand.kind === 'relative') value = operand.target;
    if (operand.kind === 'immediate')
      value = last?.kind === 'immediate' ? value | (operand.value << 16n) : operand.value;
    last = operand;
  }
  return value;
}

const low32 = (value: bigint): number => Number(BigInt.asIntN(32, value));

/** Writes the 48 bytes of a record (record.ts). `next`: nextRip of it. */
export function writeRecord(
  view: DataView,
  at: number,
  handler: number,
  insn: Instruction,
  position: number,
  next = nextRip(insn),
): void {
  const { memory, operands } = insn;
  beginRecord(view, at, handler, insn.length, position, next);
  const immediate = immediateOf(insn);
  if (immediate !== 0n) view.setBigUint64(at + RECORD.IMMEDIATE, immediate, true);
  for (let i = 0; i < operands.length && i < SLOTS.length; i++)
    view.setUint16(at + SLOTS[i], slotOf(operands[i]), true);
  if (!memory) return;
  view.setUint16(at + RECORD.BASE, gprSlot(memory.base), true);
  view.setUint16(at + RECORD.INDEX, gprSlot(memory.index), true);
  view.setUint8(at + RECORD.SCALE, memory.scale);
  view.setUint8(at + RECORD.SEGMENT, memory.segment);
  view.setUint16(at + RECORD.SEGMENT_BASE, layout.SEGMENTS + memory.segment * layout.SEGMENT_SIZE, true);
  if (!isAbsolute(insn)) {
    const displacement = low32(memory.displacement) - (memory.ripRelative ? low32(next) : 0);
    view.setInt32(at + RECORD.DISPLACEMENT, displacement, true);
  }
}

interface Placed {
  readonly index: number;
  readonly entry: number;
  /** Instructions. */
  readonly count: number;
}

/** The header of a block or of its guard, and the region to enter there. */
export function writeHeader(view: DataView, at: number, block: Placed, region: { index: number; need: number; heat: number }): void {
  view.setInt32(at + HEADER.COUNT, block.count, true);
  view.setInt32(at + HEADER.BLOCK, block.index, true);
  view.setInt32(at + HEADER.REGION, region.index, true);
  view.setInt32(at + HEADER.NEED, region.need, true);
  view.setInt32(at + HEADER.HEAT, region.heat, true);
} // prettier-ignore

/** Before a block (record.ts). It costs as much as the block, so that it asks only where the block can be executed. */
export function writeGuard(view: DataView, block: Placed, first: Instruction): void {
  writeHeader(view, block.entry - HEADER_BYTES, block, { index: GUARD_INDEX, need: 0, heat: NO_REGION });
  writeRecord(view, block.entry, HANDLER.STOP, { ...first, operands: [], memory: undefined }, 0);
}

/** Offset in CS of what follows, wrapped as the code size wraps it. */
export const nextRip = (insn: Instruction): bigint =>
  BigInt.asUintN(insn.codeSize === 64 ? 64 : 32, insn.rip + BigInt(insn.length));

/** An immediate and an absolute address would share a field: no encoding has both but those checked here. */
export function checkRecordable(insn: Instruction): void {
  if (!isAbsolute(insn)) return;
  const immediate = insn.operands.some((o) => o.kind === 'immediate');
  assert(!immediate, `${insn.row.mnemonic}: immediate and 64-bit displacement in one record`);
}
