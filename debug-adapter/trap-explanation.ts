/** What an exception means, in words: the vector, each bit of its error code, and for page faults the walk that failed. */
import type { Inspector, TrapEvent, Translation, WalkStep } from '../emulator/machine/api';
import { vectorName } from '../emulator/x86/registers';
import { hex, shortHex } from './addresses';
import { privilegeName } from './trap-log';

/** SDM vol. 3A table 6-1. */
const TITLES: Record<number, string> = {
  0: 'Divide error', 1: 'Debug exception', 2: 'Non-maskable interrupt', 3: 'Breakpoint (INT3)', 4: 'Overflow (INTO)',
  5: 'BOUND range exceeded', 6: 'Invalid opcode', 7: 'Device not available', 8: 'Double fault',
  9: 'Coprocessor segment overrun', 10: 'Invalid TSS', 11: 'Segment not present', 12: 'Stack-segment fault',
  13: 'General protection', 14: 'Page fault', 16: 'x87 floating-point error', 17: 'Alignment check',
  18: 'Machine check', 19: 'SIMD floating-point exception', 20: 'Virtualisation exception',
  21: 'Control-protection exception',
}; // prettier-ignore

export const vectorTitle = (vector: number): string => TITLES[vector] ?? `Vector ${vector}`;

/** `#PF Page fault`, `interrupt 0x20`, `int 0x80`. */
export function trapTitle(event: TrapEvent): string {
  if (event.source === 'interrupt') return `interrupt ${shortHex(event.vector)}`;
  if (event.source === 'software' && TITLES[event.vector] === undefined) return `int ${shortHex(event.vector)}`;
  return `${vectorName(event.vector)} ${vectorTitle(event.vector)}`;
}

interface Bit {
  name: string;
  set: string;
  clear: string;
}

/** SDM vol. 3A figure 4-12. */
const PAGE_FAULT_BITS: Record<number, Bit> = {
  0: { name: 'P', set: 'the page is present: a right is missing', clear: 'a table entry or the page is not present' },
  1: { name: 'W/R', set: 'the access was a write', clear: 'the access was a read' },
  2: { name: 'U/S', set: 'from user mode', clear: 'from supervisor mode' },
  3: { name: 'RSVD', set: 'a reserved bit is 1 in an entry', clear: 'no reserved bit is in the way' },
  4: { name: 'I/D', set: 'it was an instruction fetch', clear: 'it was no instruction fetch' },
  5: { name: 'PK', set: 'a protection key forbids it', clear: 'no protection key is in the way' },
};

function pageFaultBits(errorCode: number): string[] {
  return Object.entries(PAGE_FAULT_BITS).map(([bit, { name, set, clear }]) => {
    const on = (errorCode >> Number(bit)) & 1;
    return `  ${name.padEnd(4)} = ${on}: ${on ? set : clear}`;
  });
}

/** SDM vol. 3A section 6.13: EXT, IDT, TI, index. */
export function selectorBits(errorCode: number): string[] {
  if (errorCode === 0) return ['  0: no selector was involved, or the null selector'];
  const idt = (errorCode >> 1) & 1;
  const table = idt ? 'IDT' : (errorCode >> 2) & 1 ? 'LDT' : 'GDT';
  const index = errorCode >> 3;
  return [
    `  EXT   = ${errorCode & 1}: ${errorCode & 1 ? 'while an earlier event was being delivered' : 'the program itself caused it'}`,
    `  IDT   = ${idt}: ${idt ? 'the index is that of a gate' : 'the index is that of a descriptor'}`,
    ...(idt ? [] : [`  TI    = ${(errorCode >> 2) & 1}: in the ${table}`]),
    `  index = ${shortHex(index)}: ${idt ? `vector ${index}${TITLES[index] ? ` (${vectorName(index)})` : ''}` : `selector ${shortHex(errorCode & ~3)} in the ${table}`}`,
  ];
}

