/** The guest's and the host's registers in a VMCS, and on the processor (SDM vol. 3C 25.4, 25.5, 27.3.2, 28.3, 28.5). */
import * as layout from '../execution/layout';
import type { SystemRegister } from '../execution/layout';
import { toBigint } from '../util/words';
import { CR0, CR4, DEBUGCTL, EFER, GPR, RFLAGS, SEG } from '../x86/registers';
import { ENTRY_CONTROL, EXIT_CONTROL, SECONDARY } from '../x86/vmcs';
import type { VmcsFieldName } from '../x86/vmcs';
import type { Cpu } from './cpu';
import { TYPE } from './descriptors';
import { ATTRIBUTE } from './state';
import type { CpuState } from './state';
import { placeOf } from './vmcs-region';
import type { Vmcs } from './vmcs-region';

const { GPRS, RIP, SYSTEM_ADDRESS } = layout;

export const SEGMENTS = [
  ['ES', SEG.ES], ['CS', SEG.CS], ['SS', SEG.SS], ['DS', SEG.DS], ['FS', SEG.FS], ['GS', SEG.GS], ['LDTR', SEG.LDTR], ['TR', SEG.TR],
] as const; // prettier-ignore

const GUEST: readonly (readonly [VmcsFieldName, SystemRegister])[] = [
  ['GUEST_CR0', 'cr0'], ['GUEST_CR3', 'cr3'], ['GUEST_CR4', 'cr4'],
  ['GUEST_GDTR_BASE', 'gdtr.base'], ['GUEST_GDTR_LIMIT', 'gdtr.limit'], ['GUEST_IDTR_BASE', 'idtr.base'], ['GUEST_IDTR_LIMIT', 'idtr.limit'],
  ['GUEST_SYSENTER_CS', 'sysenter_cs'], ['GUEST_SYSENTER_ESP', 'sysenter_esp'], ['GUEST_SYSENTER_EIP', 'sysenter_eip'],
  ['GUEST_PENDING_DEBUG', 'pending_debug'], ['GUEST_ACTIVITY', 'activity'],
]; // prettier-ignore
/** Bit 3 of the field says that NMIs are blocked (table 25-3), bit 2 of ours. */
const STI_MOV_SS = 3;
const NMI_BLOCKED = 4;
const PDPTES = [0, 1, 2, 3] as const;
const usesPae = (state: CpuState): boolean =>
  (state.system32('cr0') & CR0.PG) !== 0 &&
  (state.system32('cr4') & CR4.PAE) !== 0 &&
  !(state.system32('efer') & EFER.LMA);

/** The register that a field of the guest-state area holds, where both have the same bits. */
const REGISTERS: ReadonlyMap<VmcsFieldName, string> = new Map<VmcsFieldName, string>([
  ...SEGMENTS.flatMap(([name]): [VmcsFieldName, string][] => {
    const register = name.toLowerCase();
    return [
      [`GUEST_${name}`, register],
      [`GUEST_${name}_BASE`, `${register}.base`],
      [`GUEST_${name}_LIMIT`, `${register}.limit`],
      [`GUEST_${name}_RIGHTS`, `${register}.attributes`],
    ];
  }),
  ...GUEST,
  ...PDPTES.map((i) => [`GUEST_PDPTE${i}`, `pdpte${i}`] as const),
  ['GUEST_RSP', 'rsp'], ['GUEST_RIP', 'rip'], ['GUEST_RFLAGS', 'rflags'], ['GUEST_DR7', 'dr7'], ['GUEST_DEBUGCTL', 'debugctl'],
  ['GUEST_PAT', 'pat'], ['GUEST_EFER', 'efer'],
]); // prettier-ignore
export const registerOf = (field: VmcsFieldName): string | undefined => REGISTERS.get(field);

