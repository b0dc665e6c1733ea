/** HYPERVISOR_iret: back from a handler, by the frame on the guest's stack (struct iret_context; 32-bit: EAX, then as IRET has it). */
import type { Cpu } from '../../cpu/cpu';
import { GuestFault } from '../../cpu/ports';
import { dropInnerSegments } from '../../cpu/segments';
import { ATTRIBUTE } from '../../cpu/state';
import { GPR, RFLAGS, SEG, VECTOR } from '../../x86/registers';
import { codeSegment, DomainCrash, stackSegment, toggleRoot } from './bounce';
import type { PvDomain } from './domain';
import type { Caller } from './ports';

const R11 = 11;
/** VGCF_in_syscall: RCX and R11 are lost to SYSRET. */
const IN_SYSCALL = 1n << 8n;
const HYPERVISORS = RFLAGS.IOPL | RFLAGS.VM | RFLAGS.IF | RFLAGS.VIF | RFLAGS.VIP;

/**
 * Everything that the return changes, RAX too. GuestFault: a segment of the frame is none; the guest stands where the frame says
 * all the same, as the hypervisor's own IRET would raise it, and its failsafe callback sees that frame.
 */
export function iret(domain: PvDomain, cpu: Cpu, caller: Caller): void {
  if (domain.word === 8) iret64(domain, cpu, caller);
  else iret32(domain, cpu, caller);
  cpu.modeChanged();
}

function iret64(domain: PvDomain, cpu: Cpu, caller: Caller): void {
  const { state } = cpu;
  const vcpu = domain.vcpuStates[cpu.apicId];
  const sp = state.gpr(GPR.RSP);
  const word = (i: number): bigint => caller.read64(sp + BigInt(i * 8));
  const [rax, r11, rcx, flags, rip, cs, rflags, rsp, ss] = [0, 1, 2, 3, 4, 5, 6, 7, 8].map(word);
  const toUser = (cs & 3n) === 3n;
  const code = loaded(cpu, SEG.CS, Number(cs & 0xffffn) | 3, 3, codeSegment);
  const stack = loaded(cpu, SEG.SS, Number(ss & 0xffffn) | 3, 3, stackSegment);
  if (toUser) {
    if (!vcpu.userRoot) throw new DomainCrash('it returns to a program and has registered no root for programs');
    toggleRoot(domain, cpu);
  }
  state.setSegment(SEG.CS, code.segment);
  state.setSegment(SEG.SS, stack.segment);
  state.rip = rip;
  state.setGpr(GPR.RSP, rsp);
  state.rflags = (Number(rflags & 0x3f_ffffn) & ~HYPERVISORS) | RFLAGS.IF;
  state.setGpr(GPR.RAX, rax);
  if (!(flags & IN_SYSCALL)) {
    state.setGpr(R11, r11);
    state.setGpr(GPR.RCX, rcx);
  }
  domain.maskUpcalls(cpu.apicId, !(rflags & BigInt(RFLAGS.IF)));
  const fault = code.fault ?? stack.fault;
  if (fault) throw fault;
}
type Segment = ReturnType<typeof codeSegment>;
/** With the fault, where there is one: the segment as it was, under the new selector and of the new ring. */
function loaded(cpu: Cpu, which: typeof SEG.CS | typeof SEG.SS, selector: number, ring: number, load: (cpu: Cpu, selector: number, ring: number) => Segment): { segment: Segment; fault?: GuestFault } {
  try {
    return { segment: load(cpu, selector, ring) };
  } catch (fault) {
    if (!(fault instanceof GuestFault)) throw fault;
    const { attributes, ...segment } = cpu.state.segment(which);
    return { segment: { ...segment, selector, attributes: (attributes & ~ATTRIBUTE.DPL) | (ring << 5) }, fault };
  }
} // prettier-ignore

/** A return to virtual-8086 mode: error code or EAX, EIP, CS, EFLAGS, ESP, SS and four data segments. */
const V86_WORDS = 10;
/**
 * There is no virtual-8086 mode for guests. As Xen has it, the kernel's #GP handler finds the frame of the program on its stack, as if
 * its first instruction had been refused; `frame`: its linear address.
 */
function refuseVirtual8086(domain: PvDomain, cpu: Cpu, caller: Caller, frame: bigint): void {
  const { state } = cpu;
  const vcpu = domain.vcpuStates[cpu.apicId];
  const handler = vcpu.traps[VECTOR.GP];
  if (!handler) throw new DomainCrash('it returns to virtual-8086 mode, which it cannot have, and has no #GP handler');
  const words = Array.from({ length: V86_WORDS }, (_, i) => caller.read(frame + BigInt(i * 4), 4));
  const ring = handler.cs & 3;
  const [code, stack] = [codeSegment(cpu, handler.cs, ring), stackSegment(cpu, vcpu.kernelSs, ring)];
  const esp = BigInt.asUintN(32, vcpu.kernelSp - BigInt(V86_WORDS * 4));
  const [eax, , , eflags] = words;
  words[0] = 0;
  words.forEach((word, i) => caller.write(stack.base + esp + BigInt(i * 4), 4, word));
  state.setGpr(GPR.RAX, BigInt(eax));
  state.setGpr(GPR.RSP, esp);
  state.setSegment(SEG.CS, code);
  state.setSegment(SEG.SS, stack);
  state.rip = handler.address;
  state.rflags = (eflags & 0x3f_ffff & ~(HYPERVISORS | RFLAGS.RF | RFLAGS.NT | RFLAGS.TF)) | RFLAGS.IF;
  domain.maskUpcalls(cpu.apicId, handler.masks || !(eflags & RFLAGS.IF));
}

function iret32(domain: PvDomain, cpu: Cpu, caller: Caller): void {
  const { state } = cpu;
  const base = state.segmentBase(SEG.SS);
  const sp = state.gpr(GPR.RSP) & 0xffff_ffffn;
  const word = (i: number): number => caller.read(base + sp + BigInt(i * 4), 4);
  const [eax, eip, cs, eflags] = [0, 1, 2, 3].map(word);
  if (eflags & RFLAGS.VM) return refuseVirtual8086(domain, cpu, caller, base + sp);
  const cpl = cs & 3;
  if (cpl === 0) throw new DomainCrash('it returns to ring 0');
  if (cpl < state.cpl) throw new DomainCrash(`it returns from ring ${state.cpl} to ring ${cpl}`);
  const outer = cpl > state.cpl;
  const [esp, ss] = outer ? [word(4), word(5) & 0xffff] : [Number((sp + 16n) & 0xffff_ffffn), 0];
  const code = loaded(cpu, SEG.CS, cs & 0xffff, cpl, codeSegment);
  const stack = outer ? loaded(cpu, SEG.SS, ss, cpl, stackSegment) : undefined;
  state.setSegment(SEG.CS, code.segment);
  if (stack) state.setSegment(SEG.SS, stack.segment);
  state.rip = BigInt(eip);
  state.setGpr(GPR.RSP, BigInt(esp));
  state.setGpr(GPR.RAX, BigInt(eax));
  state.rflags = (eflags & 0x3f_ffff & ~HYPERVISORS) | RFLAGS.IF;
  domain.maskUpcalls(cpu.apicId, !(eflags & RFLAGS.IF));
  const fault = code.fault ?? stack?.fault;
  if (fault) throw fault;
  if (outer) dropInnerSegments(cpu, cpl);
}
