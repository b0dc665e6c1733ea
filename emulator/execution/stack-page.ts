/** What compiled code calls where the page of the stack is not the one that STACK_PAGE says: the TLB, and its slow path. */
import { HELPERS } from './builder-types';
import { entryOf, tableOf, WRITING } from './builder-tlb';
import { FunctionBuilder, I32, call, i32 } from './wasm';
import * as layout from './layout';

/** `read`, `write`: indices of regionRead and regionWrite. */
export function stackAddress(read: number, write: number): FunctionBuilder {
  const f = new FunctionBuilder(HELPERS.stackAddress.parameters);
  const [gva, info, site] = [f.parameter(0), f.parameter(1), f.parameter(2)];
  const bytes = f.let(info.and(0xff));
  const last = f.let(gva.add(bytes.extendU()).sub(1));
  const readable = entryOf(f, tableOf(false), gva, last);
  const writable = entryOf(f, tableOf(true), gva, last);
  const [canRead, canWrite] = [f.let(readable.hit), f.let(writable.hit)];
  // One page serves reads and writes: an access by it is one that the TLB would have answered.
  f.if(canRead.and(canWrite).and(readable.host.eq(writable.host)), () => {
    f.store(64, i32(0), gva.and(-4096n), layout.STACK_PAGE);
    f.store(32, i32(0), readable.host.sub(gva.wrap()), layout.STACK_ADDEND);
    f.return(readable.host);
  });
  const parts = [gva.wrap(), gva.shrU(32).wrap(), bytes, site];
  f.if(info.and(WRITING), () => {
    f.if(canWrite, () => f.return(writable.host));
    f.return(call(write, I32, parts));
  });
  f.if(canRead, () => f.return(readable.host));
  f.return(call(read, I32, parts));
  f.unreachable();
  return f;
}