/** Of 64-bit registers that move as they are: the place in the VMCS, and the register's address. */
type Moves = readonly (readonly [place: number, register: number])[];
const moves = (rows: readonly (readonly [VmcsFieldName, SystemRegister])[]): Moves =>
  rows.map(([field, register]) => [placeOf(field), SYSTEM_ADDRESS[register]]);
const { interruptibility: BLOCKED_AT, cr0: CR0_AT, efer: EFER_AT, debugctl: DEBUGCTL_AT } = SYSTEM_ADDRESS;
const RSP_AT = GPRS + GPR.RSP * 8;
const GUEST_MOVES = moves(GUEST);
const DEBUG_MOVES = moves([['GUEST_DR7', 'dr7'], ['GUEST_DEBUGCTL', 'debugctl']]); // prettier-ignore
const PAT_MOVE = moves([['GUEST_PAT', 'pat']]);
const EFER_MOVE = moves([['GUEST_EFER', 'efer']]);
const STACK_MOVES: Moves = [[placeOf('GUEST_RSP'), RSP_AT], [placeOf('GUEST_RIP'), RIP]]; // prettier-ignore
const PDPTE_MOVES = moves(PDPTES.map((i) => [`GUEST_PDPTE${i}`, `pdpte${i}`] as const));
const SEGMENT_PLACES = SEGMENTS.map(([name, index]) => ({
  index,
  selector: placeOf(`GUEST_${name}`),
  base: placeOf(`GUEST_${name}_BASE`),
  limit: placeOf(`GUEST_${name}_LIMIT`),
  rights: placeOf(`GUEST_${name}_RIGHTS`),
}));

function save(vmcs: Vmcs, state: CpuState, moves: Moves): void {
  for (const [place, register] of moves) vmcs.put(place, state.word(register), state.word(register + 4));
}
function load(vmcs: Vmcs, state: CpuState, moves: Moves): void {
  for (const [place, register] of moves) {
    state.setWord(register, vmcs.low(place));
    state.setWord(register + 4, vmcs.high(place));
  }
}

/** The processor's registers into the guest-state area; the general ones but RSP are the hypervisor's affair. */
export function saveGuest(vmcs: Vmcs, state: CpuState): void {
  for (const { index, selector, base, limit, rights } of SEGMENT_PLACES) {
    const at = layout.SEGMENTS + index * layout.SEGMENT_SIZE;
    vmcs.put(selector, state.selector(index), 0);
    vmcs.put(base, state.word(at + layout.SEGMENT.BASE), state.word(at + layout.SEGMENT.BASE + 4));
    vmcs.put(limit, state.word(at + layout.SEGMENT.LIMIT), 0);
    vmcs.put(rights, state.segmentAttributes(index), 0);
  }
  save(vmcs, state, GUEST_MOVES);
  save(vmcs, state, STACK_MOVES);
  const blocked = state.word(BLOCKED_AT);
  vmcs.write('GUEST_INTERRUPTIBILITY', (blocked & STI_MOV_SS) | ((blocked & NMI_BLOCKED) << 1));
  if (blocked & STI_MOV_SS) saveStep(vmcs, state);
  vmcs.write('GUEST_RFLAGS', state.rflags);
  const asked = (control: number): boolean => vmcs.has('EXIT_CONTROLS', control);
  if (asked(EXIT_CONTROL.SAVE_DEBUG)) save(vmcs, state, DEBUG_MOVES);
  if (asked(EXIT_CONTROL.SAVE_PAT)) save(vmcs, state, PAT_MOVE);
  if (asked(EXIT_CONTROL.SAVE_EFER)) save(vmcs, state, EFER_MOVE);
  if (vmcs.has('SECONDARY_CONTROLS', SECONDARY.UNRESTRICTED)) setEntryMode(vmcs, state);
  if (usesPae(state)) save(vmcs, state, PDPTE_MOVES);
}
/** A single step that STI or MOV SS holds back is pending (25.4.2, table 25-4), as an entry wants it (27.3.1.5). */
function saveStep(vmcs: Vmcs, state: CpuState): void {
  const steps = (state.systemFlags & RFLAGS.TF) !== 0 && !(state.word(DEBUGCTL_AT) & DEBUGCTL.BTF);
  const others = vmcs.read('GUEST_PENDING_DEBUG') & ~PENDING_STEP;
  vmcs.write('GUEST_PENDING_DEBUG', steps ? others | PENDING_STEP : others);
}
const PENDING_STEP = 1n << 14n;
/** An unrestricted guest may have changed between modes: the exit says so (28.3.1). */
function setEntryMode(vmcs: Vmcs, state: CpuState): void {
  const mask = 1 << ENTRY_CONTROL.GUEST_64;
  const wide = (state.system32('efer') & EFER.LMA) !== 0;
  const controls = vmcs.read32('ENTRY_CONTROLS');
  vmcs.write('ENTRY_CONTROLS', wide ? controls | mask : controls & ~mask);
}

