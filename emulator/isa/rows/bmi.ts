/** BMI1, BMI2, ADX. SDM vol. 2D tables. TZCNT, LZCNT and POPCNT are with the integers. */
import type { RowAttributes } from '../instruction';
import { emitted } from '../row';
import type { RowSpec } from '../row';
import * as bmi from '../semantics/bmi';

const first: RowAttributes = { feature: 'bmi1', writes: 'OSZAPC' };
const second: RowAttributes = { feature: 'bmi2' };

export const bmiRows: readonly RowSpec[] = [
  emitted('vex l0 np 0f 38 f2 /r', 'andn', 'Gy,By,Ey', bmi.andn, { ...first, undefined: 'AP' }),
  emitted('vex l0 np 0f 38 f3 /1', 'blsr', 'By,Ey', bmi.blsr, { ...first, undefined: 'AP' }),
  emitted('vex l0 np 0f 38 f3 /2', 'blsmsk', 'By,Ey', bmi.blsmsk, { ...first, undefined: 'AP' }),
  emitted('vex l0 np 0f 38 f3 /3', 'blsi', 'By,Ey', bmi.blsi, { ...first, undefined: 'AP' }),
  emitted('vex l0 np 0f 38 f7 /r', 'bextr', 'Gy,Ey,By', bmi.bextr, { ...first, undefined: 'SAP' }),
  emitted('vex l0 np 0f 38 f5 /r', 'bzhi', 'Gy,Ey,By', bmi.bzhi, { ...second, writes: 'OSZAPC', undefined: 'AP' }),
  emitted('vex l0 f3 0f 38 f5 /r', 'pext', 'Gy,By,Ey', bmi.pext, second),
  emitted('vex l0 f2 0f 38 f5 /r', 'pdep', 'Gy,By,Ey', bmi.pdep, second),
  emitted('vex l0 f2 0f 38 f6 /r', 'mulx', 'Gy,By,Ey', bmi.mulx, second),
  emitted('vex l0 66 0f 38 f7 /r', 'shlx', 'Gy,Ey,By', bmi.shlx, second),
  emitted('vex l0 f3 0f 38 f7 /r', 'sarx', 'Gy,Ey,By', bmi.sarx, second),
  emitted('vex l0 f2 0f 38 f7 /r', 'shrx', 'Gy,Ey,By', bmi.shrx, second),
  emitted('vex l0 f2 0f 3a f0 /r', 'rorx', 'Gy,Ey,Ib', bmi.rorx, second),
  emitted('66 0f 38 f6 /r', 'adcx', 'Gy,Ey', bmi.adcx, { feature: 'adx', writes: 'C', reads: 'C' }),
  emitted('f3 0f 38 f6 /r', 'adox', 'Gy,Ey', bmi.adox, { feature: 'adx', writes: 'O', reads: 'O' }),
];
