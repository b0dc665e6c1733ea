/**
 * IRETQ of a kernel to itself, emitted: kernels serialise by it, Linux after each piece of code that it patches. All the rest
 * of IRET is plain (far.ts, cpu/far-return.ts).
 */
import { ATTRIBUTE } from '../../cpu/state';
import type { Emitter } from '../../execution/builder';
import * as layout from '../../execution/layout';
import { i32, load } from '../../execution/wasm';
import type { Value } from '../../execution/wasm';
import { GPR, RFLAGS, SEG } from '../../x86/registers';

/** What else an image may change at level 0 (SDM vol. 2 IRET). */
const OTHERS = RFLAGS.TF | RFLAGS.IF | RFLAGS.DF | RFLAGS.IOPL | RFLAGS.NT | RFLAGS.RF | RFLAGS.AC | RFLAGS.VIF | RFLAGS.VIP | RFLAGS.ID; // prettier-ignore
/** NT is a fault, TF and RF last for one instruction; with AC an explicit access may go where that of a descriptor may not. */
const SPECIAL = RFLAGS.NT | RFLAGS.TF | RFLAGS.RF | RFLAGS.AC;
const GDT_SELECTOR = 0xfff8;

const { SYSTEM_ADDRESS } = layout;
const segmentAt = (segment: number): number => layout.SEGMENTS + segment * layout.SEGMENT_SIZE;

/** Whether loading `selector` would change nothing: I32. The descriptor is read, as by the load. */
function holds(e: Emitter, segment: number, selector: Value): Value {
  const at = segmentAt(segment);
  const offset = selector.and(GDT_SELECTOR);
  const gva = load(64, i32(0), SYSTEM_ADDRESS['gdtr.base']).add(offset.extendU());
  const descriptor = e.loadLinear(e.let(gva), 64);
  const low = e.let(descriptor.wrap());
  const high = e.let(descriptor.shrU(32).wrap());
  const base = low.shrU(16).or(high.and(0xff).shl(16)).or(high.and(-0x100_0000));
  const pages = e.let(high.shrU(23).and(1));
  const limit = e.let(low.and(0xffff).or(high.and(0xf_0000)));
  // G: the limit counts pages of 4 KiB (SDM vol. 3A 3.4.5).
  const bytes = limit.shl(pages.mul(12)).or(pages.mul(0xfff));
  return load(64, i32(0), at + layout.SEGMENT.BASE)
    .eq(base.extendU())
    .and(e.state32(at + layout.SEGMENT.LIMIT).eq(bytes))
    .and(e.state32(at + layout.SEGMENT.ATTRIBUTES).eq(high.shrU(8).and(0xf0ff)));
}

/** The selector is the one that is loaded, of level 0 and the GDT. */
function isLoaded(segment: number, selector: Value): Value {
  const loaded = load(16, i32(0), segmentAt(segment) + layout.SEGMENT.SELECTOR);
  return selector.eq(loaded).and(selector.and(7).eqz());
}
const insideGdt = (e: Emitter, selector: Value): Value => selector.or(7).leU(e.state32(SYSTEM_ADDRESS['gdtr.limit']));
/** As a null selector leaves it: what a kernel has in SS after an interrupt from a program (SDM vol. 3A 6.14.2). */
function isNull(e: Emitter, segment: number): Value {
  const at = segmentAt(segment);
  const empty = load(64, i32(0), at + layout.SEGMENT.BASE)
    .eqz()
    .and(e.state32(at + layout.SEGMENT.LIMIT).eqz());
  return empty.and(e.state32(at + layout.SEGMENT.ATTRIBUTES).eq(ATTRIBUTE.UNUSABLE));
}

export function iretEmitted(e: Emitter): void {
  if (e.size !== 64) return e.plain();
  const plainIf = (condition: Value): void => e.if(condition, () => e.plain());
  const plainUnless = (condition: Value): void => plainIf(condition.eqz());
  const flags = e.let(e.systemFlags());
  plainIf(e.cpl().or(flags.and(SPECIAL)).or(e.state32(SYSTEM_ADDRESS.interruptibility)));
  const sp = e.stackPointer;
  // In the order of the plain meaning: what faults first is the same.
  const [rip, cs, image] = [0, 8, 16].map((offset) => e.loadAt(SEG.SS, e.let(sp.add(offset)), 64));
  const code = e.let(cs.wrap().and(0xffff));
  plainUnless(isLoaded(SEG.CS, code).and(insideGdt(e, code)));
  plainUnless(holds(e, SEG.CS, code));
  const changed = image.wrap().xor(flags).and(OTHERS);
  plainIf(changed.or(rip.shl(16).shrS(16).ne(rip)));
  const [rsp, ss] = [24, 32].map((offset) => e.loadAt(SEG.SS, e.let(sp.add(offset)), 64));
  const stack = e.let(ss.wrap().and(0xffff));
  plainUnless(isLoaded(SEG.SS, stack));
  const checked = (): void => {
    plainUnless(insideGdt(e, stack));
    plainUnless(holds(e, SEG.SS, stack));
  };
  e.if(stack, checked, () => plainUnless(isNull(e, SEG.SS)));
  const bit = (n: number): Value => e.let(image.wrap().shrU(n).and(1));
  e.flags({ carry: bit(0), overflow: bit(11), adjust: bit(4) });
  e.setZeroSignParity(bit(6), bit(7), bit(2));
  e.setGpr(GPR.RSP, 64, rsp);
  e.jumpIndirect(rip);
}
