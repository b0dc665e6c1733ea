/** VCPUOP_initialise: a virtual processor as struct vcpu_guest_context (arch-x86/xen.h) describes it. */
import { PAGE_BYTES } from '../../mmu/physical-memory';
import { GPR, RFLAGS, SEG } from '../../x86/registers';
import type { DomainParts } from '../xen/parts';
import { FIRST_RESERVED_GDT_ENTRY, FLAT, TRAP_INFO } from '../xen/abi';
import { codeSegment, stackSegment } from '../xen/bounce';
import { refuse } from '../xen/errno';
import { AREA } from '../xen/reserved-space';
import { TYPE } from '../xen/typed-pages';
import type { PageType, TypedPages } from '../xen/typed-pages';
import type { VcpuState } from '../xen/vcpu';
import type { Call } from './call';
import { DATA_SEGMENTS, FPU_BYTES, GDT_FRAMES, REGISTERS, rootOfCr3, TRAPS, VGCF } from './vcpu-registers';

const IOPL_SHIFT = 12;
const HALTED_UNTIL_UP = 2n;

/** Reads the structure word by word: all of it is words of the guest but for the trap table. */
class ContextReader {
  constructor(
    private readonly call: Call,
    private at: bigint,
  ) {}
  word(): bigint {
    const value = this.call.caller.readWord(this.at);
    this.at += BigInt(this.call.domain.word);
    return value;
  }
  words(count: number): bigint[] {
    return Array.from({ length: count }, () => this.word());
  }
  bytes(count: number): Uint8Array {
    const value = this.call.caller.readBytes(this.at, count);
    this.at += BigInt(count);
    return value;
  }
}

/** Returns the flags of the structure. `at`: where the structure lies, in the memory of whoever calls; the domain may be another. */
export function startVcpu(call: Call, parts: DomainParts, index: number, at: bigint): number {
  const { domain } = parts;
  const { word } = domain;
  const target = domain.vcpuStates[index];
  const cpu = domain.guest.cpus[index];
  const reader = new ContextReader(call, at + BigInt(FPU_BYTES));
  const contextFlags = Number(reader.word() & 0xffff_ffffn);
  const general = reader.words(REGISTERS[word].length);
  reader.bytes(word === 8 ? 8 : 4);
  const [ip, cs, flags, sp, ss] = reader.words(5);
  const data = reader.words(4);
  const traps = reader.bytes(TRAPS * (word === 8 ? 16 : 8));
  const [, , ...rest] = reader.words(2 + GDT_FRAMES + 1 + 2);
  const gdt = rest.slice(0, GDT_FRAMES);
  const [entries, kernelSs, kernelSp] = rest.slice(GDT_FRAMES).map(Number);
  const controls = reader.words(8);
  reader.words(8);
  const callbacks = reader.words(word === 8 ? 3 : 4);
  reader.word();
  const bases = word === 8 ? reader.words(3) : [];

  if (entries > FIRST_RESERVED_GDT_ENTRY) refuse('EINVAL', `${entries} descriptors reach into the hypervisor's`);
  const root = rootOfCr3(word, controls[3]);
  const frames = gdt.slice(0, Math.ceil((entries * 8) / PAGE_BYTES)).map(Number);
  // A 64-bit guest's second root (arch-x86/xen.h).
  const user = word === 8 ? rootOfCr3(word, controls[1]) : 0;
  const roots = [root, ...(user === 0 ? [] : [user])].map((mfn) => ({ mfn, type: word === 8 ? TYPE.l4 : TYPE.l3 }));
  takeAll(domain.pages, [...roots, ...frames.map((mfn) => ({ mfn, type: TYPE.descriptors }))]);
  target.userRoot = user;
  target.inKernel = word === 4 || user === 0 || (contextFlags & VGCF.IN_KERNEL) !== 0;
  target.kernelRoot = root;
  target.gdt = frames;
  target.gdtEntries = entries;
  frames.forEach((mfn, i) => domain.space.map(index, AREA.GDT + i, mfn));
  target.kernelSs = kernelSs;
  target.kernelSp = BigInt.asUintN(word * 8, BigInt(rest[GDT_FRAMES + 2] ?? kernelSp));
  readTraps(target, traps, word);
  const code = word === 8 ? FLAT[8].kernelCs : undefined;
  const addresses = word === 8 ? callbacks : [callbacks[1], callbacks[3]];
  (['event', 'failsafe', 'syscall'] as const).forEach((name, i) => {
    if (addresses[i])
      target.callbacks[name] = { cs: code ?? (Number(callbacks[i * 2]) & 0xffff) | 1, address: addresses[i], masks: name === 'event' }; // prettier-ignore
  });
  parts.prepare(cpu);
  const { state } = cpu;
  REGISTERS[word].forEach((gpr, i) => state.setGpr(gpr, general[i]));
  state.setGpr(GPR.RSP, sp);
  state.rip = ip;
  state.rflags = (Number(flags & 0x3f_ffffn) & ~(RFLAGS.IOPL | RFLAGS.VM)) | RFLAGS.IF;
  // Ports are the hypervisor's to give, and it remembers to whom (arch-x86/xen.h: eflags of user_regs; as PHYSDEVOP_set_iopl).
  target.iopl = (Number(flags) & RFLAGS.IOPL) >> IOPL_SHIFT;
  domain.loadRoot(cpu);
  const ring = word === 8 ? 3 : 1;
  state.setSegment(SEG.CS, codeSegment(cpu, Number(cs & 0xffffn) | ring));
  state.setSegment(SEG.SS, stackSegment(cpu, Number(ss & 0xffffn) | ring));
  DATA_SEGMENTS.forEach((segment, i) => cpu.loadSegment(segment, Number(data[i] & 0xffffn)));
  if (word === 8) {
    state.setSegmentBase(SEG.FS, bases[0]);
    state.setSegmentBase(SEG.GS, bases[1]);
    state.setSystem('kernel_gs_base', bases[2]);
  }
  // It waits until it is brought up.
  state.setSystem('activity', HALTED_UNTIL_UP);
  cpu.modeChanged();
  return contextFlags;
}

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
    const cs = view.getUint16(at + 2, true) | (word === 8 ? 3 : 1);
    target.traps[view.getUint8(at)] = {
      cs,
      address,
      dpl: flags & TRAP_INFO.DPL,
      masks: (flags & TRAP_INFO.MASK_EVENTS) !== 0,
    };
  }
}
