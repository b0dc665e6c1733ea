/** x87 instructions in a sentence of ours (SDM vol. 2A, chapter 3, F...). */
const ARITHMETIC: Readonly<Record<string, string>> = {
  add: 'Adds', sub: 'Subtracts the source from the destination', subr: 'Subtracts the destination from the source', mul: 'Multiplies', div: 'Divides the destination by the source', divr: 'Divides the source by the destination',
}; // prettier-ignore

const SINGLE: Readonly<Record<string, string>> = {
  fld: 'Pushes a float onto the register stack.', fild: 'Pushes a signed integer onto the register stack.', fbld: 'Pushes 18 packed decimal digits onto the register stack.', fst: 'Stores ST(0).', fstp: 'Stores ST(0) and pops it.', fist: 'Stores ST(0) as a rounded integer.', fistp: 'Stores ST(0) as a rounded integer and pops it.', fisttp: 'Stores ST(0) as an integer, towards 0, and pops it.', fbstp: 'Stores ST(0) as 18 packed decimal digits and pops it.',
  fxch: 'Exchanges ST(0) with another register of the stack.', fld1: 'Pushes 1.', fldl2t: 'Pushes the binary logarithm of 10.', fldl2e: 'Pushes the binary logarithm of e.', fldpi: 'Pushes pi.', fldlg2: 'Pushes the decimal logarithm of 2.', fldln2: 'Pushes the natural logarithm of 2.', fldz: 'Pushes 0.',
  fchs: 'Changes the sign of ST(0).', fabs: 'Absolute value of ST(0).', fsqrt: 'Square root of ST(0).', frndint: 'Rounds ST(0) to an integer.', fscale: 'Multiplies ST(0) by 2 to the power of ST(1).', fxtract: 'Splits ST(0) into exponent and significand.', fprem: 'Partial remainder of ST(0) by ST(1), towards 0; C2 tells whether to go on.', fprem1: 'Partial remainder of ST(0) by ST(1), to nearest; C2 tells whether to go on.',
  f2xm1: '2 to the power of ST(0), minus 1.', fyl2x: 'ST(1) times the binary logarithm of ST(0); pops.', fyl2xp1: 'ST(1) times the binary logarithm of ST(0) + 1; pops.', fptan: 'Tangent of ST(0); pushes 1.', fpatan: 'Arctangent of ST(1) / ST(0); pops.', fsincos: 'Sine of ST(0), then pushes the cosine.', fsin: 'Sine of ST(0).', fcos: 'Cosine of ST(0).',
  ftst: 'Compares ST(0) with 0.0, to C3, C2, C0.', fxam: 'Says what kind of number ST(0) is, in C3, C2, C0, and its sign in C1.', wait: 'Raises pending x87 exceptions (#MF), or #NM with CR0.TS and MP.', fnop: 'Does nothing to the x87.', feni: 'An 8087\'s; does nothing.', fdisi: 'An 8087\'s; does nothing.', fsetpm: 'A 287\'s; does nothing.',
  fnclex: 'Clears x87 exceptions.', fninit: 'Resets the x87: round to nearest, all exceptions masked, extended precision.', fnstsw: 'Stores the status word.', fnstcw: 'Stores the control word.', fldcw: 'Loads the control word: rounding, precision, masks.', fldenv: 'Loads control, status, tag and pointers.', fnstenv: 'Stores control, status, tag and pointers, and masks all exceptions.', frstor: 'Loads the whole x87 state.', fnsave: 'Stores the whole x87 state, then resets it.', fxsave: 'Saves x87, MMX and SSE state in 512 aligned bytes.', fxrstor: 'Restores x87, MMX and SSE state.',
  fdecstp: 'Rotates the stack: TOP - 1.', fincstp: 'Rotates the stack: TOP + 1.', ffree: 'Marks a register empty.', ffreep: 'Marks a register empty and pops.',
}; // prettier-ignore

export function x87Text(name: string): string | undefined {
  if (Object.hasOwn(SINGLE, name)) return SINGLE[name];
  const [, integer, verb, pop] = /^f(i?)(add|subr?|mul|divr?)(p?)$/.exec(name) ?? [];
  if (verb)
    return `${ARITHMETIC[verb]}${integer ? ', with a signed integer from memory' : ''}${pop ? ', and pops' : ''}.`;
  const [, unordered, how, flags, pops] = /^f(u?)(i?)com(i?)(p{0,2})$/.exec(name) ?? [];
  if (how !== undefined) {
    const where = flags ? 'ZF, PF and CF' : 'C3, C2 and C0';
    return `Compares ST(0)${how ? ' with a signed integer' : ''}, to ${where}${unordered ? '; a quiet NaN is valid' : ''}${pops ? `; pops ${pops.length === 2 ? 'twice' : 'once'}` : ''}.`; // prettier-ignore
  }
  return undefined;
}
