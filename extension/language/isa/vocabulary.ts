/** What the parser asks of the instruction set. */
import type { Vocabulary } from '../syntax/statements';
import { NASM_DIRECTIVES } from './directives-nasm';
import { isMnemonic } from './readings';
import { registerNamed } from './registers';
import { isPrefixName } from './spellings';

export const vocabulary: Vocabulary = {
  isPrefix: (name) => isPrefixName(name),
  isMnemonic,
  isDirective: (name) => Object.hasOwn(NASM_DIRECTIVES, name),
  // `st0` is NASM's, `st(0)` GNU's.
  isRegister: (name, dialect) => registerNamed(name) !== undefined && !(dialect !== 'nasm' && /^st\d$/.test(name)),
};
