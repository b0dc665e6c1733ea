/** A virtual processor becomes what struct vcpu_guest_context (arch-x86/xen.h) says: VCPUOP_initialise, and domctl setvcpucontext. */
import type { Cpu } from '../../cpu/cpu';
import { GuestFault, Interruption } from '../../cpu/ports';
import { ACTIVITY } from '../../cpu/turns';
import { MXCSR_MASK, restoreFx } from '../../isa/semantics/fx-image';
import { PAGE_BYTES } from '../../mmu/physical-memory';
import { isCanonical } from '../../util/words';
import { CR0, GPR, RFLAGS, SEG } from '../../x86/registers';
import type { DomainParts } from '../xen/parts';
import { FIRST_RESERVED_GDT_ENTRY, FLAT, TRAP_INFO } from '../xen/abi';
import { codeSegment, stackSegment } from '../xen/bounce';
import { GUEST_CR4 } from '../xen/emulate';
import { refuse } from '../xen/errno';
import { AREA } from '../xen/reserved-space';
import { TYPE } from '../xen/typed-pages';
import type { PageType, TypedPages } from '../xen/typed-pages';
import type { VcpuState } from '../xen/vcpu';
import { newVcpu } from '../xen/vcpu';
import type { PvCaller } from '../xen/caller';
import { loadLdt } from './descriptors';
import { writeDebug } from './processor';
import { checkTarget, deprivileged } from './traps';
import { DATA_SEGMENTS, DEBUG_REGISTERS, FPU_BYTES, FX_FORM, GDT_FRAMES, mxcsrOf, REGISTERS, rootOfCr3, TRAPS, VECTOR_REGISTERS, VGCF } from './vcpu-registers'; // prettier-ignore

const IOPL_SHIFT = 12;

/** Reads the structure word by word, by the width of the guest that it is for: all of it is words but FPU and trap table. */
class ContextReader {
  constructor(
    private readonly caller: PvCaller,
    private readonly width: 4 | 8,
    private at: bigint,
  ) {}
  word(): bigint {
    const value = this.width === 8 ? this.caller.read64(this.at) : BigInt(this.caller.read(this.at, 4));
    this.at += BigInt(this.width);
    return value;
  }
  words(count: number): bigint[] {
    return Array.from({ length: count }, () => this.word());
  }
  bytes(count: number): Uint8Array {
    const value = this.caller.readBytes(this.at, count);
    this.at += BigInt(count);
    return value;
  }
}

type Context = ReturnType<typeof readContext>;
function readContext(caller: PvCaller, word: 4 | 8, at: bigint) {
  const reader = new ContextReader(caller, word, at);
  const fpu = reader.bytes(FPU_BYTES);
  const flags = Number(reader.word() & 0xffff_ffffn);
  const general = reader.words(REGISTERS[word].length);
  reader.bytes(word === 8 ? 8 : 4);
  const [ip, cs, rflags, sp, ss] = reader.words(5);
  const data = reader.words(4);
  const traps = reader.bytes(TRAPS * (word === 8 ? 16 : 8));
  const [ldtBase, ldtEntries] = reader.words(2);
  const gdt = reader.words(GDT_FRAMES);
  const [entries, kernelSs, kernelSp] = reader.words(3);
  const controls = reader.words(8);
  const debug = reader.words(8);
  const callbacks = reader.words(word === 8 ? 3 : 4);
  reader.word();
  const bases = word === 8 ? reader.words(3) : [];
  return { fpu, flags, general, ip, cs, rflags, sp, ss, data, traps, ldtBase, ldtEntries: Number(ldtEntries), gdt, entries: Number(entries), kernelSs: Number(kernelSs & 0xffffn), kernelSp, controls, debug, callbacks, bases };
} // prettier-ignore

/**
 * Returns the flags of the structure. `at`: where it lies, in the memory of whoever calls; the domain may be another. HypercallError:
 * what of it cannot be; then the processor has no context.
 */
