/** The block back end: the handshake in xenstore, requests in both layouts, drivers that lie, save and restore. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { GrantTable } from '../../../../emulator/hypervisor/xen/grants/table';
import { BlockDevice, blockDeviceNumber } from '../../../../emulator/hypervisor/xen/io/block-device';
import { XenStore } from '../../../../emulator/hypervisor/xen/store/store';
import { TwoLevelGuest } from './event-guest';
import { FakeHost, PAGE_TABLE } from './fake-domain';

const SECTORS = 64;
const RING = 6;
const DATA = 7;
const RING_REF = 8;
const DATA_REF = 9;
const FRONT = '/local/domain/1/device/vbd/51712';
const BACK = '/local/domain/0/backend/vbd/1/51712';
const LAYOUT = {
  8: { protocol: 'x86_64-abi', bytes: 112, id: 8, sector: 16, segments: 24 },
  4: { protocol: 'x86_32-abi', bytes: 108, id: 4, sector: 12, segments: 20 },
} as const;
const OP = { read: 0, write: 1, barrier: 2, flush: 3, discard: 5, indirect: 6 } as const;

interface Asked {
  operation: number;
  sector?: number | bigint;
  segments?: [ref: number, first: number, last: number][];
  count?: number;
  id?: bigint;
}

function setUp({ word = 8 as 4 | 8, readOnly = false } = {}) {
  const host = new FakeHost([{}, { word }], { shared: 1 });
  const [domain, channels] = [host.domains[1]!, host.channels[1]!];
  const { memory } = host;
  const shared = { take: () => host.shared, give: () => {} };
  const grants = new GrantTable(domain, shared, () => undefined);
  const disk = Uint8Array.from({ length: SECTORS * 512 }, (_, i) => i >> 9);
  const medium = {
    name: 'disk.img', sectors: SECTORS, readOnly,
    read: (offset: number, bytes: number) => disk.slice(offset, offset + bytes),
    write: (offset: number, data: Uint8Array) => disk.set(data, offset),
  }; // prettier-ignore
  const store = new XenStore();
  const reports: string[] = [];
  const device = new BlockDevice(domain, medium, 0, { store, channels, grants, report: (what) => reports.push(what) });
  device.announce();
  const first = domain.first;
  for (const [ref, frame] of [
    [RING_REF, RING],
    [DATA_REF, DATA],
  ] as const)
    grants.prepare(ref, 0, first + frame);
  const at = LAYOUT[word];
  const state = (): string => store.read(`${BACK}/state`)!;
  const connect = (overrides: Record<string, string> = {}): number => {
    const port = channels.allocUnbound(0x7ff0, 0);
    const keys = { 'ring-ref': `${RING_REF}`, 'event-channel': `${port}`, 'protocol': at.protocol, ...overrides };
    for (const [key, value] of Object.entries(keys)) store.write(`${FRONT}/${key}`, value);
    store.write(`${FRONT}/state`, '3');
    return port;
  }; // prettier-ignore
  let produced = 0;
  const index = (where: number): number => memory.read(first + RING, where, 4);
  const ask = (port: number, ...requests: Asked[]): { id: bigint; operation: number; status: number }[] => {
    const from = index(8);
    for (const { operation, sector = 0, segments = [], count = segments.length, id = 7n } of requests) {
      const base = 64 + (produced % 32) * at.bytes;
      memory.write(first + RING, base, 1, operation);
      memory.write(first + RING, base + 1, 1, count);
      memory.write64(first + RING, base + at.id, id);
      memory.write64(first + RING, base + at.sector, BigInt(sector));
      segments.forEach(([ref, one, last], i) => {
        memory.write(first + RING, base + at.segments + i * 8, 4, ref);
        memory.write(first + RING, base + at.segments + i * 8 + 4, 1, one);
        memory.write(first + RING, base + at.segments + i * 8 + 5, 1, last);
      });
      produced++;
    }
    memory.write(first + RING, 0, 4, produced);
    channels.send(port);
    return Array.from({ length: index(8) - from }, (_, i) => {
      const base = 64 + ((from + i) % 32) * at.bytes;
      return { id: memory.read64(first + RING, base), operation: memory.read(first + RING, base + 8, 1), status: (memory.read(first + RING, base + 10, 2) << 16) >> 16 }; // prettier-ignore
    });
  };
  return { domain, channels, grants, store, device, disk, reports, memory, state, connect, ask, index, first, guest: new TwoLevelGuest(domain) }; // prettier-ignore
}

describe('Xen block device', () => {
  for (const word of [4, 8] as const) {
    it(`${word * 8} bits: found, connected, read and written, closed, connected again`, () => {
      const { store, state, connect, ask, disk, memory, first, guest, device, domain, grants, channels } = setUp({ word }); // prettier-ignore
      assert.deepEqual([store.read(`${FRONT}/backend`), state(), store.read(`${BACK}/sectors`)], [BACK, '2', '64']);
      const port = connect();
      assert.equal(state(), '4');
      memory.write(first + RING, 12, 4, 1); // rsp_event
      assert.deepEqual(ask(port, { operation: OP.read, sector: 5, segments: [[DATA_REF, 2, 3]], id: 0x1234_5678_9abc_def0n }), [{ id: 0x1234_5678_9abc_def0n, operation: 0, status: 0 }]);
      assert.deepEqual([memory.read(first + DATA, 1024, 1), memory.read(first + DATA, 1536, 1), memory.read(first + DATA, 2048, 1)], [5, 6, 0]);
      assert.deepEqual(guest.drain(0), [port]);
      memory.write(first + DATA, 0, 4, 0xaabb_ccdd);
      assert.deepEqual(ask(port, { operation: OP.write, sector: 63, segments: [[DATA_REF, 0, 0]] }, { operation: OP.flush }).map(({ status }) => status), [0, 0]);
      assert.deepEqual([...disk.subarray(63 * 512, 63 * 512 + 4)], [0xdd, 0xcc, 0xbb, 0xaa]);
      assert.deepEqual(guest.drain(0), [], 'it did not ask to hear of these');
      assert.equal(grants.inspect().grants.find(({ ref }) => ref === RING_REF)!.uses[0]!.how, 'ring of xvda');
      assert.deepEqual([...domain.users], [[first + RING, 1]]);
      store.write(`${FRONT}/state`, '5');
      assert.equal(state(), '5');
      store.write(`${FRONT}/state`, '6');
      assert.deepEqual([state(), [...domain.users], channels.inspect().ports[0]!.connected], ['6', [], 'unbound, for domain 0']);
      assert.equal(device.inspect().state, 'Closed');
      store.write(`${FRONT}/state`, '1');
      assert.equal(state(), '2');
      connect();
      assert.equal(state(), '4');
    }); // prettier-ignore

    const rows: [name: string, status: number, request: Asked, readOnly?: true][] = [
      ['several pages at once', 0, { operation: OP.read, segments: [[DATA_REF, 0, 7], [DATA_REF, 0, 7]] }],
      ['the last sector', 0, { operation: OP.read, sector: 63, segments: [[DATA_REF, 0, 0]] }],
      ['beyond the end', -1, { operation: OP.read, sector: 63, segments: [[DATA_REF, 0, 1]] }],
      ['far beyond the end', -1, { operation: OP.read, sector: 2n ** 64n - 1n, segments: [[DATA_REF, 0, 1]] }],
      ['no grant', -1, { operation: OP.read, segments: [[77, 0, 0]] }],
      ['a grant of a page table', -1, { operation: OP.read, segments: [[10, 0, 0]] }],
      ['a segment the wrong way round', -1, { operation: OP.read, segments: [[DATA_REF, 3, 2]] }],
      ['a segment beyond its page', -1, { operation: OP.read, segments: [[DATA_REF, 0, 8]] }],
      ['more segments than there can be', -1, { operation: OP.read, segments: [[DATA_REF, 0, 0]], count: 255 }],
      ['nothing at all', -1, { operation: OP.read }],
      ['a barrier', 0, { operation: OP.barrier, segments: [[DATA_REF, 0, 0]] }],
      ['writing what is read-only', -1, { operation: OP.write, segments: [[DATA_REF, 0, 0]] }, true],
      ['flushing what is read-only', 0, { operation: OP.flush }, true],
      ['discard', -2, { operation: OP.discard }],
      ['indirect segments', -2, { operation: OP.indirect }],
      ['an operation that there is not', -2, { operation: 200 }],
    ]; // prettier-ignore
    for (const [name, status, request, readOnly] of rows)
      it(`${word * 8} bits: ${name}: ${status}`, () => {
        const { connect, ask, grants, first, reports } = setUp({ word, readOnly: readOnly ?? false });
        grants.prepare(10, 0, first + PAGE_TABLE);
        assert.deepEqual(ask(connect(), request).map((one) => one.status), [status]);
        assert.equal(reports.length, status === -1 ? 1 : 0);
        assert.equal(grants.inspect().grants.find(({ ref }) => ref === DATA_REF)!.uses.length, 0);
      }); // prettier-ignore
  }

  for (const [name, keys] of [
    ['no grant for its ring', { 'ring-ref': '77' }],
    ['a ring that is no number', { 'ring-ref': 'x' }],
    ["a ring that is not the driver's", { 'ring-ref': '11' }],
    ['a port that nobody left', { 'event-channel': '50' }],
    ['a protocol of another processor', { protocol: 'arm-abi' }],
    ['a grant below the first', { 'ring-ref': '-1' }],
    ['a port below the first', { 'event-channel': '-1' }],
    ['a grant of more digits than there are', { 'ring-ref': '1e300' }],
  ] as const)
    it(`a driver with ${name} is told to close, and holds nothing`, () => {
      const { connect, state, domain, reports, grants } = setUp();
      grants.prepare(11, 0, 1);
      connect(keys);
      assert.deepEqual([state(), [...domain.users], reports.length], ['5', [], 1]);
    });

  it('a ring whose indices lie is not served, and the device closes', () => {
    const { connect, state, channels, memory, first, index, reports } = setUp();
    const port = connect();
    memory.write(first + RING, 0, 4, 33);
    channels.send(port);
    channels.send(port);
    assert.deepEqual([state(), index(8), reports.length], ['5', 0, 1]);
  });

  it('noise in the ring gets as many answers as requests, and touches nothing that was not granted', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 112, maxLength: 1000 }), fc.integer({ min: 1, max: 32 }), (noise, count) => {
        const { connect, channels, memory, first, index } = setUp();
        const port = connect();
        memory.writeBytes(first + RING, 64, noise);
        memory.write(first + RING, 0, 4, count);
        const before = [0, 1, 2, 3, 4, 5, 10].map((frame) => [...memory.readBytes(first + frame, 64, 1900)]);
        channels.send(port);
        assert.equal(index(8), count);
        assert.deepEqual([0, 1, 2, 3, 4, 5, 10].map((frame) => [...memory.readBytes(first + frame, 64, 1900)]), before);
      }),
      { numRuns: 100 },
    );
  }); // prettier-ignore

  it('a connection survives save and restore', () => {
    const { connect, ask, device, state } = setUp();
    const port = connect();
    ask(port, { operation: OP.flush });
    const saved = structuredClone(device.save());
    device.reset();
    device.restore(saved);
    assert.deepEqual(ask(port, { operation: OP.flush }).map(({ status }) => status), [0]);
    assert.deepEqual([device.save(), state()], [{ ...saved, connection: { ...saved.connection, consumed: 2 } }, '4']);
  }); // prettier-ignore

  it('disks have the numbers by which Linux names them', () => {
    assert.deepEqual([0, 1, 2].map(blockDeviceNumber), [51712, 51728, 51744]);
  });
});
