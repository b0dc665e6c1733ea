/** Work in slices: long loops give the event loop a turn before anybody notices. */

/** Longest time between two turns; the promise is 20 ms, the rest is for what a slice cannot foresee. */
const SLICE_MS = 5;

/** After everything else that waits. Node lets a chain of messages starve timers, browsers stretch timers to 4 ms. */
const afterOthers = (): { next(resume: () => void): void; close(): void } => {
  if (typeof setImmediate === 'function') return { next: (resume) => void setImmediate(resume), close: () => {} };
  const channel = new MessageChannel();
  let resume: (() => void) | undefined;
  channel.port1.onmessage = () => resume?.();
  const next = (then: () => void): void => {
    resume = then;
    channel.port2.postMessage(0);
  };
  return { next, close: () => channel.port1.close() };
};

export class Slices {
  private readonly turn = afterOthers();
  private until = performance.now() + SLICE_MS;

  /** Ask once every few thousand cheap steps. */
  due(): boolean {
    return performance.now() >= this.until;
  }
  pause(): Promise<void> {
    return new Promise((resolve) => {
      this.turn.next(() => {
        this.until = performance.now() + SLICE_MS;
        resolve();
      });
    });
  }
  close(): void {
    this.turn.close();
  }
}

/** Positions of `keys` in ascending order of the keys; equal keys keep their order. Merge sort, in slices. */
export const sortedOrder = async (keys: Float64Array, slices: Slices): Promise<Uint32Array> => {
  const n = keys.length;
  let from = new Uint32Array(n);
  for (let i = 0; i < n; i++) from[i] = i;
  if (isSorted(keys)) return from;
  let to = new Uint32Array(n);
  for (let width = 1; width < n; width *= 2) {
    for (let low = 0; low < n; low += 2 * width) {
      const middle = Math.min(low + width, n);
      const high = Math.min(low + 2 * width, n);
      let [a, b] = [low, middle];
      for (let k = low; k < high; k++) {
        to[k] = b >= high || (a < middle && keys[from[a]!]! <= keys[from[b]!]!) ? from[a++]! : from[b++]!;
        if ((k & 0xfff) === 0 && slices.due()) await slices.pause();
      }
    }
    [from, to] = [to, from];
  }
  return from;
};

const isSorted = (keys: Float64Array): boolean => {
  for (let i = 1; i < keys.length; i++) if (keys[i]! < keys[i - 1]!) return false;
  return true;
};

/** A list of numbers that grows without boxing. */
export class Numbers<A extends Float64Array | Uint32Array | Int32Array> {
  length = 0;
  constructor(private array: A) {}
  push(value: number): void {
    if (this.length === this.array.length) {
      const grown = new (this.array.constructor as new (n: number) => A)(Math.max(64, this.length * 2));
      grown.set(this.array);
      this.array = grown;
    }
    this.array[this.length++] = value;
  }
  get(i: number): number {
    return this.array[i]!;
  }
  set(i: number, value: number): void {
    this.array[i] = value;
  }
  /** What is in it, without the spare room. A copy. */
  trimmed(): A {
    return this.array.slice(0, this.length) as A;
  }
}

/** Index of the last element of `sorted` that is ≤ value, -1 if none. */
export const lastAtMost = (sorted: ArrayLike<number>, value: number): number => {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
};

/** The values last used, at most `limit` of them. */
export class Recent<K, V> {
  private readonly map = new Map<K, V>();
  constructor(private readonly limit: number) {}
  get(key: K, make: () => V): V {
    let value = this.map.get(key);
    if (value !== undefined) this.map.delete(key);
    else value = make();
    this.map.set(key, value);
    if (this.map.size > this.limit) this.map.delete(this.map.keys().next().value as K);
    return value;
  }
}
