/**
 * The kernel's messages, from its ring buffer (kernel: kernel/printk/printk_ringbuffer.h, since 5.10): descriptors say
 * which texts are complete and where each lies.
 */
import type { Kernel } from './kernel';

export interface Message {
  sequence: number;
  ns: bigint;
  level: number;
  text: string;
}

/** States of a descriptor, in its two top bits; `finalized` and `committed` have text. */
const COMMITTED = 1n;
const FINALIZED = 2n;
const MAX_MESSAGES = 65_536;
/** An odd position: the message has no text. */
const NO_DATA = 1n;
const DECODER = new TextDecoder();

/** The last `limit` messages, oldest first. Undefined: this kernel has no such buffer, or its types are not known. */
export function messages(kernel: Kernel, limit: number): Message[] | undefined {
  const { structures, memory } = kernel;
  const variable = kernel.file.symbol('prb');
  const ring = variable && memory.pointer(variable);
  if (!ring) return undefined;
  const number = (path: string): bigint | undefined => structures.number(ring, 'printk_ringbuffer', path);
  const countBits = number('desc_ring.count_bits');
  const sizeBits = number('text_data_ring.size_bits');
  const [descriptors, infos, data] = [number('desc_ring.descs'), number('desc_ring.infos'), number('text_data_ring.data')]; // prettier-ignore
  const [head, tail] = [number('desc_ring.head_id.counter'), number('desc_ring.tail_id.counter')];
  const sizes = { descriptor: structures.bytes('prb_desc'), info: structures.bytes('printk_info') };
  if (!descriptors || !infos || !data || head === undefined || tail === undefined) return undefined;
  if (!countBits || !sizeBits || countBits > 24n || sizeBits > 28n || !sizes.descriptor || !sizes.info)
    return undefined;
  const bits = BigInt(memory.pointerBytes * 8);
  const idMask = (1n << (bits - 2n)) - 1n;
  const slots = 1n << countBits;
  const found: Message[] = [];
  // From the newest on: numbers wrap, and the oldest may be overwritten.
  const [newest, oldest] = [head & idMask, tail & idMask];
  for (let n = 0n, id = newest; found.length < limit && n < slots && n < MAX_MESSAGES; n++, id = (id - 1n) & idMask) {
    const slot = id & (slots - 1n);
    const descriptor = descriptors + slot * BigInt(sizes.descriptor);
    const state = structures.number(descriptor, 'prb_desc', 'state_var.counter');
    if (state === undefined) break;
    const phase = BigInt.asUintN(Number(bits), state) >> (bits - 2n);
    if ((phase === COMMITTED || phase === FINALIZED) && (state & idMask) === id) {
      found.push(messageAt(kernel, id, descriptor, infos + slot * BigInt(sizes.info), data, 1n << sizeBits));
    }
    if (id === oldest) break;
  }
  return found.reverse();
}

function messageAt(
  { structures, memory }: Kernel,
  id: bigint,
  descriptor: bigint,
  info: bigint,
  data: bigint,
  size: bigint,
): Message {
  const number = (path: string): bigint => structures.number(info, 'printk_info', path) ?? 0n;
  const begin = structures.number(descriptor, 'prb_desc', 'text_blk_lpos.begin') ?? NO_DATA;
  const length = Number(number('text_len'));
  // A block that would reach over the end lies at the beginning; its first word is its descriptor's number.
  const block = [data + (begin % size), data].find((at) => memory.pointer(at) === id);
  const hasText = (begin & NO_DATA) === 0n && block !== undefined;
  const text = hasText ? DECODER.decode(memory.read(block + BigInt(memory.pointerBytes), length)) : '';
  // `level` has the three upper bits of a byte that `flags` begins.
  const field = structures.field('printk_info', 'level');
  const packed = field && memory.unsigned(info + BigInt(field.offset), 1);
  return { sequence: Number(number('seq')), ns: number('ts_nsec'), level: Number((packed ?? 0n) >> 5n), text };
}

/** `[    0.123456] text`, as dmesg writes it. */
export const messageLine = ({ ns, text }: Message): string => {
  const stamp = `${ns / 1_000_000_000n}.${String((ns / 1000n) % 1_000_000n).padStart(6, '0')}`;
  return text
    .split('\n')
    .map((line) => `[${stamp.padStart(12)}] ${line}`)
    .join('\n');
};
