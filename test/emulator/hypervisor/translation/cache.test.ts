/**
 * The translation cache, too small for its guest: random code, reached and written at random. What is kept says what the
 * guest's memory says, every way out leads to a translation or a stub of its address, and what was thrown away comes back.
 */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import * as layout from '../../../../emulator/execution/layout';
import { TranslationCache } from '../../../../emulator/hypervisor/translation/cache';
import { jump, STUB } from '../../../../emulator/hypervisor/translation/relocate';
import type { GuestCode, TranslatedBlock } from '../../../../emulator/hypervisor/translation/translation';
import { decode } from '../../../../emulator/isa/decode';
import { PhysicalMemory } from '../../../../emulator/mmu/physical-memory';

const PAGE = 4096;
const GUEST_PAGES = 4;
const HOST_BYTES = 4 << 20;
/** For a few blocks: they reserve room for the longest that there can be. */
const CACHE_BYTES = 2200;

/** One instruction of a guest; relative ones lead somewhere near. */
const instruction = fc.oneof(
  fc.constantFrom([0x90], [0xfa], [0xfb], [0x9c], [0x9d], [0xc3], [0x40], [0x0f, 0xa2], [0xf4], [0xff, 0xd0], [0x0f, 0x01, 0x00]),
  fc.nat(255).map((value) => [0xb8, value, 0, 0, 0]),
  fc.tuple(fc.constantFrom(0x70, 0x75, 0xe2, 0xe3, 0xeb), fc.integer({ min: 0, max: 255 })),
  fc.tuple(fc.constantFrom(0xe8, 0xe9), fc.integer({ min: -0x1800, max: 0x1800 })).map(([opcode, by]) => [opcode, by & 255, (by >> 8) & 255, (by >> 16) & 255, (by >> 24) & 255]),
); // prettier-ignore
const place = fc.oneof(
  fc.integer({ min: 0, max: GUEST_PAGES * PAGE - 64 }),
  // Blocks that lie in two pages begin there.
  fc
    .tuple(fc.integer({ min: 1, max: GUEST_PAGES - 1 }), fc.integer({ min: -4, max: 3 }))
    .map(([page, by]) => page * PAGE + by),
);
const action = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('go' as const), at: place }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('write' as const), at: place, code: fc.array(instruction, { minLength: 1, maxLength: 3 }) }) },
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('branch' as const), at: place }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('hit' as const), at: place, code: fc.array(instruction, { minLength: 1, maxLength: 2 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('page' as const), at: place }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('virtual' as const), at: place }) },
); // prettier-ignore

class Fixture {
  readonly host: PhysicalMemory;
  readonly guest: PhysicalMemory;
  readonly cache: TranslationCache;
  /** What the guest said when each block was made. */
  private readonly made = new Map<TranslatedBlock, string>();
  readonly traced = new Set<number>();

  constructor(code: readonly (readonly number[])[]) {
    const pages = Math.ceil(layout.memoryBytes(1, HOST_BYTES) / 0x1_0000);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    this.host = new PhysicalMemory(memory, HOST_BYTES);
    this.host.setKind(0, HOST_BYTES - 1, 'ram');
    const frames = Int32Array.from({ length: GUEST_PAGES }, (_, i) => 64 + 3 * i);
    this.guest = new PhysicalMemory(memory, GUEST_PAGES * PAGE, { host: this.host, frames });
    this.cache = new TranslationCache(this.host, HOST_BYTES - CACHE_BYTES, CACHE_BYTES);
    this.cache.onPage = (page) => void this.traced.add(page);
    this.cache.onPageGone = (page) => assert.ok(this.traced.delete(page));
    this.cache.clear();
    const bytes = code.flat();
    for (let at = 0; at < GUEST_PAGES * PAGE; at += bytes.length)
      this.guest.writeBytes(at, Uint8Array.from(bytes).subarray(0, GUEST_PAGES * PAGE - at));
  }
  private readonly code: GuestCode = {
    codeSize: 32,
    fetch: (rip) => Number(rip % BigInt(GUEST_PAGES * PAGE)),
    bytes: (gpa, length) => this.guest.readBytes(gpa, Math.min(length, PAGE - (gpa % PAGE))),
  };
  private said({ rip, bytes }: TranslatedBlock): string {
    const at = Number(rip);
    const both = [at, at + bytes].map((each) => each % (GUEST_PAGES * PAGE));
    const wraps = both[1] < both[0];
    const text = wraps ? [...this.guest.readBytes(both[0], GUEST_PAGES * PAGE - both[0]), ...this.guest.readBytes(0, both[1])] : [...this.guest.readBytes(both[0], bytes)];
    return text.join();
  } // prettier-ignore

