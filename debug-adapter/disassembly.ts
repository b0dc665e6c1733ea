/**
 * Instructions around an address. x86 cannot be decoded backwards: what lies before is decoded forwards from a place
 * known to begin an instruction, a function or a line-table entry, or else from where most decodings fall in step.
 */
import type { DisassembledInstruction, Inspector } from '../emulator/machine/api';
import { wrap64, type Space } from './addresses';
import type { Program } from './program';

const MAX_BYTES = 15n;

/** Whose code, and what space its addresses are of. */
interface Where {
  inspect: Inspector;
  program: Program;
  cpu: number;
  space: Space;
}

/** Exactly `count` instructions from `skip` (may be negative) instructions after `gva`; undefined where nothing is mapped. */
export function instructionsAround(
  context: Where,
  gva: bigint,
  skip: number,
  count: number,
): (DisassembledInstruction | { gva: bigint; missing: true })[] {
  const before = skip < 0 ? instructionsBefore(context, gva, -skip) : [];
  const wantedAfter = Math.max(0, count + skip);
  const after = forwards(context, gva, wantedAfter).slice(Math.max(0, skip));
  const leading = before.slice(0, Math.min(-Math.min(skip, 0), count));
  return [...leading, ...after].slice(0, count);
}

type Line = DisassembledInstruction | { gva: bigint; missing: true };

/** Unreadable bytes count as instructions of one byte. */
function forwards(context: Where, gva: bigint, count: number): Line[] {
  const lines: Line[] = [];
  let at = gva;
  while (lines.length < count) {
    const found = context.inspect.disassemble(
      context.cpu,
      at,
      Math.min(count - lines.length, 256),
      undefined,
      context.space,
    );
    if (found.length === 0) {
      lines.push({ gva: at, missing: true });
      at = wrap64(at + 1n);
      continue;
    }
    lines.push(...found);
    const last = found[found.length - 1]!;
    at = wrap64(last.gva + BigInt(Math.max(1, last.bytes.length)));
  }
  return lines;
}

function instructionsBefore(context: Where, gva: bigint, count: number): Line[] {
  let lines: Line[] = [];
  let end = gva;
  while (lines.length < count) {
    const chunk = chunkBefore(context, end, count - lines.length);
    if (chunk.length === 0) break;
    lines = [...chunk, ...lines];
    end = chunk[0]!.gva;
  }
  while (lines.length < count) {
    end = wrap64(end - 1n);
    lines.unshift({ gva: end, missing: true });
  }
  return lines.slice(lines.length - count);
}

/** Instructions that end exactly at `end`, in order; empty when nothing before it is mapped. */
function chunkBefore(context: Where, end: bigint, count: number): DisassembledInstruction[] {
  const reach = BigInt(count) * MAX_BYTES;
  // Symbols are of guest-virtual addresses.
  for (const start of context.space === 'gv' ? anchors(context.program, end, reach) : []) {
    const chunk = decodeTo(context, start, end);
    if (chunk !== undefined) return chunk;
  }
  return guessedBefore(context, end, Number(reach > 64n ? reach : 64n) + 16);
}

/** More than the longest instruction has bytes. */
const STARTS = 16;

/**
 * No anchor: each byte before may begin an instruction. Of the ways that end at `end` the longest are in step on most of their length; of
 * those, the one with the fewest bytes that are no instruction. Data between functions is lines of one byte.
 */
function guessedBefore({ inspect, cpu, space }: Where, end: bigint, reach: number): DisassembledInstruction[] {
  const ways: ({ instruction: DisassembledInstruction; bad: number; next: number } | undefined)[] = [];
  for (let distance = 1; distance <= reach && BigInt(distance) <= end; distance++) {
    const [instruction] = inspect.disassemble(cpu, end - BigInt(distance), 1, undefined, space);
    if (instruction === undefined) break;
    const next = distance - instruction.bytes.length;
    const rest = next === 0 ? 0 : ways[next]?.bad;
    if (rest === undefined) continue;
    ways[distance] = { instruction, bad: rest + (instruction.text === '(bad)' ? 1 : 0), next };
  }
  let best = ways.length - 1;
  for (let distance = best, tried = 0; distance > 0 && tried < STARTS; distance--) {
    const way = ways[distance];
    if (way === undefined) continue;
    tried++;
    if (way.bad < ways[best]!.bad) best = distance;
  }
  const chunk: DisassembledInstruction[] = [];
  for (let at = best; at > 0; at = ways[at]!.next) chunk.push(ways[at]!.instruction);
  return chunk;
}

/** Addresses before `end` that begin an instruction, the nearest that reaches far enough first. */
function* anchors(program: Program, end: bigint, reach: bigint): Generator<bigint> {
  const last = end - 1n;
  const start = program.functionAt(last)?.start;
  const line = program.lineAt(last)?.start;
  const symbol = program.symbolAt(last);
  const near = [start, symbol && last - symbol.offset, line].filter((each) => each !== undefined && each < end);
  for (const anchor of near) if (anchor !== undefined && end - anchor <= reach + 0x10000n) yield anchor;
}

const MAX_DECODED = 20_000;

function decodeTo(context: Where, start: bigint, end: bigint): DisassembledInstruction[] | undefined {
  const chunk: DisassembledInstruction[] = [];
  let at = start;
  while (at < end && chunk.length < MAX_DECODED) {
    const found = context.inspect.disassemble(
      context.cpu,
      at,
      Math.min(256, Number((end - at) / 3n) + 1),
      undefined,
      context.space,
    );
    if (found.length === 0) return undefined;
    for (const instruction of found) {
      if (at >= end) break;
      chunk.push(instruction);
      at = instruction.gva + BigInt(instruction.bytes.length);
    }
  }
  return at === end ? chunk : undefined;
}
