/** Transfers between segments and levels, and the flags that levels guard. */
import type { RowAttributes } from '../instruction';
import { called, guarded } from '../row';
import type { RowSpec } from '../row';
import * as far from '../semantics/far';
import * as flags from '../semantics/flags';
import { iretEmitted } from '../semantics/serialise';

const transfer: RowAttributes = { ends: true, sensitive: true };
const ALL = 'OSZAPCDIT';

export const farRows: readonly RowSpec[] = [
  called('ea', 'jmp', 'Ap', far.farJump, { ...transfer, not64: true }),
  called('9a', 'call', 'Ap', far.farCall, { ...transfer, not64: true }),
  called('ff /5', 'jmp', 'Mp', far.farJump, { ...transfer, form: 'memory' }),
  called('ff /3', 'call', 'Mp', far.farCall, { ...transfer, form: 'memory' }),
  called('cb', 'retf', '', far.farReturn, transfer),
  called('ca', 'retf', 'Iw', far.farReturn, transfer),
  guarded('cf', 'iret', '', iretEmitted, far.iret, { ...transfer, intercept: 'iret', writes: ALL }),

  called('cd', 'int', 'Ib', far.int, { ...transfer, intercept: 'int', writes: 'IT' }),
  called('cc', 'int3', '', far.int3, { ends: true }),
  called('f1', 'int1', '', far.int1, { ends: true, intercept: 'int1' }),
  called('ce', 'into', '', far.into, { ends: true, not64: true, reads: 'O' }),

  called('0f 05', 'syscall', '', far.syscall, {
    ends: true,
    only64OnIntel: true,
    writes: ALL,
    reads: ALL,
    feature: 'syscall',
  }),
  called('0f 07', 'sysret', '', far.sysret, {
    ends: true,
    only64OnIntel: true,
    writes: ALL,
    privileged: true,
    feature: 'syscall',
  }),
  called('0f 34', 'sysenter', '', far.sysenter, { ends: true, notLongOnAmd: true, writes: 'I', feature: 'sep' }),
  called('0f 35', 'sysexit', '', far.sysexit, { ends: true, notLongOnAmd: true, privileged: true, feature: 'sep' }),

  guarded('fa', 'cli', '', flags.cliEmitted, flags.cli, { writes: 'I' }),
  called('fb', 'sti', '', flags.sti, { ends: true, writes: 'I' }),
  guarded('9c', 'pushf', '', flags.pushfEmitted, flags.pushf, {
    default64: true,
    sensitive: true,
    intercept: 'pushf',
    reads: ALL,
  }),
  called('9d', 'popf', '', flags.popf, {
    default64: true,
    ends: true,
    sensitive: true,
    intercept: 'popf',
    writes: ALL,
  }),
];
