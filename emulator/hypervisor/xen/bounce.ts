/**
 * Into the guest: exceptions, system calls and events are bounced to the handlers that it registered, with a frame on its kernel's
 * stack like the one that the processor would push in ring 0 (arch-x86/xen.h; 64-bit frames have RCX and R11 on top). What
 * goes wrong on the way crashes the domain, as there is nobody to tell.
 */
import type { Cpu } from '../../cpu/cpu';
import { dplOf, fetchDescriptor, isCode, isConforming, isPresent, segmentOf } from '../../cpu/descriptors';
import { gp, np } from '../../cpu/faults';
import { GuestFault } from '../../cpu/ports';
import { Interruption } from '../../cpu/ports';
import { stackDescriptor } from '../../cpu/segments';
import { CONTEXT } from '../../execution/layout';
import { GPR, PF, RFLAGS, SEG } from '../../x86/registers';
import { FLAT, VCPU_INFO } from './abi';
import type { PvDomain } from './domain';
import { inReserved } from './reserved-space';
import { inGuestKernel } from './vcpu';

const RCX = GPR.RCX;
const R11 = 11;
/** Cleared for the handler: as by an interrupt gate, and AC, so that the kernel's own accesses need not be aligned. */
const CLEARED = RFLAGS.TF | RFLAGS.NT | RFLAGS.RF | RFLAGS.VM | RFLAGS.AC;

/** The domain cannot go on. */
export class DomainCrash {
  constructor(readonly reason: string) {}
}

export interface Bounce {
  cs: number;
  address: bigint;
  /** Event delivery is off in the handler. */
  masks: boolean;
  errorCode?: number;
  /** Of a page fault. */
  cr2?: bigint;
  /** RIP to return to. */
  returnRip: bigint;
  /** The frame has the data segments besides: failsafe callback. */
  segments?: boolean;
  /** In the frame instead of what the registers hold. */
  shown?: { cs: number; ss: number; sp?: bigint };
}

/** On the kernel's root, or the programs'. 64-bit guests alone: the hypervisor exchanges GS bases as SWAPGS would. */
export function toggleRoot(domain: PvDomain, cpu: Cpu): void {
  const vcpu = domain.vcpuStates[cpu.apicId];
  vcpu.inKernel = !vcpu.inKernel;
  const { state } = cpu;
  const gs = state.segmentBase(SEG.GS);
  state.setSegmentBase(SEG.GS, state.system('kernel_gs_base'));
  state.setSystem('kernel_gs_base', gs);
  domain.loadRoot(cpu);
}

export function bounce(domain: PvDomain, cpu: Cpu, to: Bounce): void {
  const vcpu = domain.vcpuStates[cpu.apicId];
  const { state } = cpu;
  const fromKernel = inGuestKernel(domain.word, vcpu, state.cpl);
  const masked = domain.upcallMasked(cpu.apicId);
  const flags = (state.rflags & ~(RFLAGS.IF | RFLAGS.IOPL)) | (masked ? 0 : RFLAGS.IF) | (vcpu.iopl << 12);
  let errorCode = to.errorCode;
  if (to.cr2 !== undefined) {
    const { mfn, offset } = vcpu.info;
    const at = offset + VCPU_INFO[domain.word].cr2;
    if (domain.word === 8) domain.memory.write64(mfn, at, to.cr2);
    else domain.memory.write(mfn, at, 4, Number(to.cr2 & 0xffff_ffffn));
    // The kernel's own accesses are a user's for the processor, and not for the guest.
    if (domain.word === 8 && fromKernel) errorCode = (errorCode ?? 0) & ~PF.U;
  }
  if (domain.word === 8) bounce64(domain, cpu, { ...to, errorCode }, fromKernel, flags, masked);
  else bounce32(domain, cpu, { ...to, errorCode }, fromKernel, flags, masked);
  if (to.masks) domain.maskUpcalls(cpu.apicId, true);
  state.rflags = (state.rflags & ~CLEARED) | RFLAGS.IF;
  state.setSystem('activity', 0n);
  state.setSystem('interruptibility', 0n);
  cpu.modeChanged();
}

