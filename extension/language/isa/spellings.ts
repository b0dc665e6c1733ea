/** Other names of the same instruction: synonyms of the manual, and what each assembler calls it. Data alone. */

/** Conditions (SDM vol. 1 appendix B): the name that the rows have, and the synonyms. */
export const CONDITION_SYNONYMS: Readonly<Record<string, string>> = {
  c: 'b', nae: 'b', nb: 'ae', nc: 'ae', z: 'e', nz: 'ne', na: 'be', nbe: 'a', pe: 'p', po: 'np', nge: 'l', nl: 'ge', ng: 'le', nle: 'g',
}; // prettier-ignore

/** Every assembler's. */
export const SYNONYMS: Readonly<Record<string, string>> = {
  sal: 'shl', loopz: 'loope', loopnz: 'loopne', fwait: 'wait', jecxz: 'jcxz', jrcxz: 'jcxz', xlatb: 'xlat', cwde: 'cbw', cdqe: 'cbw',
  cdq: 'cwd', cqo: 'cwd', iretw: 'iret', iretd: 'iret', iretq: 'iret', popfw: 'popf', popfd: 'popf', popfq: 'popf', pushfw: 'pushf',
  pushfd: 'pushf', pushfq: 'pushf', pusha: 'pusha', pushaw: 'pusha', pushad: 'pusha', popaw: 'popa', popad: 'popa', icebp: 'int1',
  fxsave64: 'fxsave', fxrstor64: 'fxrstor', xsave64: 'xsave', xrstor64: 'xrstor', xsavec64: 'xsavec', xsaves64: 'xsaves',
  xsaveopt64: 'xsaveopt', xrstors64: 'xrstors', movabs: 'mov', endbr32: 'nop', endbr64: 'nop', prefetchnta: 'nop', prefetcht0: 'nop',
  prefetcht1: 'nop', prefetcht2: 'nop', prefetch: 'nop', prefetchw: 'nop', sysexitq: 'sysexit', sysretq: 'sysret', salc: 'salc', retn: 'ret',
  int03: 'int3', int01: 'int1',
  // With WAIT before it (SDM vol. 2A, FINIT/FNINIT...).
  finit: 'fninit', fclex: 'fnclex', fstcw: 'fnstcw', fstsw: 'fnstsw', fstenv: 'fnstenv', fsave: 'fnsave', fneni: 'feni', fndisi: 'fdisi', fnsetpm: 'fsetpm',
}; // prettier-ignore
/** NASM's, with the size of what is popped. */
for (const size of ['w', 'd', 'q']) (SYNONYMS as Record<string, string>)[`retf${size}`] = 'retf';
/** Named by size in Intel syntax. */
for (const name of ['movs', 'stos', 'lods', 'scas', 'cmps', 'ins', 'outs'])
  for (const size of ['b', 'w', 'd', 'q'])
    if (size !== 'q' || !/^(ins|outs)$/.test(name)) (SYNONYMS as Record<string, string>)[name + size] ??= name;

/** GNU as alone (manual of as, "i386-Mnemonics"). */
export const GNU_SYNONYMS: Readonly<Record<string, string>> = {
  cbtw: 'cbw', cwtl: 'cbw', cltq: 'cbw', cwtd: 'cwd', cltd: 'cwd', cqto: 'cwd', lret: 'retf', lcall: 'call', ljmp: 'jmp', ud2a: 'ud2', ud2b: 'ud1',
  smovb: 'movs', smovw: 'movs', smovl: 'movs', smovq: 'movs', ssto: 'stos', slod: 'lods', scmp: 'cmps', sscas: 'scas', fcmovae: 'fcmovnb',
  fcmova: 'fcmovnbe', fcmovna: 'fcmovbe', fcmovnae: 'fcmovb', fcmovc: 'fcmovb', fcmovnc: 'fcmovnb', fcmovz: 'fcmove', fcmovnz: 'fcmovne', repz: 'rep',
  pushal: 'pusha', popal: 'popa', sysretl: 'sysret', sysexitl: 'sysexit', cmpxchg: 'cmpxchg',
}; // prettier-ignore

/** Comparisons that name their predicate (SDM vol. 2A, CMPPD): the first eight are SSE's, all are AVX's. */
export const PREDICATES: readonly string[] = [
  'eq', 'lt', 'le', 'unord', 'neq', 'nlt', 'nle', 'ord', 'eq_uq', 'nge', 'ngt', 'false', 'neq_oq', 'ge', 'gt', 'true', 'eq_os',
  'lt_oq', 'le_oq', 'unord_s', 'neq_us', 'nlt_uq', 'nle_uq', 'ord_s', 'eq_us', 'nge_uq', 'ngt_uq', 'false_os', 'neq_os', 'ge_oq',
  'gt_oq', 'true_us', 'eq_oq', 'lt_os', 'le_os', 'unord_q', 'neq_uq', 'nlt_us', 'nle_us', 'ord_q', 'nge_us', 'ngt_us', 'false_oq', 'ge_os', 'gt_os', 'true_uq',
]; // prettier-ignore

/** What may stand before a mnemonic on its line. */
export const PREFIXES: Readonly<Record<string, string>> = {
  lock: 'Makes a read-modify-write of memory atomic. #UD where the destination is a register or the instruction cannot be locked.',
  rep: 'Repeats a string instruction RCX (ECX, CX) times; an interrupt between two rounds leaves RIP at the instruction.',
  repe: 'Repeats SCAS or CMPS RCX times, while ZF is 1.', repz: 'Repeats SCAS or CMPS RCX times, while ZF is 1.',
  repne: 'Repeats SCAS or CMPS RCX times, while ZF is 0.', repnz: 'Repeats SCAS or CMPS RCX times, while ZF is 0.',
  data16: 'Operand-size prefix 66: 16-bit operands in 32-bit and 64-bit code.', data32: 'Operand-size prefix 66 in 16-bit code: 32-bit operands.',
  addr16: 'Address-size prefix 67: 16-bit addresses.', addr32: 'Address-size prefix 67: 32-bit addresses.',
  o16: 'Operand size of 16 bits.', o32: 'Operand size of 32 bits.', o64: 'Operand size of 64 bits.', a16: 'Address size of 16 bits.', a32: 'Address size of 32 bits.', a64: 'Address size of 64 bits.',
  osp: 'Operand-size prefix 66.', asp: 'Address-size prefix 67.',
  cs: 'Segment override CS.', ds: 'Segment override DS.', es: 'Segment override ES.', fs: 'Segment override FS.', gs: 'Segment override GS.', ss: 'Segment override SS.',
  rex: 'A REX prefix without bits.', 'rex.w': 'REX prefix with W: 64-bit operands.', rex64: 'REX prefix with W: 64-bit operands.',
  notrack: 'The indirect branch need not land on ENDBR.', bnd: 'Keeps the bounds registers over a branch (MPX); otherwise ignored.',
  xacquire: 'Begins elision of a lock, where the processor has it.', xrelease: 'Ends elision of a lock.',
}; // prettier-ignore
const REX_BITS = /^rex(\.?[wrxb]{1,4}|64[xyz]*|[xyz]+)$/;
export const isPrefixName = (name: string): boolean => Object.hasOwn(PREFIXES, name) || REX_BITS.test(name);
