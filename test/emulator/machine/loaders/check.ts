/** Loads into a byte array as large as the machine's memory, and says what a kernel would find there. */
import assert from 'node:assert/strict';
import type { BootInput } from '../../../../emulator/machine/api';
import { load } from '../../../../emulator/machine/loaders/index';
import type { BootEnvironment, BootImage } from '../../../../emulator/machine/loaders/image';
import { UserError } from '../../../../emulator/util/assert';
import { environment } from './images';

export class Loaded {
  readonly view: DataView;

  constructor(
    readonly image: BootImage,
    private readonly memory: Uint8Array,
  ) {
    this.view = new DataView(memory.buffer);
  }
  register(name: keyof BootImage['entry']['registers']): number {
    return Number(this.image.entry.registers[name] ?? 0n);
  }
  u8 = (gpa: number): number => this.view.getUint8(gpa);
  u16 = (gpa: number): number => this.view.getUint16(gpa, true);
  u32 = (gpa: number): number => this.view.getUint32(gpa, true);
  u64 = (gpa: number): number => Number(this.view.getBigUint64(gpa, true));
  text(gpa: number): string {
    return Buffer.from(this.memory.subarray(gpa, this.memory.indexOf(0, gpa))).toString();
  }
  bytes(gpa: number, length: number): Uint8Array {
    return this.memory.slice(gpa, gpa + length);
  }
}

/** Every write and every zeroed range lies in RAM and none touches another, or the loader is wrong. */
export const loadChecked = (input: BootInput, env: BootEnvironment = environment()): BootImage => {
  const image = load(input, env);
  const writes = image.writes.map(({ what, gpa, bytes }) => ({ what, gpa, end: gpa + bytes.length }));
  const zero = image.zero.map(({ what, gpa, bytes }) => ({ what, gpa, end: gpa + bytes }));
  const ranges = [...writes, ...zero].sort((a, b) => a.gpa - b.gpa);
  ranges.forEach(({ what, gpa, end }, i) => {
    const inside = env.e820.some((ram) => ram.type === 1 && gpa >= ram.gpa && end <= ram.gpa + ram.bytes);
    assert.ok(inside, `${what} is outside RAM`);
    const next = ranges[i + 1];
    assert.ok(!next || end <= next.gpa, `${what} overlaps ${next?.what}`);
  });
  return image;
};

export const loadInto = (input: BootInput, env: BootEnvironment = environment()): Loaded => {
  const image = loadChecked(input, env);
  const size = Math.max(...env.e820.map((range) => range.gpa + range.bytes));
  const memory = new Uint8Array(size).fill(0xcc);
  for (const { gpa, bytes } of image.zero) memory.fill(0, gpa, gpa + bytes);
  for (const { gpa, bytes } of image.writes) memory.set(bytes, gpa);
  return new Loaded(image, memory);
};

/** The message, which names the file, is one sentence and ends with what to do. */
export const refusal = (input: BootInput, env: BootEnvironment = environment()): string => {
  try {
    load(input, env);
  } catch (error) {
    assert.ok(error instanceof UserError, `not a message for the user: ${(error as Error).stack}`);
    assert.ok(error.message.startsWith(`${input.name}: `), error.message);
    assert.match(error.message, /; .*\.$/, 'a remedy after a semicolon');
    return error.message;
  }
  return assert.fail('was loaded');
};
