/**
 * Random hypercalls with random arguments: numbers, frames, addresses and commands from a pool of what could matter, in registers and
 * in the structures that they point to. The same for the same seed.
 */
import { HYPERCALLS } from '../../../../emulator/hypervisor/hypercalls/table';
import { audit } from './audit';
import { pvGuests } from './pv-guest';
import type { PvGuest, Word } from './pv-guest';
import { Random } from './random';
import { PrivilegedFuzzer } from './random-privileged';

const NUMBERS = [...Object.keys(HYPERCALLS).map(Number), 11, 60, 0xffff_ffff];
/** Those that change most: page tables, descriptors, memory, grants. */
const OFTEN = [1, 1, 1, 2, 10, 12, 13, 14, 14, 20, 26, 26, 26, 32];
const PAGES = 24;

export class HypercallFuzzer {
  readonly guests: PvGuest[];
  readonly refusals = new Map<string, number>();
  /** Calls that changed something, or answered. */
  done = 0;
  private readonly random: Random;

  constructor(
    readonly word: Word,
    seed: number,
  ) {
    this.guests = pvGuests([word, 8]).guests;
    this.random = new Random(seed);
  }
  private get guest(): PvGuest {
    return this.guests[0];
  }

  private frame(): bigint {
    const { random, guest, guests } = this;
    const { vcpuStates, sharedInfo, free } = guest.domain;
    const choices: (() => number)[] = [
      () => this.behind(guest, random.below(PAGES)),
      () => this.behind(guest, random.below(PAGES)),
      () => this.behind(guest, 200 + random.below(400)),
      () => this.behind(guests[1], random.below(PAGES)),
      () => vcpuStates[0].kernelRoot,
      () => vcpuStates[0].userRoot,
      () => this.tableOf(guest),
      () => sharedInfo,
      () => (free.length ? random.one(free) : 0),
      () => random.below(8192),
      () => random.next(),
    ];
    return BigInt(random.one(choices)());
  }
  private tableOf(guest: PvGuest): number {
    try {
      return guest.domain.entryFor(guest.scratch(this.random.below(PAGES))).mfn;
    } catch {
      return 0;
    }
  }
  private behind(guest: PvGuest, page: number): number {
    try {
      return guest.frame(guest.scratch(page));
    } catch {
      return 0;
    }
  }
  private value(): bigint {
    const { random, guest } = this;
    const rights = [0x67n, 0x65n, 0x61n, 1n, 0n, 0xe7n, 0x167n, (1n << 63n) | 0x67n];
    const choices: (() => bigint)[] = [
      () => BigInt(random.below(32)),
      () => BigInt(random.below(32)),
      () => guest.scratch(random.below(PAGES)) + BigInt(random.below(4) * 64),
      () => guest.scratch(random.below(PAGES)),
      () => this.frame(),
      () => (this.frame() << 12n) | random.one(rights),
      () => (this.frame() << 12n) | random.one(rights),
      () => (this.frame() << 12n) + BigInt(random.below(512) * 8 + random.one([0, 0, 0, 1, 2])),
      () => BigInt(random.one([0x7ff0, 0x7ff1, 0, 1, 2, 0x8_0001])),
      () => BigInt(random.next()),
      () => (BigInt(random.next()) << 32n) | BigInt(random.next()),
      () => 0n,
    ];
    return random.one(choices)();
  }
  /** Structures for the arguments to point to. */
  private fill(): void {
    const { random, guest } = this;
    const at = guest.scratch(random.below(4));
    const word = BigInt(this.word);
    for (let i = 0n; i < 12n; i++) {
      const value = this.value();
      try {
        if (random.below(3) === 0) guest.caller.write64(at + i * 8n, value);
        else guest.caller.writeWord(at + i * word, BigInt.asUintN(this.word * 8, value));
      } catch {
        return; // The guest has made this page read-only, or none.
      }
    }
  }

  /** Throws whatever is no refusal. */
  step(): void {
    const { random, guest } = this;
    this.fill();
    const number = random.below(2) ? random.one(OFTEN) : random.one(NUMBERS);
    // It returns to what a frame says: no register of this guest is anybody's.
    if (number === 23) return;
    const args = Array.from({ length: 6 }, () => this.value());
    if (random.below(2)) args[0] = guest.scratch(random.below(4));
    if (random.below(2)) args[1] = random.below(2) ? guest.scratch(random.below(4)) : BigInt(random.below(4));
    if (random.below(2)) args[3] = 0x7ff0n;
    const { refusal } = guest.call(number, ...args.map((value) => BigInt.asUintN(this.word * 8, value)));
    if (refusal === undefined) this.done++;
    else {
      const rule = refusal.replace(/0x[0-9a-f]+|\d+/g, 'N').replace(/(frame N )\([^)]*\)/, '$1');
      this.refusals.set(rule, (this.refusals.get(rule) ?? 0) + 1);
    }
  }
  /** What is wrong with the counts of its frames. */
  audit(): string[] {
    return audit(this.guest.parts);
  }
}

const MILLION = 1_000_000;
const AUDIT_EVERY = 100_000;

function unprivileged(calls: number, seed: number): void {
  for (const word of [8, 4] as const) {
    const fuzzer = new HypercallFuzzer(word, seed);
    const other = fuzzer.guests[1].machine;
    const before = other.stateHash();
    for (let i = 1; i <= calls / 2; i++) {
      fuzzer.step();
      if (i % AUDIT_EVERY !== 0) continue;
      const wrong = [...fuzzer.audit(), ...(other.stateHash() === before ? [] : ['the other domain changed'])];
      if (wrong.length > 0) throw new Error(`${word * 8} bits, seed ${seed}, after ${i} calls: ${wrong.join('; ')}`);
      console.log(`${word * 8} bits: ${i} calls, ${fuzzer.done} done, ${fuzzer.refusals.size} rules met`);
    }
  }
}
function privileged(calls: number, seed: number): void {
  for (const word of [8, 4] as const) {
    const fuzzer = new PrivilegedFuzzer(word, seed);
    for (let i = 1; i <= calls / 2; i++) {
      fuzzer.step();
      if (i % (AUDIT_EVERY / 10) !== 0) continue;
      const wrong = fuzzer.audit();
      if (wrong.length > 0) throw new Error(`domain 0 of ${word * 8} bits, seed ${seed}, after ${i} calls: ${wrong.join('; ')}`); // prettier-ignore
      if (i % AUDIT_EVERY === 0) console.log(`domain 0 of ${word * 8} bits: ${i} calls, ${fuzzer.summary()}`);
    }
    console.log(`domain 0 of ${word * 8} bits: ${fuzzer.leftovers()} frames left behind`);
  }
}
/** Millions of calls, seed, and `privileged` for those of a domain 0. */
function main([millions = '10', seed = '1', who]: readonly string[]): void {
  (who === 'privileged' ? privileged : unprivileged)(Number(millions) * MILLION, Number(seed));
}
if (process.argv[1]?.endsWith('random-hypercalls.ts')) main(process.argv.slice(2));
