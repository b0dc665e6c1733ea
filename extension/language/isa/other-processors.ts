/** Assembly that is not x86's, or not for GNU as or NASM: editors open it in the same languages, and nothing is to be said of it. */
import type { AssemblyDocument } from '../workspace/document';

/** Common instructions of ARM, MIPS, RISC-V, PowerPC, s390 and SPARC that x86 has not. */
const OTHERS = new Set(
  (
    'adrp bic bl blr blx br bx cbnz cbz csel eor ld1 ldm ldmfd ldmia ldp ldr ldrb ldrh mrs msr orr rev rev32 st1 stm stmdb stmfd stmia stp strb strh svc tbnz tbz vld1 vldmia vmov vst1 ' +
    'addi addiu auipc beqz bnez csrr csrw daddiu ecall jal jalr jr ld lui lw nop.n sd sw ' +
    'bdnz lwz mflr mtlr stdu stw stwu ' +
    'brasl larl lghi lmg stmg ' +
    'jmpl ldx restore save sethi stx'
  ).split(' '),
);
/** NEON's types of elements (`vadd.i16`), and WebAssembly. */
const DOTTED = /^v\w+\.[a-z]?(?:8|16|32|64)$|^(?:local|global|i32|i64)\.\w+$/i;
/** One may be a mistake. */
const ENOUGH = 2;
/** MASM and armasm: `name ENDP`, `name ENDS`. */
const MASM = /^[ \t]*[\w$?@|]*[ \t]+(?:endp|ends)[ \t]*(?:;.*)?$/im;

export function isForOthers(document: AssemblyDocument, isMacro: (name: string) => boolean): boolean {
  if (document.nasm && MASM.test(document.text)) return true;
  let found = 0;
  for (const statement of document.tree.statements) {
    if (statement.kind !== 'instruction') continue;
    const name = statement.mnemonic.text;
    const other = OTHERS.has(name.toLowerCase()) || DOTTED.test(name);
    if (other && !document.isMnemonic(name) && !isMacro(name) && ++found >= ENOUGH) return true;
  }
  return false;
} // prettier-ignore