/** `memory`: the four PDPTEs where they are not in the VMCS (27.3.2.4). */
export function loadGuest(vmcs: Vmcs, cpu: Cpu, loadPdptes: () => void): void {
  const { state } = cpu;
  for (const { index, selector, base, limit, rights } of SEGMENT_PLACES)
    put(state, index, vmcs.low(selector) & 0xffff, vmcs.low(base), vmcs.high(base), vmcs.low(limit), vmcs.low(rights));
  load(vmcs, state, GUEST_MOVES);
  load(vmcs, state, STACK_MOVES);
  const blocked = vmcs.read32('GUEST_INTERRUPTIBILITY');
  state.setWord(BLOCKED_AT, (blocked & STI_MOV_SS) | ((blocked >> 1) & NMI_BLOCKED));
  state.setWord(BLOCKED_AT + 4, 0);
  state.setWord(CR0_AT, state.word(CR0_AT) | CR0.ET);
  state.rflags = vmcs.read32('GUEST_RFLAGS');
  const asked = (control: number): boolean => vmcs.has('ENTRY_CONTROLS', control);
  if (asked(ENTRY_CONTROL.LOAD_DEBUG)) load(vmcs, state, DEBUG_MOVES);
  if (asked(ENTRY_CONTROL.LOAD_PAT)) load(vmcs, state, PAT_MOVE);
  if (asked(ENTRY_CONTROL.LOAD_EFER)) load(vmcs, state, EFER_MOVE);
  else {
    const mode = EFER.LMA | (vmcs.read32('GUEST_CR0') & CR0.PG ? EFER.LME : 0);
    const efer = state.word(EFER_AT);
    state.setWord(EFER_AT, asked(ENTRY_CONTROL.GUEST_64) ? efer | mode : efer & ~mode);
  }
  if (!usesPae(state)) return;
  if (vmcs.has('SECONDARY_CONTROLS', SECONDARY.EPT)) load(vmcs, state, PDPTE_MOVES);
  else loadPdptes();
}