const SELECTOR_CODES = new Set([10, 11, 12, 13]);
const CONTROL_PROTECTION = ['', 'near RET', 'far RET or IRET', 'missing ENDBRANCH', 'RSTORSSP', 'SETSSBSY'];

/** One line each, indented; empty for vectors without an error code. */
export function explainErrorCode(vector: number, errorCode: number | undefined): string[] {
  if (errorCode === undefined) return [];
  const head = `error code ${shortHex(errorCode)}`;
  if (vector === 14) return [head, ...pageFaultBits(errorCode)];
  if (SELECTOR_CODES.has(vector)) return [head, ...selectorBits(errorCode)];
  if (vector === 21) return [head, `  ${CONTROL_PROTECTION[errorCode & 0x7fff] ?? 'unknown cause'}`];
  return [head];
}

export const rightsText = (step: Omit<WalkStep, 'gpa'>): string =>
  [
    step.present ? 'present' : 'NOT PRESENT',
    step.writable ? 'writable' : 'read-only',
    // EPT does not ask who it is.
    ...(step.name.startsWith('EPT') ? [] : [step.user ? 'user' : 'supervisor']),
    step.executable ? 'executable' : 'no-execute',
    ...(step.accessed ? ['accessed'] : []),
    ...(step.dirty ? ['dirty'] : []),
    ...(step.global ? ['global'] : []),
    ...(step.reserved !== 0n ? [`RESERVED BITS ${shortHex(step.reserved)}`] : []),
  ].join(', ');

/** The page walk as text, one line an entry. */
export function describeTranslation(translation: Translation): string {
  const lines = [`gv:${hex(translation.gva)} ${translation.access}, ${formatText(translation.format)}`];
  for (const step of translation.steps) {
    const entry = hex(step.entry, step.bytes * 2);
    const target = step.present ? ` -> gp:${shortHex(step.target)}${step.leaf ? ' (page)' : ''}` : '';
    lines.push(`  ${step.name.padEnd(5)} at gp:${shortHex(step.gpa)} = ${entry} ${rightsText(step)}${target}`);
  }
  if (translation.fault !== undefined) {
    lines.push(`  => fault, error code ${shortHex(translation.fault.errorCode)}: ${translation.fault.reason}`);
  } else if (translation.gpa !== undefined) {
    const page = translation.pageBytes === undefined ? '' : `, page of ${sizeText(translation.pageBytes)}`;
    lines.push(`  => gp:${shortHex(translation.gpa)}${page}`);
  }
  return lines.join('\n');
}

export const formatText = (format: string): string => (format === 'none' ? 'paging is off' : `${format} paging`);

export const sizeText = (bytes: number): string =>
  bytes >= 1 << 30 ? `${bytes / (1 << 30)} GiB` : bytes >= 1 << 20 ? `${bytes / (1 << 20)} MiB` : `${bytes / 1024} KiB`;

export interface TrapExplanation {
  id: string;
  /** One line. */
  description: string;
  /** Everything: bits and walk. */
  details: string;
}

export function explainTrap(event: TrapEvent, inspect: Inspector, cpu: number, at: string): TrapExplanation {
  const description = [`${trapTitle(event)} in ${privilegeName(event.cpl, event.ported)} at ${at}`];
  const details: string[] = [];
  if (event.vector === 14 && event.source === 'exception') {
    const code = event.errorCode ?? 0;
    const access = code & 16 ? 'execute' : code & 2 ? 'write' : 'read';
    const translation = inspect.translate(cpu, event.address ?? 0n, access, { user: (code & 4) !== 0 });
    description.push(`${access} of gv:${hex(event.address ?? 0n)}, ${code & 1 ? 'not permitted' : 'not present'}`);
    details.push('page walk', describeTranslation(translation));
  }
  const bits = explainErrorCode(event.vector, event.errorCode);
  return {
    id: event.source === 'interrupt' ? `interrupt ${shortHex(event.vector)}` : vectorName(event.vector),
    description: description.join(': '),
    details: [...bits, ...details].join('\n'),
  };
}
