/** struct vcpu_guest_context (arch-x86/xen.h) of a virtual processor as it stands: what domctl getvcpucontext gives. */
import { FX, saveFx } from '../../isa/semantics/fx-image';
import { GPR, SEG } from '../../x86/registers';
import { TRAP_INFO } from '../xen/abi';
import type { PvDomain } from '../xen/domain';

/** VGCF_*: bits of flags. */
export const VGCF = {
  FPU_VALID: 1 << 0,
  IN_KERNEL: 1 << 2,
  FAILSAFE_MASKS: 1 << 3,
  SYSCALL_MASKS: 1 << 4,
  ONLINE: 1 << 5,
} as const;
/** fpu_ctxt: as FXSAVE has it, in the form that a 64-bit hypervisor uses for every guest. */
export const FPU_BYTES = 512;
export const FX_FORM = { rex: 8 } as const;
export const VECTOR_REGISTERS = 16;
export const mxcsrOf = (fpu: Uint8Array): number => new DataView(fpu.buffer).getUint32(FX.mxcsr, true);
export const DEBUG_REGISTERS = [0, 1, 2, 3, 6, 7] as const;
export const TRAPS = 256;
export const GDT_FRAMES = 16;
/** Registers of struct cpu_user_regs in their order, by general register number. */
export const REGISTERS = {
  8: [15, 14, 13, 12, GPR.RBP, GPR.RBX, 11, 10, 9, 8, GPR.RAX, GPR.RCX, GPR.RDX, GPR.RSI, GPR.RDI],
  4: [GPR.RBX, GPR.RCX, GPR.RDX, GPR.RSI, GPR.RDI, GPR.RBP, GPR.RAX],
} as const;
export const DATA_SEGMENTS = [SEG.ES, SEG.DS, SEG.FS, SEG.GS] as const;
/** A frame of a root in CR3: in 32-bit guests turned by 12 bits, so that frames above 4 GiB fit (xen_pfn_to_cr3). */
export const rootOfCr3 = (word: 4 | 8, cr3: bigint): number =>
  Number(word === 8 ? cr3 >> 12n : (cr3 >> 12n) | ((cr3 & 0xfffn) << 20n));
const cr3OfRoot = (word: 4 | 8, mfn: number): bigint =>
  word === 8 ? BigInt(mfn) << 12n : BigInt.asUintN(32, (BigInt(mfn) << 12n) | (BigInt(mfn) >> 20n));

export function contextOf(domain: PvDomain, index: number): Uint8Array {
  const { guest, vcpuStates, word } = domain;
  const cpu = guest.cpus[index];
  const { state } = cpu;
  const { up, inKernel, traps, ldtBase, ldtEntries, gdt, gdtEntries, kernelSs, kernelSp, kernelRoot, userRoot, callbacks, iopl } = vcpuStates[index];
  const words: bigint[] = [];
  const fpu = saveFx(cpu, FX_FORM, VECTOR_REGISTERS);
  const bytes: number[] = [...fpu, ...new Array<number>(FPU_BYTES - fpu.length).fill(0)];
  const flush = (): void => {
    for (const each of words.splice(0)) for (let i = 0; i < word; i++) bytes.push(Number((each >> BigInt(8 * i)) & 255n));
  };
  const kernel = word === 8 ? inKernel : state.cpl < 3;
  words.push(BigInt(VGCF.FPU_VALID | (up ? VGCF.ONLINE : 0) | (kernel ? VGCF.IN_KERNEL : 0) | (callbacks.failsafe?.masks ? VGCF.FAILSAFE_MASKS : 0) | (callbacks.syscall?.masks ? VGCF.SYSCALL_MASKS : 0)));
  words.push(...REGISTERS[word].map((gpr) => state.gpr(gpr)));
  flush();
  // Error code and vector of an entry into the hypervisor: it stands between two instructions.
  for (let i = 0; i < (word === 8 ? 8 : 4); i++) bytes.push(0);
  const masked = domain.upcallMasked(index) ? 1n << (word === 8 ? 32n : 16n) : 0n;
  words.push(state.rip, BigInt(state.selector(SEG.CS)) | masked, BigInt(state.rflags | (iopl << 12)), state.gpr(GPR.RSP), BigInt(state.selector(SEG.SS)));
  words.push(...DATA_SEGMENTS.map((segment) => BigInt(state.selector(segment))));
  flush();
  for (let vector = 0; vector < TRAPS; vector++) {
    const trap = traps[vector];
    const cs = trap?.cs ?? 0;
    bytes.push(trap ? vector : 0, trap ? trap.dpl | (trap.masks ? TRAP_INFO.MASK_EVENTS : 0) : 0, cs & 255, cs >> 8);
    if (word === 8) bytes.push(0, 0, 0, 0);
    words.push(trap?.address ?? 0n);
    flush();
  }
  words.push(ldtBase, BigInt(ldtEntries), ...Array.from({ length: GDT_FRAMES }, (_, i) => BigInt(gdt[i] ?? 0)), BigInt(gdtEntries));
  words.push(BigInt(kernelSs), kernelSp);
  words.push(state.system('cr0'), word === 8 ? cr3OfRoot(word, userRoot) : 0n, 0n, cr3OfRoot(word, kernelRoot), state.system('cr4'), 0n, 0n, 0n);
  words.push(...([0, 1, 2, 3] as const).map((n) => state.system(`dr${n}`)), 0n, 0n, state.system('dr6'), state.system('dr7'));
  const { event, failsafe, syscall } = callbacks;
  if (word === 8) words.push(event?.address ?? 0n, failsafe?.address ?? 0n, syscall?.address ?? 0n);
  else for (const each of [event, failsafe]) words.push(BigInt(each?.cs ?? 0), each?.address ?? 0n);
  words.push(0n);
  if (word === 8) {
    // In the kernel the hypervisor has exchanged the bases as SWAPGS does.
    const [active, other] = [state.segmentBase(SEG.GS), state.system('kernel_gs_base')];
    words.push(state.segmentBase(SEG.FS), ...(inKernel ? [active, other] : [other, active]));
  }
  flush();
  return Uint8Array.from(bytes);
} // prettier-ignore
