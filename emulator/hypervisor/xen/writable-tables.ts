/**
 * Writable page tables: a guest that writes to one of its L1 tables as if it were memory. The instruction is executed with the right
 * to write, by the same rows as ever; what it wrote is taken back and goes in again by the way that hypercalls go.
 */
import type { Cpu } from '../../cpu/cpu';
import type { GeneratedRun } from '../../cpu/generated-run';
import { Interruption } from '../../cpu/ports';
import { ATTRIBUTE } from '../../cpu/state';
import { stretch } from '../../cpu/stretch';
import type { Instruction } from '../../isa/instruction';
import { CR0, SEG } from '../../x86/registers';
import type { PvDomain } from './domain';
import { entryFrame, isPresent, isTable } from './page-tables';
import { HypercallError } from './ports';
import type { FramePlace } from './ports';

/** They write one operand in memory, and read nothing else there. */
const SIMPLE: ReadonlySet<string> = new Set(['mov', 'xchg', 'cmpxchg', 'cmpxchg8b', 'xadd', 'and', 'or', 'xor', 'add', 'sub', 'btr', 'bts', 'btc', 'movnti']); // prettier-ignore

/** Where the entry lies that a write to this address would change; undefined: it is no page table of the domain's. */
export function tableEntryAt(domain: PvDomain, gva: bigint): FramePlace | undefined {
  try {
    const { mfn, offset } = domain.entryFor(gva);
    const entry = domain.memory.read64(mfn, offset);
    const target = entryFrame(entry);
    if (!isPresent(entry) || !domain.owns(target) || !isTable(domain.pages.usedAs(target))) return undefined;
    return { mfn: target, offset: Number(gva & 0xff8n) };
  } catch (refused) {
    if (!(refused instanceof HypercallError)) throw refused;
    return undefined;
  }
}

/** Its one access in memory starts there and does not reach beyond an entry: what lies behind it may be another table. */
function isAligned({ operands }: Instruction, gva: bigint): boolean {
  const operand = operands.find(({ kind }) => kind === 'memory');
  const bytes = operand?.kind === 'memory' ? operand.size / 8 : 0;
  return bytes > 0 && bytes <= ENTRY_BYTES && gva % BigInt(bytes) === 0n;
}
const ENTRY_BYTES = 8;

/** `gva`: of the write. Undefined: done, and the instruction has retired. Otherwise why not: nothing has happened. */
export function writeTable(domain: PvDomain, cpu: Cpu, generated: GeneratedRun, at: FramePlace, gva: bigint, insn: Instruction | undefined): string | undefined {
  if (!insn || !SIMPLE.has(insn.row.mnemonic)) return `${insn?.row.mnemonic ?? 'the instruction'} cannot be emulated on a page table`;
  if (!isAligned(insn, gva)) return 'it writes to a page table where it is not aligned';
  const { memory } = domain;
  const { state } = cpu;
  const before = state.save();
  const page = memory.readBytes(at.mfn, 0, 4096);
  const old = memory.read64(at.mfn, at.offset);
  const failed = (why: string): string => {
    state.restore(before);
    cpu.modeChanged();
    return why;
  };
  if (!executeFreely(cpu, generated)) {
    memory.writeBytes(at.mfn, at.offset & ~7, page.subarray(at.offset & ~7, (at.offset & ~7) + 8));
    return failed('the instruction faulted otherwise');
  }
  const value = memory.read64(at.mfn, at.offset);
  memory.write64(at.mfn, at.offset, old);
  const neighbour = at.offset + 8;
  if (neighbour < page.length && memory.readBytes(at.mfn, neighbour, 8).some((byte, i) => byte !== page[neighbour + i])) {
    memory.writeBytes(at.mfn, neighbour, page.subarray(neighbour, neighbour + 8));
    return failed('it wrote to two entries at once');
  }
  if (value === old) return undefined;
  try {
    domain.tables.exchange(at.mfn, at.offset, value);
    return undefined;
  } catch (refused) {
    if (!(refused instanceof HypercallError)) throw refused;
    return failed(refused.message);
  }
} // prettier-ignore

/** One instruction with the rights of ring 0, and CR0.WP clear. False: it faulted. */
function executeFreely(cpu: Cpu, generated: GeneratedRun): boolean {
  const { state } = cpu;
  const stack = state.segment(SEG.SS);
  const cr0 = state.system('cr0');
  state.setSegment(SEG.SS, { ...stack, attributes: stack.attributes & ~ATTRIBUTE.DPL });
  state.setSystem('cr0', cr0 & ~BigInt(CR0.WP));
  cpu.flushTlb('all');
  cpu.modeChanged();
  try {
    stretch(generated, cpu, 1);
    return true;
  } catch (caught) {
    if (!(caught instanceof Interruption)) throw caught;
    generated.forgetLink();
    return false;
  } finally {
    state.setSegment(SEG.SS, stack);
    state.setSystem('cr0', cr0);
    // Nothing that was translated with these rights stays.
    cpu.flushTlb('all');
    cpu.modeChanged();
  }
}
