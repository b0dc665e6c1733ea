/** Settings of the JavaScript engine for processes of our own; a browser or an editor's process keeps its own. */
import { setFlagsFromString } from 'node:v8';

/** Up to 13.6 of V8 branch hints, which compiled guest code carries, are behind a flag; in 13.7 it is set, and later it may be gone. */
const LAST_WITH_FLAG = 13;

/** Before the first machine is made. */
export function tuneEngine(): void {
  if (parseInt(process.versions.v8, 10) <= LAST_WITH_FLAG) setFlagsFromString('--experimental-wasm-branch-hinting');
}