export function startVcpu(caller: PvCaller, parts: DomainParts, index: number, at: bigint): number {
  const { domain } = parts;
  const { word, pages } = domain;
  const context = readContext(caller, word, at);
  const { entries, controls, gdt } = context;
  if (word === 8) checkAddresses(context);
  if (entries > FIRST_RESERVED_GDT_ENTRY) refuse('EINVAL', `${entries} descriptors reach into the hypervisor's`);
  const root = rootOfCr3(word, controls[3]);
  // A 64-bit guest's second root (arch-x86/xen.h).
  const user = word === 8 ? rootOfCr3(word, controls[1]) : 0;
  const roots = [root, ...(user === 0 ? [] : [user])].map((mfn) => ({ mfn, type: word === 8 ? TYPE.l4 : TYPE.l3 }));
  const frames = gdt.slice(0, Math.ceil((entries * 8) / PAGE_BYTES)).map(Number);
  const taken = [...roots, ...frames.map((mfn) => ({ mfn, type: TYPE.descriptors }))];
  takeAll(pages, taken);
  const target = domain.vcpuStates[index];
  Object.assign(target, { kernelRoot: root, userRoot: user, gdt: frames, gdtEntries: entries });
  frames.forEach((mfn, i) => domain.space.map(index, AREA.GDT + i, mfn));
  try {
    install(parts, index, context);
  } catch (thrown) {
    for (const mfn of [...taken.map((each) => each.mfn), ...target.ldt]) pages.putAs(mfn);
    for (let page: number = AREA.GDT; page < AREA.GDT + frames.length; page++) domain.space.map(index, page, undefined);
    for (let page: number = AREA.LDT; page < AREA.IDT; page++) domain.space.map(index, page, undefined);
    domain.vcpuStates[index] = newVcpu(word, target.info);
    domain.guest.cpus[index].state.setSystem('cr3', 0n);
    if (thrown instanceof GuestFault) refuse('EINVAL', 'a segment of the context is none that its table has for such a use');
    throw thrown;
  }
  return context.flags;
} // prettier-ignore

/** Where it runs and is entered, and what its segments begin at. Of traps: readTraps. */
function checkAddresses({ ip, sp, kernelSp, callbacks, bases }: Context): void {
  const wrong = [ip, sp, kernelSp, ...callbacks, ...bases].find((address) => !isCanonical(address));
  if (wrong !== undefined) refuse('EINVAL', `0x${wrong.toString(16)} is no address, and the context has it for one`);
}

function install(parts: DomainParts, index: number, context: Context): void {
  const { domain } = parts;
  const { word } = domain;
  const { flags, general, ip, cs, rflags, sp, ss, data, kernelSs, kernelSp, bases } = context;
  const target = domain.vcpuStates[index];
  const cpu = domain.guest.cpus[index];
  const { state } = cpu;
  target.inKernel = word === 4 || target.userRoot === 0 || (flags & VGCF.IN_KERNEL) !== 0;
  target.kernelSs = kernelSs;
  target.kernelSp = kernelSp;
  readTraps(target, context.traps, word);
  readCallbacks(target, context, word);
  parts.prepare(cpu);
  REGISTERS[word].forEach((gpr, i) => state.setGpr(gpr, general[i]));
  state.setGpr(GPR.RSP, sp);
  state.rip = ip;
  state.rflags = (Number(rflags & 0x3f_ffffn) & ~(RFLAGS.IOPL | RFLAGS.VM)) | RFLAGS.IF;
  // Ports are the hypervisor's to give, and it remembers to whom (arch-x86/xen.h: eflags of user_regs; as PHYSDEVOP_set_iopl).
  target.iopl = (Number(rflags) & RFLAGS.IOPL) >> IOPL_SHIFT;
  readControls(cpu, context);
  domain.loadRoot(cpu);
  loadLdt(domain, index, context.ldtBase, context.ldtEntries);
  const kernelRing = word === 8 ? 3 : 1;
  const ring = Number(cs & 3n) | kernelRing;
  state.setSegment(SEG.CS, codeSegment(cpu, Number(cs & 0xffffn) | kernelRing, ring));
  state.setSegment(SEG.SS, stackSegment(cpu, Number(ss & 0xffffn) | kernelRing, ring));
  DATA_SEGMENTS.forEach((segment, i) => cpu.loadSegment(segment, Number(data[i] & 0xffffn)));
  if (word === 8) {
    const [fs, kernel, user] = bases;
    state.setSegmentBase(SEG.FS, fs);
    // Outside of the kernel the hypervisor has exchanged them, as SWAPGS does.
    state.setSegmentBase(SEG.GS, target.inKernel ? kernel : user);
    state.setSystem('kernel_gs_base', target.inKernel ? user : kernel);
  }
  // It waits until it is brought up.
  state.setSystem('activity', ACTIVITY.waitForSipi);
  cpu.modeChanged();
  parts.trapsChanged(cpu);
}

