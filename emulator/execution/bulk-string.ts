/**
 * Many iterations of REP MOVS or REP STOS at once, where the TLB knows both pages: what `bulkString` does before it asks
 * the host. Forwards, in 64-bit mode, as many as lie in one page each and in the budget; registers and budget included.
 */
import { BULK, HELPERS } from './builder';
import { entryOf, tableOf } from './builder-tlb';
import { FunctionBuilder, I32, call, i32, i64, load, select } from './wasm';
import type { Value } from './wasm';
import * as layout from './layout';
import { GPR, RFLAGS } from '../x86/registers';

/** Fewer iterations than this are done one by one. */
export const BULK_ITERATIONS = 4;
const PAGE = 4096;

const least = (f: FunctionBuilder, a: Value, b: Value): Value => f.let(select(a.ltS(b), a, b));
const gpr = (index: number): Value => load(64, i32(0), layout.GPRS + index * 8);

/** Elements from a linear address to the end of its page. */
const room = (linear: Value, shift: Value): Value =>
  i32(PAGE)
    .sub(linear.wrap().and(PAGE - 1))
    .shrU(shift);

/** `slow`: index of the function that does without the TLB. */
export function bulkString(slow: number): FunctionBuilder {
  const f = new FunctionBuilder(HELPERS.bulkString.parameters);
  const [site, info] = [f.parameter(0), f.parameter(1)];
  const count = f.let(gpr(GPR.RCX));
  f.if(count.ltU(i64(BULK_ITERATIONS)), () => f.return(i32(0)));
  const backwards = load(32, i32(0), layout.RFLAGS_SYSTEM).and(RFLAGS.DF);
  f.if(info.and(BULK.FLAT).and(backwards.eqz().shl(5)), () => {
    const shift = f.let(info.and(BULK.BYTES).ctz());
    const to = f.let(gpr(GPR.RDI));
    const target = entryOf(f, tableOf(true), to);
    f.if(target.hit, () => {
      const there = f.let(target.host);
      const budget = load(32, i32(0), layout.BUDGET).add(1);
      const some = f.let(select(count.ltU(i64(PAGE)), count.wrap(), i32(PAGE)));
      const most = least(f, least(f, some, budget), room(to, shift));
      f.if(info.and(BULK.MOVE), () => move(f, most, shift, there), () => fill(f, most, shift, there)); // prettier-ignore
    });
  });
  f.return(call(slow, I32, [site]));
  f.unreachable();
  return f;
}

function move(f: FunctionBuilder, most: Value, shift: Value, target: Value): void {
  const from = f.let(gpr(GPR.RSI));
  const source = entryOf(f, tableOf(false), from);
  f.if(source.hit, () => {
    const host = f.let(source.host);
    const inPage = least(f, most, room(from, shift));
    // A target just above the source repeats what was copied: only the part up to it can be done at once.
    const apart = f.let(select(target.gtU(host), target.sub(host).shrU(shift), inPage));
    const n = least(f, inPage, apart);
    f.if(n.ltS(BULK_ITERATIONS), () => f.return(i32(0)));
    f.copy(target, host, n.shl(shift));
    f.store(64, i32(0), from.add(n.shl(shift).extendU()), layout.GPRS + GPR.RSI * 8);
    done(f, n, shift);
  });
}

/** The first element is stored, then what is there is doubled. */
function fill(f: FunctionBuilder, n: Value, shift: Value, target: Value): void {
  f.if(n.ltS(BULK_ITERATIONS), () => f.return(i32(0)));
  const bytes = f.let(n.shl(shift));
  const value = f.let(gpr(GPR.RAX));
  f.if(
    value.eqz().or(shift.eqz()),
    () => f.fill(target, value.wrap(), bytes),
    () => {
      const filled = f.local(I32);
      for (const [i, width] of ([8, 16, 32, 64] as const).entries())
        f.if(shift.eq(i), () => f.store(width, target, width === 64 ? value : value.wrap()));
      f.set(filled, i32(1).shl(shift));
      f.loop((again) => {
        const have = f.let(f.get(filled));
        const more = least(f, have, bytes.sub(have));
        f.copy(target.add(have), target, more);
        f.set(filled, have.add(more));
        f.branchIf(again, f.get(filled).ltU(bytes));
      });
    },
  );
  done(f, n, shift);
}

function done(f: FunctionBuilder, n: Value, shift: Value): void {
  const put = (register: number, value: Value): void => f.store(64, i32(0), value, layout.GPRS + register * 8);
  put(GPR.RCX, gpr(GPR.RCX).sub(n.extendU()));
  put(GPR.RDI, gpr(GPR.RDI).add(n.shl(shift).extendU()));
  f.store(32, i32(0), load(32, i32(0), layout.BUDGET).sub(n).add(1), layout.BUDGET);
  f.return(n);
}
