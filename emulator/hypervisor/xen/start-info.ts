/** struct start_info (xen.h), by the guest's word: what a kernel finds when it starts. */
import { PAGE_BYTES } from '../../mmu/physical-memory';

/** In the order of the structure; `flags` and event channels are 32 bits wide, the rest are words. */
export interface StartInfo {
  pages: number;
  sharedInfo: bigint;
  flags: number;
  storeMfn: number;
  storePort: number;
  consoleMfn: number;
  consolePort: number;
  ptBase: bigint;
  ptFrames: number;
  mfnList: bigint;
  modStart: bigint;
  modBytes: number;
  commandLine: string;
  firstP2mPfn: number;
  p2mFrames: number;
}
const MAGIC = { 8: 'xen-3.0-x86_64', 4: 'xen-3.0-x86_32p' } as const;
const MAGIC_BYTES = 32;
export const MAX_COMMAND_LINE = 1024;
const NARROW: ReadonlySet<keyof StartInfo> = new Set(['flags', 'storePort', 'consolePort']);

/** A page. */
export function startInfoPage(info: StartInfo, word: 4 | 8): Uint8Array {
  const page = new Uint8Array(PAGE_BYTES);
  const view = new DataView(page.buffer);
  const text = (at: number, value: string): void => void page.set(new TextEncoder().encode(value), at);
  text(0, MAGIC[word]);
  let at = MAGIC_BYTES;
  for (const [name, value] of Object.entries(info) as [keyof StartInfo, number | bigint | string][]) {
    if (name === 'commandLine') {
      text(at, (value as string).slice(0, MAX_COMMAND_LINE - 1));
      at += MAX_COMMAND_LINE;
    } else if (NARROW.has(name) || word === 4) {
      view.setUint32(at, Number(value), true);
      // The next word is aligned.
      at += word;
    } else {
      view.setBigUint64(at, BigInt(value), true);
      at += word;
    }
  }
  return page;
}