/** CR0.TS and the guest's bits of CR4, debug registers, x87 and vectors: the last only where the structure says that it has them. */
function readControls(cpu: Cpu, { flags, fpu, controls, debug }: Context): void {
  const { state } = cpu;
  state.setSystem('cr0', state.system('cr0') | (controls[0] & BigInt(CR0.TS)));
  state.setSystem('cr4', state.system('cr4') | (controls[4] & BigInt(GUEST_CR4)));
  try {
    for (const register of DEBUG_REGISTERS) writeDebug(cpu, register, debug[register]);
  } catch (fault) {
    if (!(fault instanceof Interruption)) throw fault;
    refuse('EINVAL', 'a debug register of the context cannot hold what it says');
  }
  if (!(flags & VGCF.FPU_VALID)) return;
  if (mxcsrOf(fpu) & ~MXCSR_MASK) refuse('EINVAL', `MXCSR cannot hold 0x${mxcsrOf(fpu).toString(16)}`);
  restoreFx(cpu, FX_FORM, VECTOR_REGISTERS, fpu);
}

function readCallbacks(target: VcpuState, { flags, callbacks }: Context, word: 4 | 8): void {
  const [event, failsafe, syscall = 0n] = word === 8 ? callbacks : [callbacks[1], callbacks[3]];
  const cs = (i: number): number => (word === 8 ? FLAT[8].kernelCs : deprivileged(4, Number(callbacks[i * 2]) & 0xffff));
  if (event) target.callbacks.event = { cs: cs(0), address: event, masks: true };
  if (failsafe) target.callbacks.failsafe = { cs: cs(1), address: failsafe, masks: (flags & VGCF.FAILSAFE_MASKS) !== 0 };
  if (syscall) target.callbacks.syscall = { cs: cs(2), address: syscall, masks: (flags & VGCF.SYSCALL_MASKS) !== 0 };
} // prettier-ignore

/** All or nothing. */
function takeAll(pages: TypedPages, uses: readonly { mfn: number; type: PageType }[]): void {
  const taken: number[] = [];
  try {
    for (const { mfn, type } of uses) {
      pages.getAs(mfn, type);
      taken.push(mfn);
    }
  } catch (refused) {
    for (const mfn of taken) pages.putAs(mfn);
    throw refused;
  }
}

function readTraps(target: VcpuState, table: Uint8Array, word: 4 | 8): void {
  const view = new DataView(table.buffer);
  for (let vector = 0; vector < TRAPS; vector++) {
    const at = vector * (word === 8 ? 16 : 8);
    const address = word === 8 ? view.getBigUint64(at + 8, true) : BigInt(view.getUint32(at + 4, true));
    const flags = view.getUint8(at + 1);
    if (address === 0n) continue;
    checkTarget(word, address);
    const cs = deprivileged(word, view.getUint16(at + 2, true));
    target.traps[view.getUint8(at)] = {
      cs,
      address,
      dpl: flags & TRAP_INFO.DPL,
      masks: (flags & TRAP_INFO.MASK_EVENTS) !== 0,
    };
  }
}
