/**
 * Counts the instructions that compiled regions retire. Their functions take the budget into a local when they are entered
 * and put it back when they are left, and nothing else does (region-function.ts): a word gets the first added and the second
 * subtracted. What a region pays for a block that a fault cuts short is counted, too.
 */
import { RegionFunction } from '../../emulator/execution/region-function';
import { i32, load } from '../../emulator/execution/wasm';
import type { FunctionBuilder, Local } from '../../emulator/execution/wasm';

/** Below everything that the layout knows. */
const WORD = 0x100;

interface Frame {
  f: FunctionBuilder;
  left: Local;
  load(): void;
  store(): void;
}
let counting = false;

export function countCompiled(): void {
  if (counting) return;
  counting = true;
  const frame = RegionFunction.prototype as unknown as Frame;
  const { load: enter, store: leave } = frame;
  frame.load = function () {
    enter.call(this);
    this.f.store(32, i32(0), load(32, i32(0), WORD).add(this.f.get(this.left)), WORD);
  };
  frame.store = function () {
    leave.call(this);
    this.f.store(32, i32(0), load(32, i32(0), WORD).sub(this.f.get(this.left)), WORD);
  };
}

export const compiledInstructions = {
  reset: (memory: Uint8Array): void => void new DataView(memory.buffer).setInt32(WORD, 0, true),
  read: (memory: Uint8Array): number => new DataView(memory.buffer).getInt32(WORD, true),
};
