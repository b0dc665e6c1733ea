/** disassemble, readMemory, writeMemory. */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { UserError } from '../../emulator/util/assert';
import { decodeBase64, encodeBase64 } from '../base64';
import { hex, memoryReference, readSpace, wrap64, writeSpace, type Address, type Space } from '../addresses'; // prettier-ignore
import { boolean, integer, object, optional, string } from '../arguments';
import type { Debuggee } from '../debuggee';
import { instructionsAround } from '../disassembly';
import type { RingsideSession } from '../session';
import { sourceOf } from '../stops';
import { handler } from './handler';

const MAX_INSTRUCTIONS = 10_000;

/** An address, or an expression whose value is one. */
function addressOf(target: Debuggee, text: string, offset: number): Address {
  const start = target.evaluator.addressIn(text, 'memoryReference');
  const value = start.value + BigInt(offset);
  if (start.space === 'gv') return { space: 'gv', value: wrap64(value) };
  if (value < 0n) throw new UserError(`'offset' ${offset} leads below ${start.space}:0.`);
  return { space: start.space, value };
}

export const disassemble = handler(
  object({
    memoryReference: string,
    offset: optional(integer()),
    instructionOffset: optional(integer(-MAX_INSTRUCTIONS, MAX_INSTRUCTIONS)),
    instructionCount: integer(0, MAX_INSTRUCTIONS),
    resolveSymbols: optional(boolean),
  }),
  async (session, args) => {
    const target = session.target;
    const { space, value } = addressOf(target, args.memoryReference, args.offset ?? 0);
    const context = { inspect: target.machine.inspect, program: target.program, cpu: target.currentCpu, space };
    const found = instructionsAround(context, value, args.instructionOffset ?? 0, args.instructionCount);
    const instructions: DebugProtocol.DisassembledInstruction[] = [];
    let previous = '';
    for (const each of found) {
      const described = describe(target, each, space, args.resolveSymbols !== false);
      const line = 'missing' in each || space !== 'gv' ? undefined : target.program.lineAt(each.gva);
      const place = line === undefined ? '' : `${line.path}:${line.line}`;
      if (line !== undefined && line.line > 0 && place !== previous) {
        described.location = await sourceOf(session, line.path);
        described.line = line.line - 1 + session.client.firstLine;
      }
      previous = place;
      instructions.push(described);
    }
    return { instructions };
  },
);

function describe(
  target: Debuggee,
  instruction: ReturnType<typeof instructionsAround>[number],
  space: Space,
  names: boolean,
): DebugProtocol.DisassembledInstruction {
  const address = space === 'gv' ? target.address(instruction.gva) : `${space}:${hex(instruction.gva)}`;
  const symbols = names && space === 'gv';
  if ('missing' in instruction) return { address, instruction: '(not mapped)', presentationHint: 'invalid' };
  const { text, bytes, target: to } = instruction;
  const toSymbol = symbols && to !== undefined ? target.program.describe(to) : undefined;
  const result: DebugProtocol.DisassembledInstruction = {
    address,
    instruction: toSymbol === undefined ? text : `${text} <${toSymbol}>`,
    instructionBytes: Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' '),
  };
  const symbol = symbols ? target.program.symbolAt(instruction.gva) : undefined;
  if (symbol?.offset === 0n) result.symbol = symbol.name;
  return result;
}

const MAX_READ = 1 << 20;

export const readMemory = handler(
  object({ memoryReference: string, offset: optional(integer()), count: integer(0) }),
  (session, args) => {
    const target = session.target;
    const start = addressOf(target, args.memoryReference, args.offset ?? 0);
    const count = Math.min(args.count, MAX_READ);
    const bytes = read(target, start, count);
    const unreadableBytes = count - bytes.length;
    return {
      address: memoryReference(start),
      ...(unreadableBytes > 0 ? { unreadableBytes: unreadable(target, start, bytes.length, count) } : {}),
      ...(bytes.length > 0 ? { data: encodeBase64(bytes) } : {}),
    };
  },
);

const read = (target: Debuggee, address: Address, count: number): Uint8Array =>
  readSpace(target.machine.inspect, target.currentCpu, address, count);

/** Bytes up to the next page that can be read: a client asks on from there. */
function unreadable(target: Debuggee, start: Address, readBytes: number, count: number): number {
  const PAGE = 4096n;
  let at = start.value + BigInt(readBytes);
  const end = start.value + BigInt(count);
  while (at < end) {
    at = (at / PAGE + 1n) * PAGE;
    if (at < end && read(target, { space: start.space, value: at }, 1).length > 0) break;
  }
  return Number((at < end ? at : end) - start.value) - readBytes;
}

export const writeMemory = handler(
  object({ memoryReference: string, offset: optional(integer()), allowPartial: optional(boolean), data: string }),
  (session, args) => {
    const target = session.stopped;
    const start = addressOf(target, args.memoryReference, args.offset ?? 0);
    const bytes = decodeBase64(args.data);
    if (bytes === undefined) throw new UserError("'data' is not base64; encode the bytes.");
    if (args.allowPartial !== true && read(target, start, bytes.length).length < bytes.length) {
      throw new UserError(
        `${start.space}:${hex(start.value)}: not all of these ${bytes.length} bytes exist; nothing was written.`,
      );
    }
    const written = writeSpace(target.machine.inspect, target.currentCpu, start, bytes);
    announce(session, args.memoryReference, args.offset ?? 0, written);
    return { bytesWritten: written, offset: 0 };
  },
);

function announce(session: RingsideSession, reference: string, offset: number, count: number): void {
  session.edited(['all']);
  if (session.client.memory && count > 0) session.event('memory', { memoryReference: reference, offset, count });
}
