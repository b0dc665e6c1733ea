/** Every hypercall of xen.h: its name, its arguments, who answers it. Numbers without a handler answer -ENOSYS and are reported once. */
import { eventChannelOp, eventChannelOpCompat, eventOperationName } from '../xen/events/operation';
import { grantOperationName, grantTableOp } from '../xen/grants/operation';
import type { ArgumentKind } from '../exit';
import { asUint } from './call';
import type { Call, HypercallRow } from './call';
import { consoleIo } from './console';
import { domctl, sysctl } from './control';
import { setGdt, updateDescriptor } from './descriptors';
import { MMUEXT, mmuextOp, mmuUpdate, updateVaMapping, updateVaMappingOtherdomain } from './memory';
import { multicall } from './multicall';
import { PHYSDEV_COMMANDS, physdevOp } from './physdev';
import { fpuTaskswitch, getDebugreg, setDebugreg, setSegmentBase, vmAssist } from './processor';
import { MEMORY_COMMANDS, memoryOp } from './reservation';
import { SCHED_COMMANDS, schedOp, schedOpCompat } from './scheduling';
import { callbackOp, iret, setCallbacks, setTrapTable, stackSwitch } from './traps';
import { setTimerOp, VCPU_COMMANDS, vcpuOp } from './vcpu';
import { VERSION_COMMANDS, xenVersion } from './version';

/** `name:kind` for each argument. */
function row(name: string, args: string, rest: Omit<HypercallRow, 'name' | 'args'> = {}): HypercallRow {
  const list = args.split(' ').filter((arg) => arg !== '');
  return { name, args: list.map((arg) => arg.split(':') as [string, ArgumentKind]), ...rest };
}
/** SEGBASE_*. */
const SEGMENT_BASES = { 0: 'fs', 1: 'gs_user', 2: 'gs_kernel', 3: 'gs_user_sel' };
const COMMAND = 'cmd:command arg:pointer';
const events = (call: Call): number =>
  eventChannelOp(call.parts.channels, call.caller, asUint(call.args[0]), call.args[1]);

const grants = ({ parts, caller, args }: Call): number =>
  grantTableOp(parts.grantContext, caller, asUint(args[0]), args[1], asUint(args[2]));
const names = (nameOf: (command: number) => string | undefined, last: number): Record<number, string> =>
  Object.fromEntries(Array.from({ length: last + 1 }, (_, i) => [i, nameOf(i) ?? `${i}`]));
const GRANT_COMMANDS = names(grantOperationName, 12);
const EVENT_COMMANDS = names(eventOperationName, 13);

export const HYPERCALLS: Readonly<Record<number, HypercallRow>> = {
  0: row('set_trap_table', 'traps:pointer', { handler: setTrapTable }),
  1: row('mmu_update', 'updates:pointer count:number done:pointer domid:domain', { handler: mmuUpdate }),
  2: row('set_gdt', 'frames:pointer entries:number', { handler: setGdt }),
  3: row('stack_switch', 'ss:value esp:gva', { handler: stackSwitch }),
  4: row('set_callbacks', 'event:gva failsafe:gva syscall:gva', { handler: setCallbacks }),
  5: row('fpu_taskswitch', 'set:number', { handler: fpuTaskswitch }),
  6: row('sched_op_compat', 'cmd:command arg:value', { handler: schedOpCompat, commands: SCHED_COMMANDS }),
  7: row('platform_op', 'op:pointer', { privileged: true }),
  8: row('set_debugreg', 'reg:number value:value', { handler: setDebugreg }),
  9: row('get_debugreg', 'reg:number', { handler: getDebugreg }),
  10: row('update_descriptor', 'ma:machine-address descriptor:descriptor', { handler: updateDescriptor }),
  12: row('memory_op', COMMAND, { handler: memoryOp, commands: MEMORY_COMMANDS }),
  13: row('multicall', 'calls:pointer count:number', { handler: multicall }),
  14: row('update_va_mapping', 'va:gva value:entry flags:flush', { handler: updateVaMapping }),
  15: row('set_timer_op', 'timeout:time', { handler: setTimerOp }),
  16: row('event_channel_op_compat', 'op:pointer', {
    handler: ({ parts, caller, args }) => eventChannelOpCompat(parts.channels, caller, args[0]),
  }),
  17: row('xen_version', COMMAND, { handler: xenVersion, commands: VERSION_COMMANDS }),
  18: row('console_io', 'cmd:command count:number buffer:pointer', { handler: consoleIo, commands: { 0: 'write', 1: 'read' } }),
  19: row('physdev_op_compat', 'op:pointer'),
  20: row('grant_table_op', 'cmd:command ops:pointer count:number', { handler: grants, commands: GRANT_COMMANDS }),
  21: row('vm_assist', 'cmd:command type:assist', { handler: vmAssist, commands: { 0: 'enable', 1: 'disable' } }),
  22: row('update_va_mapping_otherdomain', 'va:gva value:entry flags:flush domid:domain', { handler: updateVaMappingOtherdomain }),
  23: row('iret', '', { handler: iret }),
  24: row('vcpu_op', 'cmd:command vcpu:number arg:pointer', { handler: vcpuOp, commands: VCPU_COMMANDS }),
  25: row('set_segment_base', 'which:command base:gva', { handler: setSegmentBase, commands: SEGMENT_BASES }),
  26: row('mmuext_op', 'ops:pointer count:number done:pointer domid:domain', { handler: mmuextOp }),
  27: row('xsm_op', 'op:pointer'),
  28: row('nmi_op', COMMAND),
  29: row('sched_op', COMMAND, { handler: schedOp, commands: SCHED_COMMANDS }),
  30: row('callback_op', COMMAND, { handler: callbackOp, commands: { 0: 'register', 1: 'unregister' } }),
  31: row('xenoprof_op', COMMAND),
  32: row('event_channel_op', COMMAND, { handler: events, commands: EVENT_COMMANDS }),
  33: row('physdev_op', COMMAND, { handler: physdevOp, commands: PHYSDEV_COMMANDS }),
  34: row('hvm_op', COMMAND),
  35: row('sysctl', 'op:pointer', { privileged: true, handler: sysctl }),
  36: row('domctl', 'op:pointer', { privileged: true, handler: domctl }),
  37: row('kexec_op', COMMAND),
  38: row('tmem_op', 'op:pointer'),
  39: row('argo_op', COMMAND),
  40: row('xenpmu_op', COMMAND),
  41: row('dm_op', 'domid:domain count:number buffers:pointer'),
  42: row('hypfs_op', COMMAND),
  48: row('mca', 'op:pointer', { privileged: true }),
}; // prettier-ignore

/** Names of mmuext_op's commands, by number. */
export const MMUEXT_COMMANDS: readonly (string | undefined)[] = MMUEXT.map((op) => op?.name);
