/** Near branches. Each ends a block. In 64-bit mode their operand size is 64 whatever is prefixed (SDM vol. 2D, f64). */
import { emitted } from '../row';
import type { RowSpec } from '../row';
import * as branch from '../semantics/branch';

const hex = (value: number): string => value.toString(16).padStart(2, '0');
const NAMES = ['o', 'no', 'b', 'ae', 'e', 'ne', 'be', 'a', 's', 'ns', 'p', 'np', 'l', 'ge', 'le', 'g'];
const READS = ['O', 'O', 'C', 'C', 'Z', 'Z', 'CZ', 'CZ', 'S', 'S', 'P', 'P', 'SO', 'SO', 'SOZ', 'SOZ'];
const near = { ends: true, force64: true };

export const branchRows: readonly RowSpec[] = [
  ...NAMES.flatMap((name, code) => [
    emitted(hex(0x70 + code), `j${name}`, 'Jb', branch.jcc(code), { ...near, reads: READS[code] }),
    emitted(`0f ${hex(0x80 + code)}`, `j${name}`, 'Jz', branch.jcc(code), { ...near, reads: READS[code] }),
  ]),
  emitted('eb', 'jmp', 'Jb', branch.jmp, near),
  emitted('e9', 'jmp', 'Jz', branch.jmp, near),
  emitted('e8', 'call', 'Jz', branch.call, near),
  emitted('ff /4', 'jmp', 'Ev', branch.jmpIndirect, near),
  emitted('ff /2', 'call', 'Ev', branch.callIndirect, near),
  emitted('c3', 'ret', '', branch.ret, near),
  emitted('c2', 'ret', 'Iw', branch.ret, near),
  emitted('e0', 'loopne', 'Jb', branch.loop('not equal'), { ...near, reads: 'Z' }),
  emitted('e1', 'loope', 'Jb', branch.loop('equal'), { ...near, reads: 'Z' }),
  emitted('e2', 'loop', 'Jb', branch.loop('none'), near),
  emitted('e3', 'jcxz', 'Jb', branch.jcxz, near),
];