/** A segment register, in halves; most have it already, and what is derived from it with it. */
function put(state: CpuState, index: number, selector: number, low: number, high: number, limit: number, attributes: number): void {
  if (state.isSegment(index, selector, low, high, limit, attributes)) return;
  state.setSegment(index, { selector, base: toBigint(low, high), limit: limit >>> 0, attributes });
} // prettier-ignore
/** As an exit loads it: flat, but for what FS and GS have for a base. */
function putFlat(state: CpuState, index: number, selector: number, type: number, size: number, low = 0, high = 0): void {
  if (selector === 0 && type !== CODE) put(state, index, 0, low, high, 0, ATTRIBUTE.UNUSABLE);
  else put(state, index, selector, low, high, -1, ATTRIBUTE.P | ATTRIBUTE.S | ATTRIBUTE.G | type | size);
} // prettier-ignore
const CODE = 0xb;
const DATA = 0x3;
const HOST_MOVES = moves([
  ['HOST_CR3', 'cr3'], ['HOST_CR4', 'cr4'], ['HOST_GDTR_BASE', 'gdtr.base'], ['HOST_IDTR_BASE', 'idtr.base'],
  ['HOST_SYSENTER_CS', 'sysenter_cs'], ['HOST_SYSENTER_ESP', 'sysenter_esp'], ['HOST_SYSENTER_EIP', 'sysenter_eip'],
]); // prettier-ignore
const HOST_STACK: Moves = [[placeOf('HOST_RSP'), RSP_AT], [placeOf('HOST_RIP'), RIP]]; // prettier-ignore
const HOST_PAT = moves([['HOST_PAT', 'pat']]);
const HOST_EFER = moves([['HOST_EFER', 'efer']]);
const [FS_BASE, GS_BASE, TR_BASE] = [placeOf('HOST_FS_BASE'), placeOf('HOST_GS_BASE'), placeOf('HOST_TR_BASE')];
/** Bits of CR0 that a load of host state leaves alone (28.5.1). */
const CR0_KEPT = CR0.ET | CR0.CD | CR0.NW;

/** The processor is the hypervisor's again (28.5). */
export function loadHost(vmcs: Vmcs, state: CpuState): void {
  const wide = vmcs.has('EXIT_CONTROLS', EXIT_CONTROL.HOST_64);
  load(vmcs, state, HOST_MOVES);
  load(vmcs, state, HOST_STACK);
  const set = (register: SystemRegister, value: number): void => {
    state.setWord(SYSTEM_ADDRESS[register], value);
    state.setWord(SYSTEM_ADDRESS[register] + 4, 0);
  };
  set('cr0', (vmcs.read32('HOST_CR0') & ~CR0_KEPT) | (state.word(CR0_AT) & CR0_KEPT));
  set('gdtr.limit', 0xffff);
  set('idtr.limit', 0xffff);
  set('dr7', 0x400);
  set('debugctl', 0);
  set('pending_debug', 0);
  set('activity', 0);
  set('interruptibility', state.word(BLOCKED_AT) & NMI_BLOCKED);
  if (vmcs.has('EXIT_CONTROLS', EXIT_CONTROL.LOAD_PAT)) load(vmcs, state, HOST_PAT);
  const mode = EFER.LMA | EFER.LME;
  if (vmcs.has('EXIT_CONTROLS', EXIT_CONTROL.LOAD_EFER)) load(vmcs, state, HOST_EFER);
  else state.setWord(EFER_AT, wide ? state.word(EFER_AT) | mode : state.word(EFER_AT) & ~mode);
  const selector = (name: VmcsFieldName): number => vmcs.read32(name) & 0xffff;
  const size = ATTRIBUTE.DB;
  putFlat(state, SEG.CS, selector('HOST_CS'), CODE, wide ? ATTRIBUTE.L : size);
  put(state, SEG.SS, selector('HOST_SS'), 0, 0, -1, ATTRIBUTE.P | ATTRIBUTE.S | ATTRIBUTE.G | DATA | size);
  putFlat(state, SEG.DS, selector('HOST_DS'), DATA, size);
  putFlat(state, SEG.ES, selector('HOST_ES'), DATA, size);
  putFlat(state, SEG.FS, selector('HOST_FS'), DATA, size, vmcs.low(FS_BASE), vmcs.high(FS_BASE));
  putFlat(state, SEG.GS, selector('HOST_GS'), DATA, size, vmcs.low(GS_BASE), vmcs.high(GS_BASE));
  const task = ATTRIBUTE.P | TYPE.TSS32_BUSY;
  put(state, SEG.TR, selector('HOST_TR'), vmcs.low(TR_BASE), vmcs.high(TR_BASE), 0x67, task);
  put(state, SEG.LDTR, 0, 0, 0, 0, ATTRIBUTE.UNUSABLE);
  state.rflags = RFLAGS.FIXED;
}