  go(at: number): void {
    const offset = this.cache.get(BigInt(at), this.code);
    assert.equal(this.cache.ripAt(offset), BigInt(at));
    assert.ok(this.cache.lives(offset));
    for (const block of this.cache.all) if (!this.made.has(block)) this.made.set(block, this.said(block));
  }
  /** As DMA, a guest's store or a debugger does. */
  write(at: number, bytes: readonly number[]): void {
    this.guest.writeBytes(at, Uint8Array.from(bytes));
    for (let from = at; from < at + bytes.length; from += PAGE - (from % PAGE)) {
      const length = Math.min(at + bytes.length - from, PAGE - (from % PAGE));
      if (this.traced.has(Math.floor(from / PAGE))) this.cache.invalidate(from, length);
    }
  }

  /** Where branches lead that are in the cache. */
  private readonly ways = new Set<number>();
  branchNear(n: number): number {
    const ways = [...this.ways];
    return ways.length ? ways[n % ways.length] : n;
  }
  /** In code that is in the cache. */
  codeNear(n: number): number {
    const { all } = this.cache;
    if (all.length === 0) return n;
    const { rip, bytes } = all[n % all.length];
    return (Number(rip) + (n % bytes)) % (GUEST_PAGES * PAGE - 64);
  }

  check(): void {
    const { cache } = this;
    this.ways.clear();
    assert.ok(cache.used <= cache.size);
    let end = 0;
    const pages = new Set<number>();
    for (const block of cache.all) {
      assert.ok(block.start >= end);
      end = block.end;
      if (!block.alive) {
        assert.equal(cache.stubAt(block.start) ?? cache.ripAt(block.start), block.rip);
        continue;
      }
      assert.equal(this.said(block), this.made.get(block), `block of 0x${block.rip.toString(16)}`);
      assert.equal(cache.entryOf(block.rip), block.start);
      for (const page of block.pages) pages.add(page);
      this.checkWays(block);
    }
    assert.deepEqual([...this.traced].sort(), [...pages].sort());
  }
  /** Relative branches in it, as the processor would take them. */
  private checkWays(block: TranslatedBlock): void {
    const { host } = this;
    const base = HOST_BYTES - CACHE_BYTES;
    for (let at = block.start; at < block.end;) {
      const bytes = host.readBytes(base + at, block.end - at);
      if (bytes[0] === 0xcc) break;
      const insn = decode(Uint8Array.of(...bytes, ...new Uint8Array(15).fill(0x90)), BigInt(at), 32);
      assert.ok(typeof insn === 'object', `${block.rip}: ${bytes.slice(0, 8).join()}`);
      const to = insn.operands.find((each) => each.kind === 'relative')?.target;
      const inside = to !== undefined && Number(to) > at && Number(to) < block.end;
      if (to !== undefined && !inside) this.checkWay(Number(to));
      at += insn.length;
    }
  }
  private checkWay(first: number): void {
    const { cache, host } = this;
    const base = HOST_BYTES - CACHE_BYTES;
    const rip = cache.ripAt(first);
    assert.ok(rip !== undefined, `something is at ${first}`);
    if (rip < GUEST_PAGES * PAGE - 64) this.ways.add(Number(rip));
    let at = first;
    for (let to = cache.joinAt(at); to !== undefined; to = cache.joinAt(at)) {
      assert.deepEqual([...host.readBytes(base + at, 5)], jump(at, to));
      at = to;
    }
    if (cache.stubAt(at) === undefined) assert.equal(cache.entryOf(rip), at);
    else assert.deepEqual([...host.readBytes(base + at, 2)], STUB.slice(0, 2));
    assert.equal(cache.stubAt(at) ?? rip, rip);
  }
}

describe('the translation cache', () => {
  it('through random writes, and when it is full', () => {
    const totals = { flushed: 0, invalidated: 0, blocks: 0 };
    fc.assert(
      fc.property(fc.array(instruction, { minLength: 40, maxLength: 120 }), fc.array(action, { minLength: 20, maxLength: 90 }), (code, actions) => {
        const fixture = new Fixture(code);
        for (const act of actions) {
          if (act.kind === 'go') fixture.go(act.at);
          else if (act.kind === 'branch') fixture.go(fixture.branchNear(act.at));
          else if (act.kind === 'hit') fixture.write(fixture.codeNear(act.at), act.code.flat());
          else if (act.kind === 'write') fixture.write(act.at, act.code.flat());
          else if (act.kind === 'page') fixture.cache.invalidatePage(Math.floor(act.at / PAGE));
          else fixture.cache.invalidateVirtual(Math.floor(act.at / PAGE));
          fixture.check();
        }
        for (const key of ['flushed', 'invalidated', 'blocks'] as const) totals[key] += fixture.cache.counts[key];
      }),
      { numRuns: 60 },
    );
    assert.ok(totals.flushed > 130 && totals.invalidated > 100, JSON.stringify(totals));
  }).timeout(120_000); // prettier-ignore
});
