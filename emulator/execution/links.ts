/** From the end of a block to the next one: by a link of the record, by the jump cache, or by leaving. In all tiers the same. */
import { i32, load } from './wasm';
import type { FunctionBuilder, Value } from './wasm';
import * as layout from './layout';
import { EXIT } from './record';

/** How code leaves: inside the dispatcher by branching, in a function of its own by returning a value. */
export interface Ways {
  next(record: Value): void;
  enter(record: Value): void;
  exit(): void;
}

export function leave(f: FunctionBuilder, reason: number, record: Value): void {
  f.store(32, i32(0), i32(reason), layout.EXIT_REASON);
  f.store(32, i32(0), record, layout.EXIT_RECORD);
}

/** Goes on with the block at `rip` if the jump cache knows it for the mode in force. */
export function probeJumpCache(f: FunctionBuilder, rip: Value, found: (record: Value) => void): void {
  const low = f.let(rip.wrap());
  const mode = f.let(load(32, i32(0), layout.MODE));
  const entry = f.let(
    low
      .xor(low.xor(mode).shrU(12))
      .and(layout.JUMP_CACHE_ENTRIES - 1)
      .shl(4),
  );
  const known = load(64, entry, layout.JUMP_CACHE).eq(rip);
  const same = load(32, entry, layout.JUMP_CACHE + 12).eq(mode);
  f.if(known.and(same), () => found(load(32, entry, layout.JUMP_CACHE + 8)));
}

/** A link is set only within a page; everything else goes by the jump cache, which is emptied with the TLB. */
export function followLink(
  f: FunctionBuilder,
  record: Value,
  link: number,
  rip: Value,
  ways: Omit<Ways, 'next'>,
): void {
  const target = f.let(load(32, record, link));
  f.if(target.eqz(), () => {
    const known = f.let(rip);
    probeJumpCache(f, known, (found) => ways.enter(found));
    f.store(64, i32(0), known, layout.RIP);
    f.store(32, i32(0), record.add(link), layout.EXIT_LINK);
    leave(f, EXIT.LINK, record);
    ways.exit();
  });
  ways.enter(target);
}
