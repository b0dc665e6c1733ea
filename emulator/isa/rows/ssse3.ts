/** SSE3 and SSSE3. SDM vol. 2D tables. FISTTP is with the x87, MONITOR and MWAIT are a feature of their own. */
import type { RowAttributes } from '../instruction';
import { emitted, guarded } from '../row';
import type { RowSpec } from '../row';
import * as emit from '../semantics/float-emit';
import * as mmx from '../semantics/mmx';
import { combine, load } from '../semantics/sse';
import * as sse3 from '../semantics/sse3';
import * as ssse3 from '../semantics/ssse3';
import { add, subtract } from '../../util/binary-float';

const third: RowAttributes = { feature: 'sse3' };
const supplemental: RowAttributes = { feature: 'ssse3' };

const thirdRows: RowSpec[] = [
  emitted('f2 0f f0 /r', 'lddqu', 'V,Mdq', load(128, 'unaligned'), { ...third, form: 'memory' }),
  emitted('f2 0f 12 /r', 'movddup', 'V,Wq', sse3.movddup, third),
  emitted('f3 0f 12 /r', 'movsldup', 'V,W', sse3.movsldup, third),
  emitted('f3 0f 16 /r', 'movshdup', 'V,W', sse3.movshdup, third),
  ...([['66', 'pd'], ['f2', 'ps']] as const).flatMap(([prefix, shape]) => [
    guarded(`${prefix} 0f d0 /r`, `addsub${shape}`, 'V,W', emit.arithmetic(shape, 'add', emit.alternating(shape)), sse3.addSubtract(shape), third),
    guarded(`${prefix} 0f 7c /r`, `hadd${shape}`, 'V,W', emit.arithmetic(shape, 'add', emit.neighbours(shape)), sse3.horizontal(shape, add), third),
    guarded(`${prefix} 0f 7d /r`, `hsub${shape}`, 'V,W', emit.arithmetic(shape, 'sub', emit.neighbours(shape)), sse3.horizontal(shape, subtract), third),
  ]),
]; // prettier-ignore

const OPCODES: readonly [string, string][] = [
  ['01', 'phaddw'], ['02', 'phaddd'], ['03', 'phaddsw'], ['04', 'pmaddubsw'], ['05', 'phsubw'], ['06', 'phsubd'], ['07', 'phsubsw'],
  ['08', 'psignb'], ['09', 'psignw'], ['0a', 'psignd'], ['0b', 'pmulhrsw'], ['1c', 'pabsb'], ['1d', 'pabsw'], ['1e', 'pabsd'],
]; // prettier-ignore

export const ssse3Rows: readonly RowSpec[] = [
  ...thirdRows,
  ...OPCODES.flatMap(([opcode, name]) => {
    const { f, pairs } = ssse3.OPERATIONS[name];
    return [
      emitted(`66 0f 38 ${opcode} /r`, name, 'V,W', combine(f), supplemental),
      emitted(`np 0f 38 ${opcode} /r`, name, 'P,Q', pairs ? mmx.joined(f) : mmx.combine(f), supplemental),
    ];
  }),
  emitted('66 0f 38 00 /r', 'pshufb', 'V,W', combine(ssse3.shuffleBytes(15)), supplemental),
  emitted('np 0f 38 00 /r', 'pshufb', 'P,Q', mmx.combine(ssse3.shuffleBytes(7)), supplemental),
  emitted('66 0f 3a 0f /r', 'palignr', 'V,W,Ib', ssse3.palignr, supplemental),
  emitted('np 0f 3a 0f /r', 'palignr', 'P,Q,Ib', ssse3.palignrMmx, supplemental),
];
