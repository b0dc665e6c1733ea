/** A clock that tests set, wires that remember. */
import type { Clock, Line, ShadowedMemory } from '../../../emulator/devices/bus';
import type { DiskContent } from '../../../emulator/machine/api';

export class TestClock implements Clock {
  ns = 0;
  now(): number {
    return this.ns;
  }
}

export class TestLine implements Line {
  level = false;
  rises = 0;
  set(level: boolean): void {
    if (level && !this.level) this.rises++;
    this.level = level;
  }
}

export const nobody = (what: string): void => {
  throw new Error(`unexpectedly unsupported: ${what}`);
};

/** Numbers, strings, booleans, null, arrays, Uint8Array and plain objects of them: throws otherwise. */
export function checkPlain(value: unknown, path = 'saved'): void {
  if (value === null || ['string', 'boolean'].includes(typeof value)) return;
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new Error(`${path} is ${value}`);
    return;
  }
  if (value instanceof Uint8Array) return;
  if (Array.isArray(value)) return value.forEach((v, i) => checkPlain(v, `${path}[${i}]`));
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    for (const [key, v] of Object.entries(value)) checkPlain(v, `${path}.${key}`);
    return;
  }
  throw new Error(`${path} is not plain data`);
}

export const NO_MEMORY: ShadowedMemory = {
  readBytes: () => new Uint8Array(0),
  writeBytes: () => 0,
  setKind: () => {},
  rom: undefined,
};

/** RAM from 0 on. */
export class TestMemory implements ShadowedMemory {
  rom: ShadowedMemory['rom'];
  readonly kinds = new Map<number, string>();

  readonly data: Uint8Array;
  readonly view: DataView;
  constructor(bytes = 1 << 20) {
    this.data = new Uint8Array(bytes);
    this.view = new DataView(this.data.buffer);
  }
  setKind(first: number, _last: number, kind: string): void {
    this.kinds.set(first, kind);
  }
  readBytes(gpa: number, bytes: number): Uint8Array {
    return this.data.slice(gpa, Math.min(gpa + bytes, this.data.length));
  }
  writeBytes(gpa: number, data: Uint8Array): number {
    const part = data.subarray(0, Math.max(0, this.data.length - gpa));
    this.data.set(part, Math.min(gpa, this.data.length));
    return part.length;
  }
}

export const contentOf = (bytes: Uint8Array): DiskContent => ({
  bytes: bytes.length,
  read: (offset, count) => bytes.slice(offset, offset + count),
});
