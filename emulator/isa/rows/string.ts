/** String instructions on memory; INS and OUTS are with the other I/O in rows/system.ts. */
import { emitted } from '../row';
import type { RowSpec } from '../row';
import * as string from '../semantics/string';

export const stringRows: readonly RowSpec[] = [
  emitted('a4', 'movs', 'Yb,Xb', string.movs, { repeat: 'rep', reads: 'D' }),
  emitted('a5', 'movs', 'Yv,Xv', string.movs, { repeat: 'rep', reads: 'D' }),
  emitted('aa', 'stos', 'Yb,AL', string.stos, { repeat: 'rep', reads: 'D' }),
  emitted('ab', 'stos', 'Yv,rAX', string.stos, { repeat: 'rep', reads: 'D' }),
  emitted('ac', 'lods', 'AL,Xb', string.lods, { repeat: 'rep', reads: 'D' }),
  emitted('ad', 'lods', 'rAX,Xv', string.lods, { repeat: 'rep', reads: 'D' }),
  emitted('ae', 'scas', 'AL,Yb', string.scas, { repeat: 'repe', writes: 'OSZAPC', reads: 'D' }),
  emitted('af', 'scas', 'rAX,Yv', string.scas, { repeat: 'repe', writes: 'OSZAPC', reads: 'D' }),
  emitted('a6', 'cmps', 'Xb,Yb', string.cmps, { repeat: 'repe', writes: 'OSZAPC', reads: 'D' }),
  emitted('a7', 'cmps', 'Xv,Yv', string.cmps, { repeat: 'repe', writes: 'OSZAPC', reads: 'D' }),
];
