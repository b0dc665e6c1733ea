/** System instructions: registers, tables, ports, MSRs. Meanings are plain: nothing here is hot. */
import type { RowAttributes } from '../instruction';
import { called, guarded } from '../row';
import type { RowSpec } from '../row';
import * as control from '../semantics/system-control';
import * as io from '../semantics/io';
import { random } from '../semantics/random';
import { rdtsc, rdtscp, rdtscpPlain, rdtscPlain } from '../semantics/time';
import * as xsave from '../semantics/xsave';
import * as segments from '../semantics/system-segments';
import { SEG } from '../../x86/registers';

const ring0: RowAttributes = { privileged: true, ends: true };
/** SDM vol. 2B, MOV: flags are undefined after it, and processors leave them. */
const moveFlags: RowAttributes = { undefined: 'OSZAPC' };
const crAccess: RowAttributes = { ...ring0, intercept: 'cr-access' };
const drAccess: RowAttributes = { ...ring0, intercept: 'dr-access' };
// No block ends here: a device that wants the run loop's attention makes generated code leave (cpu/run.ts, requestExit).
const port: RowAttributes = { io: true, intercept: 'io' };
const table: RowAttributes = { sensitive: true, intercept: 'descriptor-table' };
const task: RowAttributes = { sensitive: true, intercept: 'task-register', protectedOnly: true };
const looks: RowAttributes = { sensitive: true, protectedOnly: true, writes: 'Z' };
const stackedSegment: RowAttributes = { sensitive: true, default64: true };
const loads: RowAttributes = { ends: true, sensitive: true };

const area = (feature: string): RowAttributes => ({ form: 'memory', feature });

