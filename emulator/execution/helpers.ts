/** Out-of-line functions that are the same in every tier: those in WebAssembly (wide products, long division, segment checks), and how all are called. */
import { HELPERS } from './builder';
import type { Helper, HelperCallees } from './builder';
import { bulkString } from './bulk-string';
import { probeJumpCache, leave } from './links';
import { EXIT, FIRST_HELPER_INDEX } from './record';
import { stackAddress } from './stack-page';
import { FunctionBuilder, I64, call, i32, i64, load, select } from './wasm';
import type { ModuleBuilder, Value } from './wasm';
import * as layout from './layout';
import { SEG, VECTOR } from '../x86/registers';

export const SHARED_HELPERS = [
  'segmentLinear',
  'follow',
  'resume',
  'bulkString',
  'stackAddress',
  'mulHighU',
  'mulHighS',
  'divideU',
] as const;
type Shared = (typeof SHARED_HELPERS)[number];
export type HostHelper = Exclude<Helper, (typeof SHARED_HELPERS)[number]>;
/** What the host supplies to the generated modules. */
export type HostHelpers = Record<HostHelper, (...operands: number[]) => number | void>;

export const HELPER_NAMES = Object.keys(HELPERS) as Helper[];
export const HOST_HELPERS = HELPER_NAMES.filter(
  (name): name is HostHelper => !(SHARED_HELPERS as readonly Helper[]).includes(name),
);
/**
 * The helpers as modules that come later call them: the dispatcher puts all into the table. For a function that is
 * imported V8 would compile a wrapper anew in each module, whether it comes from the host or not.
 */
export const helpersInTable = (module: ModuleBuilder): HelperCallees =>
  Object.fromEntries(
    HELPER_NAMES.map((name, i) => [
      name,
      { signature: module.type(HELPERS[name].parameters, HELPERS[name].results), place: i32(FIRST_HELPER_INDEX + i) },
    ]),
  ) as HelperCallees;

const LOW32 = 0xffff_ffffn;

function mulHigh(signed: boolean): FunctionBuilder {
  const f = new FunctionBuilder(HELPERS.mulHighU.parameters);
  const [a, b] = [f.parameter(0), f.parameter(1)];
  const [aLow, aHigh] = [f.let(a.and(LOW32)), f.let(a.shrU(32))];
  const [bLow, bHigh] = [f.let(b.and(LOW32)), f.let(b.shrU(32))];
  const [lowHigh, highLow] = [f.let(aLow.mul(bHigh)), f.let(aHigh.mul(bLow))];
  const middle = aLow.mul(bLow).shrU(32).add(lowHigh.and(LOW32)).add(highLow.and(LOW32));
  const high = aHigh.mul(bHigh).add(lowHigh.shrU(32)).add(highLow.shrU(32)).add(middle.shrU(32));
  // A negative factor counts 2^64 too much of the other one.
  f.return(signed ? high.sub(a.shrS(63).and(b)).sub(b.shrS(63).and(a)) : high);
  f.unreachable();
  return f;
}

/** Schoolbook division in base 2^32 of (high, low) by a divisor above high (Knuth, TAOCP vol. 2, 4.3.1 algorithm D). */
function divideU(): FunctionBuilder {
  const f = new FunctionBuilder(HELPERS.divideU.parameters);
  const [high, low] = [f.parameter(0), f.parameter(1)];
  const shift = f.let(f.parameter(2).clz());
  const divisor = f.let(f.parameter(2).shl(shift));
  const [d1, d0] = [f.let(divisor.shrU(32)), f.let(divisor.and(LOW32))];
  const carried = select(shift.eqz(), i64(0), low.shrU(i64(64).sub(shift)));
  const u = f.let(high.shl(shift).or(carried));
  const lowShifted = f.let(low.shl(shift));

  /** One digit: the estimate from the leading digits is at most 2 too large. */
  const digit = (rest: Value, next: Value): { q: Value; rest: Value } => {
    const q = f.local(I64);
    const r = f.local(I64);
    f.set(q, rest.divU(d1));
    f.set(r, rest.sub(f.get(q).mul(d1)));
    for (let i = 0; i < 2; i++) {
      const product = f.get(q).mul(d0);
      const tooLarge = f
        .get(q)
        .shrU(32)
        .ne(0n)
        .or(product.gtU(f.get(r).shl(32).or(next)));
      f.if(f.get(r).shrU(32).eqz().and(tooLarge), () => {
        f.set(q, f.get(q).sub(1));
        f.set(r, f.get(r).add(d1));
      });
    }
    return { q: f.get(q), rest: f.let(rest.shl(32).or(next).sub(f.get(q).mul(divisor))) };
  };
  const first = digit(u, f.let(lowShifted.shrU(32)));
  const second = digit(first.rest, f.let(lowShifted.and(LOW32)));
  f.store(64, i32(0), second.rest.shrU(shift), layout.SCRATCH);
  f.return(first.q.shl(32).add(second.q));
  f.unreachable();
  return f;
}

