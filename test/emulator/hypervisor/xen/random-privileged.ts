/**
 * Random hypercalls of a domain 0 about others, while they make their own: it creates and destroys domains, gives them memory, maps their
 * frames, pins their tables, sets their processors' contexts. The same for the same seed.
 */
import type { DomainParts } from '../../../../emulator/hypervisor/xen/parts';
import type { Domains } from '../../../../emulator/machine/domains';
import { audit } from './audit';
import { pvGuests } from './pv-guest';
import type { PvGuest, Word } from './pv-guest';
import { Random } from './random';

const PAGES = 16;
const CALL = { mmuUpdate: 1, memoryOp: 12, multicall: 13, updateVa: 14, grantTable: 20, updateOther: 22, mmuext: 26, eventChannel: 32, sysctl: 35, domctl: 36 } as const; // prettier-ignore
const VERSION = 0x15;
const DOMCTL = { create: 1, destroy: 2, pause: 3, resume: 4, info: 5, maxMemory: 11, setContext: 12, getContext: 13, hypercallInit: 22, setAddressSize: 35, getAddressSize: 36, setExtended: 42, getExtended: 43, frameTypes: 61 } as const; // prettier-ignore
const DOMCTLS = [...Object.values(DOMCTL), DOMCTL.setContext, DOMCTL.setContext, DOMCTL.maxMemory, 6];
const MIB = 0x10_0000;
const ROOMS = 4;
const CONTEXT_BYTES = 5168;
const SELF = 0x7ff0;
const ARGUMENT_PAGE = 0;
const CONTEXT_PAGE = 12;

export class PrivilegedFuzzer {
  readonly refusals = new Map<string, number>();
  done = 0;
  /** Mappings of others' frames that were made. */
  mapped = 0;
  private readonly domains: Domains;
  private readonly guests: PvGuest[];
  private readonly random: Random;
  private readonly unreserved: number;
  /** Frames of created domains, by number. */
  private readonly reservations = new Map<number, number[]>();
  private created = 0;

  constructor(
    readonly word: Word,
    seed: number,
  ) {
    const spare = Array.from({ length: ROOMS }, () => ({ memory: 2 * MIB, cpus: 1 }));
    ({ domains: this.domains, guests: this.guests } = pvGuests([word, 8, 4], { firstId: 0, spare }));
    this.random = new Random(seed);
    this.unreserved = this.domains.host.frames.unreserved;
  }
  private get zero(): PvGuest {
    return this.guests[0];
  }
  private get all(): DomainParts[] {
    return this.domains.all.flatMap(({ id }) => this.zero.parts.peer(id) ?? []);
  }
  private target(): number {
    const ids = this.domains.all.map(({ id }) => id);
    return this.random.below(8) === 0 ? this.random.one([SELF, 0, 77]) : this.random.one(ids.slice(1));
  }

  // --- Values

  private behind({ frame, scratch }: PvGuest, page: number): number {
    try {
      return frame(scratch(page));
    } catch {
      return 0;
    }
  }
  /** Mostly of this domain. */
  private frame(domid: number): number {
    const { random } = this;
    const other = this.guests.find(({ domain }) => domain.id === domid);
    const choices: (() => number)[] = [
      () => random.one(this.reservations.get(domid) ?? [0]),
      () => (other ? this.behind(other, random.below(PAGES)) : 0),
      () => this.behind(this.zero, random.below(PAGES)),
      () => this.zero.parts.peer(domid)?.domain.vcpuStates[0]?.kernelRoot ?? 0,
      () => random.below(16_384),
    ];
    return this.reservations.has(domid) && random.below(4) ? choices[0]() : random.one(choices)();
  }
  private entry(domid: number): bigint {
    return (BigInt(this.frame(domid)) << 12n) | this.random.one([0x67n, 0x67n, 0x65n, 0x61n, 0n, 1n]);
  }
  private put(guest: PvGuest, page: number, offset: number, bytes: 4 | 8, value: bigint | number): void {
    try {
      const at = guest.scratch(page) + BigInt(offset);
      if (bytes === 8) guest.caller.write64(at, BigInt(value));
      else guest.caller.write(at, 4, Number(BigInt.asUintN(32, BigInt(value))));
    } catch {
      // The guest has made this page read-only, or none.
    }
  }

  // --- Calls