function bounce64(domain: PvDomain, cpu: Cpu, to: Bounce, fromKernel: boolean, flags: number, masked: boolean): void {
  const { state } = cpu;
  const vcpu = domain.vcpuStates[cpu.apicId];
  const [rsp, rcx, r11] = [state.gpr(GPR.RSP), state.gpr(RCX), state.gpr(R11)];
  const {
    cs: selector,
    ss,
    sp: shownSp = rsp,
  } = to.shown ?? { cs: state.selector(SEG.CS), ss: state.selector(SEG.SS) };
  // RPL 0 tells the guest that it was its kernel.
  const cs = fromKernel ? selector & ~3 : selector;
  if (!fromKernel) toggleRoot(domain, cpu);
  const top = (fromKernel ? rsp : vcpu.kernelSp) & ~15n;
  const frame = [BigInt(ss), shownSp, BigInt(flags), BigInt(cs) | (masked ? 1n << 32n : 0n), to.returnRip];
  if (to.errorCode !== undefined) frame.push(BigInt(to.errorCode));
  if (to.segments) frame.push(...dataSegments(cpu));
  frame.push(r11, rcx);
  const sp = push(domain, cpu, top, frame, 8);
  state.setSegment(
    SEG.CS,
    orCrash(to.cs, 'code', () => codeSegment(cpu, to.cs, 3)),
  );
  state.setSegment(SEG.SS, stackSegment(cpu, FLAT[8].kernelSs, 3));
  state.setGpr(GPR.RSP, sp);
  state.rip = to.address;
}

function bounce32(domain: PvDomain, cpu: Cpu, to: Bounce, fromKernel: boolean, flags: number, masked: boolean): void {
  const { state } = cpu;
  const vcpu = domain.vcpuStates[cpu.apicId];
  const esp = state.gpr(GPR.RSP) & 0xffff_ffffn;
  const frame: bigint[] = [];
  const ring = to.cs & 3;
  let ss = state.segment(SEG.SS);
  if (!fromKernel) {
    frame.push(BigInt(to.shown?.ss ?? ss.selector), to.shown?.sp ?? esp);
    ss = orCrash(vcpu.kernelSs, 'stack', () => stackSegment(cpu, vcpu.kernelSs, ring));
  }
  const cs = to.shown?.cs ?? state.selector(SEG.CS);
  frame.push(BigInt(flags), BigInt(cs) | (masked ? 0x1_0000n : 0n), to.returnRip & 0xffff_ffffn);
  if (to.errorCode !== undefined) frame.push(BigInt(to.errorCode));
  if (to.segments) frame.push(...dataSegments(cpu));
  const sp = push(domain, cpu, ss.base + (fromKernel ? esp : vcpu.kernelSp), frame, 4);
  const code = orCrash(to.cs, 'code', () => codeSegment(cpu, to.cs, ring));
  if (dplOf(ss) !== ring)
    throw new DomainCrash(`its handler's code segment, 0x${to.cs.toString(16)}, is not of the ring of its stack`);
  state.setSegment(SEG.CS, code);
  state.setSegment(SEG.SS, ss);
  state.setGpr(GPR.RSP, sp - ss.base);
  state.rip = to.address & 0xffff_ffffn;
}

const dataSegments = ({ state }: Cpu): bigint[] =>
  [SEG.GS, SEG.FS, SEG.ES, SEG.DS].map((segment) => BigInt(state.selector(segment)));

/** The new top. The guest's stack must be its own and writable. */
function push(domain: PvDomain, cpu: Cpu, top: bigint, values: readonly bigint[], bytes: 4 | 8): bigint {
  const end = top - BigInt(values.length * bytes);
  if (inReserved(domain.word, end, values.length * bytes))
    throw new DomainCrash(`its kernel stack, gv:0x${top.toString(16)}, lies in the hypervisor`);
  const context = domain.word === 8 ? CONTEXT.user : CONTEXT.supervisor;
  try {
    values.forEach((value, i) => cpu.mmu.write(top - BigInt((i + 1) * bytes), bytes, value, context));
  } catch (fault) {
    if (!(fault instanceof Interruption)) throw fault;
    throw new DomainCrash(`its kernel stack, gv:0x${top.toString(16)}, cannot be written`);
  }
  return end;
}

/** Code for this ring, as a return to it would take it (SDM vol. 2, IRET). GuestFault where it would not. */
export function codeSegment(cpu: Cpu, selector: number, ring: number): ReturnType<typeof segmentOf> {
  const d = fetchDescriptor(cpu, selector);
  const fits = isConforming(d) ? dplOf(d) <= ring : dplOf(d) === ring;
  if (!isCode(d) || !fits) throw gp(selector & 0xfffc);
  if (!isPresent(d)) throw np(selector & 0xfffc);
  return segmentOf(cpu, selector, d);
}
/** A stack for this ring: its descriptor's level becomes the processor's. */
export const stackSegment = (cpu: Cpu, selector: number, ring: number): ReturnType<typeof segmentOf> =>
  segmentOf(cpu, selector, stackDescriptor(cpu, selector, ring, gp, 0));

function orCrash<T>(selector: number, what: string, load: () => T): T {
  try {
    return load();
  } catch (fault) {
    if (!(fault instanceof GuestFault)) throw fault;
    throw new DomainCrash(`its handler's ${what} segment, 0x${selector.toString(16)}, is none`);
  }
}