export const systemRows: readonly RowSpec[] = [
  called('0f 20 /r', 'mov', 'Rn,Cn', control.movFromControl, { ...crAccess, ...moveFlags }),
  called('0f 22 /r', 'mov', 'Cn,Rn', control.movToControl, { ...crAccess, ...moveFlags }),
  called('0f 21 /r', 'mov', 'Rn,Dn', control.movFromDebug, { ...drAccess, ...moveFlags }),
  called('0f 23 /r', 'mov', 'Dn,Rn', control.movToDebug, { ...drAccess, ...moveFlags }),
  called('0f 06', 'clts', '', control.clts, crAccess),
  called('0f 01 /6', 'lmsw', 'Ew', control.lmsw, crAccess),
  called('0f 01 /4', 'smsw', 'Ev', segments.smsw, { sensitive: true, intercept: 'cr-access' }),
  called('0f 01 /7', 'invlpg', 'M', control.invlpg, { ...ring0, form: 'memory', intercept: 'invlpg' }),
  called('66 0f 38 82 /r', 'invpcid', 'Gn,Mdq', control.invpcid, { ...ring0, form: 'memory', intercept: 'invpcid', feature: 'invpcid' }),
  called('0f 08', 'invd', '', control.nothing, { ...ring0, intercept: 'invd' }),
  called('0f 09', 'wbinvd', '', control.nothing, { ...ring0, intercept: 'wbinvd' }),
  called('np 0f ae /7', 'clflush', 'Mb', control.clflush, { form: 'memory', feature: 'clflush' }),
  called('66 0f ae /7', 'clflushopt', 'Mb', control.clflush, { form: 'memory', feature: 'clflushopt' }),
  called('66 0f ae /6', 'clwb', 'Mb', control.clflush, { form: 'memory', feature: 'clwb' }),

  called('0f 01 /0', 'sgdt', 'Ms', segments.sgdt, { ...table, form: 'memory' }),
  called('0f 01 /1', 'sidt', 'Ms', segments.sidt, { ...table, form: 'memory' }),
  called('0f 01 /2', 'lgdt', 'Ms', segments.lgdt, { ...ring0, form: 'memory', intercept: 'descriptor-table' }),
  called('0f 01 /3', 'lidt', 'Ms', segments.lidt, { ...ring0, form: 'memory', intercept: 'descriptor-table' }),
  called('0f 00 /0', 'sldt', 'Ev', segments.sldt, task),
  called('0f 00 /1', 'str', 'Ev', segments.str, task),
  called('0f 00 /2', 'lldt', 'Ew', segments.lldt, { ...task, ...ring0, sensitive: false }),
  called('0f 00 /3', 'ltr', 'Ew', segments.ltr, { ...task, ...ring0, sensitive: false }),
  called('0f 00 /4', 'verr', 'Ew', segments.verr, looks),
  called('0f 00 /5', 'verw', 'Ew', segments.verw, looks),
  called('0f 02 /r', 'lar', 'Gv,Ew', segments.lar, looks),
  called('0f 03 /r', 'lsl', 'Gv,Ew', segments.lsl, looks),
  called('63 /r', 'arpl', 'Ew,Gw', segments.arpl, { protectedOnly: true, not64: true, writes: 'Z' }),

  // The selector of CS holds the true privilege level, whatever a hypervisor would like the guest to believe.
  guarded('8c /r', 'mov', 'Ev,Sw', segments.movFromSegmentEmitted, segments.movFromSegment, { sensitive: true }),
  called('8e /r', 'mov', 'Sw,Ew', segments.movToSegment, loads),
  ...([['06', 'ES'], ['0e', 'CS'], ['16', 'SS'], ['1e', 'DS']] as const).map(([byte, name]) =>
    called(byte, 'push', name, segments.pushSegment, { ...stackedSegment, not64: true })),
  ...([['07', 'ES'], ['17', 'SS'], ['1f', 'DS']] as const).map(([byte, name]) =>
    called(byte, 'pop', name, segments.popSegment, { ...stackedSegment, ends: true, not64: true })),
  ...([['a0', 'FS'], ['a8', 'GS']] as const).map(([byte, name]) =>
    called(`0f ${byte}`, 'push', name, segments.pushSegment, stackedSegment)),
  ...([['a1', 'FS'], ['a9', 'GS']] as const).map(([byte, name]) =>
    called(`0f ${byte}`, 'pop', name, segments.popSegment, { ...stackedSegment, ends: true })),
  called('c4 /r', 'les', 'Gv,Mp', segments.loadFarPointer(SEG.ES), { ...loads, form: 'memory', not64: true }),
  called('c5 /r', 'lds', 'Gv,Mp', segments.loadFarPointer(SEG.DS), { ...loads, form: 'memory', not64: true }),
  called('0f b2 /r', 'lss', 'Gv,Mp', segments.loadFarPointer(SEG.SS), { ...loads, form: 'memory' }),
  called('0f b4 /r', 'lfs', 'Gv,Mp', segments.loadFarPointer(SEG.FS), { ...loads, form: 'memory' }),
  called('0f b5 /r', 'lgs', 'Gv,Mp', segments.loadFarPointer(SEG.GS), { ...loads, form: 'memory' }),
  ...([['rdfsbase', SEG.FS], ['rdgsbase', SEG.GS]] as const).map(([name, segment], i) =>
    called(`f3 0f ae /${i}`, name, 'Ry', segments.readBase(segment), { form: 'register', only64: true, feature: 'fsgsbase' })),
  ...([['wrfsbase', SEG.FS], ['wrgsbase', SEG.GS]] as const).map(([name, segment], i) =>
    called(`f3 0f ae /${i + 2}`, name, 'Ry', segments.writeBase(segment), { form: 'register', only64: true, feature: 'fsgsbase', ends: true })),
  called('0f 01 f8', 'swapgs', '', segments.swapgs, { ...ring0, only64: true }),

  called('e4', 'in', 'AL,Ib', io.input, port),
  called('e5', 'in', 'rAX,Ib', io.input, port),
  called('ec', 'in', 'AL,DX', io.input, port),
  called('ed', 'in', 'rAX,DX', io.input, port),
  called('e6', 'out', 'Ib,AL', io.output, port),
  called('e7', 'out', 'Ib,rAX', io.output, port),
  called('ee', 'out', 'DX,AL', io.output, port),
  called('ef', 'out', 'DX,rAX', io.output, port),
  called('6c', 'ins', 'Yb,DX', io.inputString, { ...port, repeat: 'rep', reads: 'D' }),
  called('6d', 'ins', 'Yz,DX', io.inputString, { ...port, repeat: 'rep', reads: 'D' }),
  called('6e', 'outs', 'DX,Xb', io.outputString, { ...port, repeat: 'rep', reads: 'D' }),
  called('6f', 'outs', 'DX,Xz', io.outputString, { ...port, repeat: 'rep', reads: 'D' }),

  called('0f 32', 'rdmsr', '', control.rdmsr, { privileged: true, intercept: 'msr-read' }),
  called('0f 30', 'wrmsr', '', control.wrmsr, { ...ring0, intercept: 'msr-write' }),
  guarded('0f 31', 'rdtsc', '', rdtsc, rdtscPlain, { intercept: 'rdtsc', feature: 'tsc' }),
  guarded('0f 01 f9', 'rdtscp', '', rdtscp, rdtscpPlain, { intercept: 'rdtscp', feature: 'rdtscp' }),
  called('nfx 0f c7 /6', 'rdrand', 'Rv', random, { form: 'register', feature: 'rdrand', intercept: 'rdrand', writes: 'OSZAPC' }),
  called('nfx 0f c7 /7', 'rdseed', 'Rv', random, { form: 'register', feature: 'rdseed', intercept: 'rdseed', writes: 'OSZAPC' }),
  called('f3 0f c7 /7', 'rdpid', 'Rn', control.rdpid, { form: 'register', feature: 'rdpid' }),
  called('0f 33', 'rdpmc', '', control.rdpmc, { intercept: 'rdpmc' }),
  called('0f a2', 'cpuid', '', control.cpuid, { intercept: 'cpuid' }),
  called('np 0f 01 d0', 'xgetbv', '', xsave.xgetbv, { feature: 'xsave' }),
  called('np 0f 01 d1', 'xsetbv', '', xsave.xsetbv, { ...ring0, feature: 'xsave', intercept: 'xsetbv' }),
  called('np 0f ae /4', 'xsave', 'M', xsave.xsave, area('xsave')),
  called('np 0f ae /6', 'xsaveopt', 'M', xsave.xsaveopt, area('xsaveopt')),
  called('np 0f c7 /4', 'xsavec', 'M', xsave.xsaveCompacted, area('xsavec')),
  called('np 0f c7 /5', 'xsaves', 'M', xsave.xsaveCompacted, { ...area('xsaves'), privileged: true, intercept: 'xsaves' }),
  called('np 0f ae /5', 'xrstor', 'M', xsave.xrstor, area('xsave')),
  called('np 0f c7 /3', 'xrstors', 'M', xsave.xrstors, { ...area('xsaves'), privileged: true, intercept: 'xsaves' }),
  called('np 0f 01 ca', 'clac', '', control.setAlignmentCheck(false), { ends: true, feature: 'smap' }),
  called('np 0f 01 cb', 'stac', '', control.setAlignmentCheck(true), { ends: true, feature: 'smap' }),

  called('f4', 'hlt', '', control.hlt, { ...ring0, intercept: 'hlt' }),
  // Outside system-management mode, and there is none here.
  called('0f aa', 'rsm', '', control.undefinedInstruction, { ends: true, writes: 'OSZAPCDIT', intercept: 'rsm' }),
  called('0f ff /r', 'ud0', 'Gv,Ev', control.undefinedInstruction, { ends: true }),
  called('0f b9 /r', 'ud1', 'Gv,Ev', control.undefinedInstruction, { ends: true }),
  called('0f 0b', 'ud2', '', control.undefinedInstruction, { ends: true }),
]; // prettier-ignore