/** Limit, type and base of a segment outside 64-bit mode; #GP(0), or #SS(0) for the stack (SDM vol. 3A section 5.3). */
function segmentLinear(): FunctionBuilder {
  const f = new FunctionBuilder(HELPERS.segmentLinear.parameters);
  const [segment, offset, bytes, writing] = [f.parameter(0), f.parameter(1), f.parameter(2), f.parameter(3)];
  const at = f.let(segment.mul(layout.SEGMENT_SIZE).add(layout.SEGMENTS));
  const range = f.let(at.add(select(writing, i32(layout.SEGMENT.WRITE_LOW), i32(layout.SEGMENT.READ_LOW))));
  const low = load(32, range).extendU();
  const high = load(32, range, 4).extendU();
  const inside = offset.geU(low).and(offset.add(bytes.extendU()).sub(1).leU(high));
  f.if(inside, () => f.return(load(64, at, layout.SEGMENT.BASE).add(offset).and(LOW32)));
  const vector = select(segment.eq(SEG.SS), i32(VECTOR.SS), i32(VECTOR.GP));
  f.store(32, i32(0), vector.or(0x100), layout.EXIT_FAULT);
  f.store(32, i32(0), i32(0), layout.EXIT_FAULT_CODE);
  f.return(i64(-1));
  f.unreachable();
  return f;
}

/** The way on from a region that the target does not belong to. */
function follow(): FunctionBuilder {
  const f = new FunctionBuilder(HELPERS.follow.parameters);
  const [link, rip, record] = [f.parameter(0), f.parameter(1), f.parameter(2)];
  f.if(link, () => {
    const target = f.let(load(32, link));
    f.if(target, () => f.return(target.or(1)));
  });
  probeJumpCache(f, rip, (found) => f.return(found.or(1)));
  f.store(64, i32(0), rip, layout.RIP);
  f.store(32, i32(0), link, layout.EXIT_LINK);
  leave(f, EXIT.LINK, record);
  f.return(i32(0));
  f.unreachable();
  return f;
}

/** The way on from a plain meaning that ended its block and has said why it leaves if there is none. */
function resume(): FunctionBuilder {
  const f = new FunctionBuilder(HELPERS.resume.parameters);
  probeJumpCache(f, f.let(load(64, i32(0), layout.RIP)), (found) => f.return(found.or(1)));
  f.return(i32(0));
  f.unreachable();
  return f;
}

/** Adds them to a module; answers with their indices. `host`: those of the helpers that they call. */
export function addHelpers(module: ModuleBuilder, host: Record<HostHelper, number>): Record<Shared, number> {
  const builders: Record<Shared, FunctionBuilder> = {
    segmentLinear: segmentLinear(),
    follow: follow(),
    resume: resume(),
    bulkString: bulkString(host.bulkSlow),
    stackAddress: stackAddress(host.regionRead, host.regionWrite),
    mulHighU: mulHigh(false),
    mulHighS: mulHigh(true),
    divideU: divideU(),
  };
  const indices: Partial<Record<Shared, number>> = {};
  for (const name of SHARED_HELPERS) indices[name] = module.add(builders[name], HELPERS[name].results);
  return indices as Record<Shared, number>;
}

/** Calls a function of the host. */
export function forward(name: HostHelper, index: number): FunctionBuilder {
  const { parameters, results } = HELPERS[name];
  const f = new FunctionBuilder(parameters);
  const operands = parameters.map((_, i) => f.parameter(i));
  if (results.length > 0) f.return(call(index, results[0]!, operands));
  else f.call(index, operands);
  if (results.length > 0) f.unreachable();
  return f;
}