  /** Throws whatever is no refusal. */
  step(): void {
    const { random } = this;
    if (random.below(8) === 0) return this.stepOfAnother();
    const kinds = [() => this.domctl(), () => this.domctl(), () => this.mapOther(), () => this.mapOther(), () => this.update(), () => this.update(), () => this.tables(), () => this.memory(), () => this.event()]; // prettier-ignore
    random.one(kinds)();
  }
  private note({ refusal }: { refusal?: string }): void {
    if (refusal === undefined) return void this.done++;
    const rule = refusal.replace(/0x[0-9a-f]+|\d+/g, 'N').replace(/(frame N )\([^)]*\)/, '$1');
    this.refusals.set(rule, (this.refusals.get(rule) ?? 0) + 1);
  }
  /** One of domain 0's scratch pages, or a page of tables; 32-bit calls take 64-bit values in two words. */
  private wide(value: bigint): bigint[] {
    return this.word === 8 ? [value] : [value & 0xffff_ffffn, value >> 32n];
  }
  private call(number: number, ...args: (bigint | number)[]): void {
    this.note(this.zero.call(number, ...args.map((each) => BigInt.asUintN(this.word * 8, BigInt(each)))));
  }

  private domctl(): void {
    const { random, zero } = this;
    const command = random.one(DOMCTLS);
    const domid = this.target();
    if (command === DOMCTL.destroy && !this.reservations.has(domid)) return;
    if (command === DOMCTL.create && this.reservations.size >= ROOMS) return;
    const put = (offset: number, bytes: 4 | 8, value: bigint | number): void => this.put(zero, ARGUMENT_PAGE, offset, bytes, value); // prettier-ignore
    put(0, 4, command);
    put(4, 4, random.below(50) ? VERSION : random.next());
    put(8, 4, domid);
    this.payload(command, domid, put);
    const at = zero.scratch(ARGUMENT_PAGE);
    const before = new Set(this.domains.all.map(({ id }) => id));
    this.call(random.below(20) ? CALL.domctl : CALL.sysctl, at);
    for (const { id } of this.domains.all) if (!before.has(id)) this.born(id);
    for (const id of this.reservations.keys()) if (!this.domains.all.some((each) => each.id === id)) this.reservations.delete(id); // prettier-ignore
  }
  private born(id: number): void {
    this.created++;
    this.reservations.set(id, [...this.zero.parts.peer(id)!.domain.free]);
  }
  private payload(command: number, domid: number, put: (offset: number, bytes: 4 | 8, value: bigint | number) => void): void {
    const { random, zero } = this;
    for (let offset = 16; offset < 96; offset += 8) put(offset, 8, 0);
    if (command === DOMCTL.create) put(44, 4, random.below(8) ? 1 : random.below(12));
    if (command === DOMCTL.maxMemory) put(16, 8, random.below(4) ? 2048 : random.below(10_000));
    if (command === DOMCTL.hypercallInit) put(16, 8, this.frame(domid));
    if (command === DOMCTL.setAddressSize) put(16, 4, random.one([32, 64, 16]));
    if (command === DOMCTL.frameTypes) {
      put(16, 8, random.below(8));
      put(24, 8, zero.scratch(random.below(PAGES)));
      for (let i = 0; i < 8; i++) this.put(zero, 1, i * this.word, this.word, this.frame(domid));
    }
    if (command === DOMCTL.setContext) this.context(domid);
    if (command === DOMCTL.setContext || command === DOMCTL.getContext) put(24, 8, zero.scratch(CONTEXT_PAGE));
  } // prettier-ignore
  /** A context that could be one, by the width of the domain that it is for. */
  private context(domid: number): void {
    const { random, zero } = this;
    const word = zero.parts.peer(domid)?.domain.word ?? 8;
    try {
      zero.caller.writeBytes(zero.scratch(CONTEXT_PAGE), new Uint8Array(CONTEXT_BYTES));
    } catch {
      return;
    }
    const put = (index: number, value: bigint | number): void => {
      const at = 512 + index * word;
      this.put(zero, CONTEXT_PAGE + (at >> 12), at & 0xfff, word, BigInt.asUintN(word * 8, BigInt(value)));
    };
    const rip = word === 8 ? 17 : 9;
    const behind = rip + 9 + 512;
    const [cs, ss] = word === 8 ? [0xe033, 0xe02b] : [0xe019, 0xe021];
    put(0, random.one([0x20, 0x24, 0x25, 0x04]));
    put(rip, random.next());
    put(rip + 1, random.below(8) ? cs : random.next());
    put(rip + 2, random.next());
    put(rip + 4, random.below(8) ? ss : random.next());
    put(rip + 5 + random.below(4), random.below(4) ? 0 : random.next());
    if (random.below(4) === 0) put(behind, random.next());
    if (random.below(4) === 0) put(behind + 1, random.below(8192));
    if (random.below(4) === 0) for (let i = 0; i < 3; i++) put(behind + 2 + i, this.frame(domid));
    put(behind + 18, random.below(4) ? 0 : random.below(8192));
    put(behind + 21 + 3, BigInt(this.frame(domid)) << 12n);
    if (random.below(4) === 0) put(behind + 21 + 1, BigInt(this.frame(domid)) << 12n);
    put(behind + 29 + random.one([0, 6, 7]), random.below(4) ? 0 : random.next());
  }

  private mapOther(): void {
    const { random, zero } = this;
    const domid = this.target();
    const [number, ...owner] = random.below(4) ? [CALL.updateOther, domid] : [CALL.updateVa];
    const gva = zero.scratch(1 + random.below(PAGES));
    this.call(number, gva, ...this.wide(this.entry(domid)), random.below(3), ...owner);
    const { mfn, offset } = zero.domain.entryFor(gva);
    if (zero.domain.foreign.holds(mfn, offset)) this.mapped++;
  } // prettier-ignore
  /** Entries of its own L1, other frames of its own, and once more the others' tables, which it must not reach this way. */
  private update(): void {
    const { random, zero } = this;
    const domid = this.target();
    const count = 1 + random.below(3);
    for (let i = 0; i < count; i++) {
      let place = BigInt(this.frame(random.below(2) ? 0 : domid)) << 12n;
      if (random.below(2)) {
        const { mfn, offset } = zero.domain.entryFor(zero.scratch(1 + random.below(PAGES)));
        place = (BigInt(mfn) << 12n) | BigInt(offset);
      } else place |= BigInt(random.below(512) * 8);
      this.put(zero, ARGUMENT_PAGE, i * 16, 8, place | BigInt(random.one([0, 0, 0, 1, 2, 3])));
      this.put(zero, ARGUMENT_PAGE, i * 16 + 8, 8, this.entry(domid));
    }
    const pair = random.below(8) ? domid : domid | ((this.target() + 1) << 16);
    this.call(CALL.mmuUpdate, zero.scratch(ARGUMENT_PAGE), count, 0, pair);
  }
  private tables(): void {
    const { random, zero, word } = this;
    const domid = this.target();
    this.put(zero, ARGUMENT_PAGE, 0, 4, random.below(3) ? random.below(5) : random.below(20));
    this.put(zero, ARGUMENT_PAGE, word, word, this.frame(domid));
    this.put(zero, ARGUMENT_PAGE, 2 * word, word, this.frame(domid));
    this.call(CALL.mmuext, zero.scratch(ARGUMENT_PAGE), 1, 0, domid);
  }
  private memory(): void {
    const { random, zero, word } = this;
    const domid = this.target();
    const at = zero.scratch(ARGUMENT_PAGE);
    const count = 1 + random.below(64);
    for (let i = 0; i < count; i++) this.put(zero, ARGUMENT_PAGE, 256 + i * word, word, random.below(2) ? random.below(512) : this.frame(domid)); // prettier-ignore
    this.put(zero, ARGUMENT_PAGE, 0, word, at + 256n);
    this.put(zero, ARGUMENT_PAGE, word, word, count);
    this.put(zero, ARGUMENT_PAGE, 2 * word, 4, random.below(16) ? 0 : random.below(10));
    this.put(zero, ARGUMENT_PAGE, 2 * word + 8, 4, domid);
    this.call(CALL.memoryOp, random.below(8) ? random.one([6, 6, 6, 1, 0]) : random.below(32), at);
  }
  private event(): void {
    const { random, zero } = this;
    const [domid, remote] = [this.target(), random.one([0, 1, 2, this.target()])];
    this.put(zero, ARGUMENT_PAGE, 0, 4, random.below(2) ? domid | (remote << 16) : random.below(64));
    this.put(zero, ARGUMENT_PAGE, 4, 4, random.below(64));
    this.call(CALL.eventChannel, random.one([0, 3, 3, 4, 5, 6, 6]), zero.scratch(ARGUMENT_PAGE));
  }
  /** Another domain gives frames back, remaps and pins: what domain 0 maps of it stays under its rules. */
  private stepOfAnother(): void {
    const { random } = this;
    const guest = random.one(this.guests.slice(1));
    const { word, id } = guest.domain;
    const mfn = this.behind(guest, random.below(PAGES));
    const split = (value: bigint): bigint[] => (word === 8 ? [value] : [value & 0xffff_ffffn, value >> 32n]);
    const at = guest.scratch(ARGUMENT_PAGE);
    const put = (offset: number, bytes: 4 | 8, value: bigint | number): void => this.put(guest, ARGUMENT_PAGE, offset, bytes, value); // prettier-ignore
    const kinds = [
      () => guest.call(CALL.updateVa, guest.scratch(1 + random.below(PAGES)), ...split((BigInt(mfn) << 12n) | random.one([0x67n, 0x65n, 0n])), 2),
      () => {
        put(0, 4, random.below(5));
        put(word, word, mfn);
        return guest.call(CALL.mmuext, at, 1, 0, SELF);
      },
      () => {
        put(256, word, random.below(2) ? mfn : random.below(512));
        put(0, word, at + 256n);
        put(word, word, 1);
        put(2 * word, 4, 0);
        put(2 * word + 8, 4, random.below(8) ? id : this.target());
        return guest.call(CALL.memoryOp, random.one([1, 6]), at);
      },
    ]; // prettier-ignore
    this.note(random.one(kinds)());
  }

  // --- What it came to

  /** What is wrong with the counts of anybody's frames. */
  audit(): string[] {
    const { all } = this;
    return all.flatMap((parts) => audit(parts, all.filter((each) => each !== parts)).map((what) => `domain ${parts.domain.id}: ${what}`)); // prettier-ignore
  }
  summary(): string {
    const maps = this.zero.domain.foreign.save().length;
    return `${this.done} done, ${this.refusals.size} rules met, ${this.created} domains created, frames of others mapped ${this.mapped} times, now ${maps}`;
  }
  /** Host frames that created domains have left behind, once all of them are gone. */
  leftovers(): number {
    for (const id of this.reservations.keys()) this.domains.destroy(id);
    return this.unreserved - this.domains.host.frames.unreserved;
  }
}
