/** A clock that tests set, wires that remember. */
import type { Clock, Line } from '../../../emulator/devices/bus';

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
