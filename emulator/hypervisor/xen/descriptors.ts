/**
 * What guests may have in their descriptor tables: nothing of ring 0, and in 32-bit guests, whose kernel could otherwise reach the
 * hypervisor through supervisor pages, no segment that reaches into the reserved region.
 */
import { RESERVED } from './abi';
import { ERRNO } from './errno';
import { HypercallError } from './ports';
import type { MachineFrames } from './ports';
import { ENTRIES } from './typed-pages';

const PRESENT = 1n << 47n;
const SEGMENT = 1n << 44n;
const CODE = 1n << 43n;
const EXPAND_DOWN = 1n << 42n;
const PAGES = 1n << 55n;
const DPL_SHIFT = 45n;
const TYPE_SHIFT = 40n;
const CALL_GATE = 12n;

export class DescriptorRules {
  constructor(
    private readonly frames: MachineFrames,
    private readonly word: 4 | 8,
  ) {}

  /** Every descriptor of a frame becomes harmless, or HypercallError. */
  validate(mfn: number): void {
    for (let i = 0; i < ENTRIES; i++) {
      const given = this.frames.read64(mfn, i * 8);
      const harmless = this.check(given);
      if (harmless !== given) this.frames.write64(mfn, i * 8, harmless);
    }
  }

  /** The descriptor as it may be in a table. HypercallError: which rule it breaks. */
  check(descriptor: bigint): bigint {
    if (!(descriptor & PRESENT)) return descriptor;
    if (!(descriptor & SEGMENT)) return this.checkSystem(descriptor);
    const ring = this.word === 8 ? 3n : 1n;
    const dpl = (descriptor >> DPL_SHIFT) & 3n;
    if (dpl < ring) descriptor = (descriptor & ~(3n << DPL_SHIFT)) | (ring << DPL_SHIFT);
    return this.word === 8 ? descriptor : this.limited(descriptor);
  }
  private checkSystem(descriptor: bigint): bigint {
    const type = (descriptor >> TYPE_SHIFT) & 15n;
    if (type === 0n) return descriptor;
    if (type !== CALL_GATE) refuse(descriptor, 'of system descriptors a guest may have call gates alone');
    // In a kernel that shares ring 3 with its programs a gate leads nowhere: one that nobody may use does no harm.
    if (this.word === 8) return descriptor & ~(3n << DPL_SHIFT);
    if (!((descriptor >> 16n) & 3n)) refuse(descriptor, 'a call gate must not lead to ring 0');
    return descriptor;
  }
  /** Below the end of what guests may see. */
  private limited(descriptor: bigint): bigint {
    const base = ((descriptor >> 16n) & 0xff_ffffn) | ((descriptor >> 32n) & 0xff00_0000n);
    const raw = (descriptor & 0xffffn) | ((descriptor >> 32n) & 0xf_0000n);
    const pages = (descriptor & PAGES) !== 0n;
    const last = base + (pages ? (raw << 12n) | 0xfffn : raw);
    const { m2pEnd } = RESERVED[4];
    if (!(descriptor & CODE) && descriptor & EXPAND_DOWN) refuse(descriptor, 'a segment that expands down would reach the hypervisor'); // prettier-ignore
    if (last < m2pEnd) return descriptor;
    if (base >= m2pEnd) refuse(descriptor, 'the segment lies in the hypervisor');
    const limit = pages ? ((m2pEnd - base) >> 12n) - 1n : m2pEnd - base - 1n;
    return (descriptor & ~0x000f_0000_0000_ffffn) | (limit & 0xffffn) | ((limit & 0xf_0000n) << 32n);
  }
}

function refuse(descriptor: bigint, rule: string): never {
  throw new HypercallError(ERRNO.EINVAL, `descriptor 0x${descriptor.toString(16).padStart(16, '0')}: ${rule}`);
}
