/** The PV console over its ring, with guests that keep to it and guests that lie. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { XenConsole } from '../../../../emulator/hypervisor/xen/io/console';
import { FakeDomain } from './fake-domain';

const RING = 2;
const PORT = 3;
const OUT = { at: 1024, bytes: 2048, consumer: 3080, producer: 3084 };
const IN = { at: 0, bytes: 1024, consumer: 3072, producer: 3076 };

function setUp() {
  const domain = new FakeDomain();
  const seen = { output: [] as number[], notified: 0, reports: [] as string[] };
  const console = new XenConsole(domain, {
    output: (bytes) => seen.output.push(...bytes),
    notify: (port) => {
      assert.equal(port, PORT);
      seen.notified++;
    },
    report: (what) => seen.reports.push(what),
  });
  console.connect(RING, PORT);
  const index = (at: number): number => domain.memory.read(RING, at, 4);
  const put = (at: number, value: number): void => domain.memory.write(RING, at, 4, value);
  /** As a guest's driver: as much as fits. */
  const write = (bytes: readonly number[]): number => {
    const room = OUT.bytes - (index(OUT.producer) - index(OUT.consumer));
    const n = Math.min(room, bytes.length);
    for (let i = 0; i < n; i++) domain.memory.write(RING, OUT.at + ((index(OUT.producer) + i) % OUT.bytes), 1, bytes[i]!);
    put(OUT.producer, index(OUT.producer) + n);
    return n;
  }; // prettier-ignore
  const read = (limit: number): number[] => {
    const n = Math.min(limit, index(IN.producer) - index(IN.consumer));
    const got = Array.from({ length: n }, (_, i) => domain.memory.read(RING, IN.at + ((index(IN.consumer) + i) % IN.bytes), 1)); // prettier-ignore
    put(IN.consumer, index(IN.consumer) + n);
    return got;
  };
  return { domain, console, seen, put, write, read };
}

describe('Xen PV console', () => {
  it('both streams arrive whole and in order, however writes, reads and notifications are cut', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('write' as const), bytes: fc.array(fc.nat(255), { maxLength: 3000 }) }),
      fc.record({ kind: fc.constant('type' as const), bytes: fc.array(fc.nat(255), { maxLength: 2000 }) }),
      fc.record({ kind: fc.constant('read' as const), limit: fc.nat(1500) }),
      fc.constant({ kind: 'notify' as const }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const { console, seen, write, read } = setUp();
        const [written, typed, got] = [[] as number[], [] as number[], [] as number[]];
        for (const one of steps)
          if (one.kind === 'write') written.push(...one.bytes.slice(0, write(one.bytes)));
          else if (one.kind === 'type') typed.push(...one.bytes.slice(0, console.enter(Uint8Array.from(one.bytes))));
          else if (one.kind === 'read') got.push(...read(one.limit));
          else console.serve();
        console.serve();
        assert.deepEqual(seen.output, written);
        for (let part = read(1024); part.length > 0; part = read(1024)) {
          got.push(...part);
          console.serve();
        }
        assert.deepEqual(got, typed);
        assert.deepEqual(seen.reports, []);
      }),
      { numRuns: 60 },
    );
  });

  it('indices that lie move nothing, whatever they are', () => {
    fc.assert(
      fc.property(fc.nat(0xffff_ffff), fc.nat(0xffff_ffff), (consumer, producer) => {
        const { console, seen, put } = setUp();
        put(OUT.consumer, consumer);
        put(OUT.producer, producer);
        put(IN.consumer, producer);
        put(IN.producer, consumer);
        console.enter(Uint8Array.of(1, 2, 3));
        console.serve();
        const waiting = (producer - consumer) >>> 0;
        assert.equal(seen.output.length, waiting > OUT.bytes ? 0 : waiting);
        assert.equal(seen.reports.length, waiting > OUT.bytes ? 1 : 0);
      }),
    );
  });

  it('what was typed ahead is bounded and is state', () => {
    const { console } = setUp();
    assert.equal(console.enter(new Uint8Array(100_000).fill(65)), 65_536);
    const saved = console.save();
    const other = setUp();
    other.console.restore(saved);
    assert.deepEqual(other.console.save(), saved);
    assert.equal(saved.typed.length, 65_536 - IN.bytes);
  });

  it('a ring that no guest has connected is left alone', () => {
    const { console, seen, domain } = setUp();
    console.reset();
    console.enter(Uint8Array.of(65));
    console.serve();
    assert.deepEqual([seen.output, seen.notified], [[], 0]);
    assert.deepEqual(console.inspect(), { frame: 0, port: 0, typed: 1 });
    assert.equal(domain.users.get(RING), 1);
  });
});
