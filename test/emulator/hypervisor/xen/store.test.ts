/** Xenstore over its ring, as a guest's driver speaks to it: requests by rows, watches, transactions, quotas, damage. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { XenStoreConnection } from '../../../../emulator/hypervisor/xen/store/connection';
import { furnish } from '../../../../emulator/hypervisor/xen/store/home';
import { XenStore } from '../../../../emulator/hypervisor/xen/store/store';
import { HEADER_BYTES, XS, encodeMessage, parseMessage } from '../../../../emulator/hypervisor/xen/store/wire';
import type { Message } from '../../../../emulator/hypervisor/xen/store/wire';
import { FakeDomain } from './fake-domain';

const RING = 2;
const PORT = 4;

class Guest {
  readonly connection: XenStoreConnection;
  readonly domain: FakeDomain;
  readonly reports: string[] = [];
  notified = 0;
  readonly events: string[] = [];
  private inbox = new Uint8Array();

  constructor(
    readonly store: XenStore,
    id: number,
  ) {
    this.domain = new FakeDomain({ id });
    const wiring = { notify: () => void this.notified++, report: (what: string) => void this.reports.push(what) };
    this.connection = new XenStoreConnection(this.domain, store, wiring);
    this.connection.connect(RING, PORT);
    store.introduce(id, this.connection);
    furnish(store, { domid: id, name: `guest${id}`, memoryKiB: 1024, vcpus: 1, console: { mfn: 3, port: 2 }, store: { mfn: RING, port: PORT } }); // prettier-ignore
  }
  index(at: number, value?: number): number {
    const old = this.domain.memory.read(RING, at, 4);
    if (value !== undefined) this.domain.memory.write(RING, at, 4, value);
    return old;
  }
  put(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) {
      const room = 1024 - (this.index(2052) - this.index(2048));
      const n = Math.min(room, bytes.length - done);
      for (let i = 0; i < n; i++) this.domain.memory.write(RING, (this.index(2052) + i) % 1024, 1, bytes[done + i]!);
      this.index(2052, this.index(2052) + n);
      done += n;
      this.connection.serve();
      if (n === 0) return;
    }
  }
  receive(): Message[] {
    const messages: Message[] = [];
    for (;;) {
      const n = this.index(2060) - this.index(2056);
      if (n === 0) return messages;
      const bytes = Uint8Array.from({ length: n }, (_, i) =>
        this.domain.memory.read(RING, 1024 + ((this.index(2056) + i) % 1024), 1),
      );
      this.index(2056, this.index(2056) + n);
      this.inbox = Uint8Array.of(...this.inbox, ...bytes);
      for (let next = parseMessage(this.inbox); next; next = parseMessage(this.inbox)) {
        assert(next !== 'broken');
        messages.push(next.message);
        this.inbox = this.inbox.slice(next.bytes);
      }
      this.connection.serve();
    }
  }
  /** The payload of the answer, or the name of the error; events go to their list. */
  ask(type: keyof typeof XS | number, payload: string, transaction = 0): string {
    const request = 77;
    this.put(encodeMessage({ type: typeof type === 'number' ? type : XS[type], request, transaction, payload }));
    let answer: Message | undefined;
    for (const message of this.receive())
      if (message.type === XS.WATCH_EVENT) this.events.push(message.payload);
      else {
        assert.equal(answer, undefined);
        answer = message;
      }
    assert(answer);
    assert.deepEqual([answer.request, answer.transaction], [request, transaction]);
    return answer.payload;
  }
  heard(): string[] {
    for (const message of this.receive()) this.events.push(message.payload);
    return this.events.splice(0);
  }
}

function setUp() {
  const store = new XenStore();
  store.write('/tool/secret', 's3cret', [{ domid: 0, read: false, write: false }]);
  const guests = [1, 2].map((id) => new Guest(store, id));
  return { store, one: guests[0]!, two: guests[1]! };
}

describe('xenstore', () => {
  type Rows = [name: string, ask: [type: keyof typeof XS | number, payload: string], answer: string][];
  const rows: Rows = [
    ['its name', ['READ', '/local/domain/1/name\0'], 'guest1'],
    ['its name, relative', ['READ', 'name\0'], 'guest1'],
    ["another's name", ['READ', '/local/domain/2/name\0'], 'EACCES\0'],
    ['what is not there', ['READ', 'data/x\0'], 'ENOENT\0'],
    ['what is not there where it may not look', ['READ', '/tool/secret/x\0'], 'EACCES\0'],
    ["a secret of domain 0's", ['READ', '/tool/secret\0'], 'EACCES\0'],
    ['no path', ['READ', ''], 'EINVAL\0'],
    ['a path that ends in a slash', ['READ', 'data/\0'], 'EINVAL\0'],
    ['a path with characters that are not allowed', ['READ', 'data/%\0'], 'EINVAL\0'],
    ['an empty name', ['READ', '/local//domain\0'], 'EINVAL\0'],
    ['a path that is too long', ['READ', `${'a'.repeat(2049)}\0`], 'E2BIG\0'],
    ['writing where it may', ['WRITE', 'data/x\0hello'], 'OK\0'],
    ['writing where it may not', ['WRITE', 'name\0evil'], 'EACCES\0'],
    ["writing another's", ['WRITE', '/local/domain/2/data/x\0evil'], 'EACCES\0'],
    ['a value that is too long', ['WRITE', `data/x\0${'v'.repeat(2049)}`], 'ENOSPC\0'],
    ['removing what was never there', ['RM', 'data/x\0'], 'OK\0'],
    ['removing what was never there in what was never there', ['RM', 'data/x/y/z\0'], 'ENOENT\0'],
    ['removing the root', ['RM', '/\0'], 'EINVAL\0'],
    ['removing its home', ['RM', '/local/domain/1\0'], 'EACCES\0'],
    ['names below', ['DIRECTORY', 'console\0'], 'ring-ref\0port\0type\0'],
    ['permissions', ['GET_PERMS', 'data\0'], 'n1\0'],
    ['giving rights', ['SET_PERMS', 'data\0n1\0b2\0'], 'OK\0'],
    ['giving away', ['SET_PERMS', 'data\0n2\0'], 'EPERM\0'],
    ["taking what is domain 0's", ['SET_PERMS', 'name\0n1\0'], 'EACCES\0'],
    ['permissions that are none', ['SET_PERMS', 'data\0x1\0'], 'EINVAL\0'],
    ['no permissions', ['SET_PERMS', 'data\0'], 'EINVAL\0'],
    ['its path', ['GET_DOMAIN_PATH', '1\0'], '/local/domain/1\0'],
    ['the path of nobody', ['GET_DOMAIN_PATH', 'x\0'], 'EINVAL\0'],
    ['who is there', ['IS_DOMAIN_INTRODUCED', '2\0'], 'T\0'],
    ['who is not', ['IS_DOMAIN_INTRODUCED', '9\0'], 'F\0'],
    ['introducing somebody', ['INTRODUCE', '9\x001\x001\0'], 'EACCES\0'],
    ['control', ['CONTROL', 'print\0'], 'EACCES\0'],
    ['a request that there is not', [99, ''], 'ENOSYS\0'],
    ['an end to no transaction', ['TRANSACTION_END', 'T\0'], 'ENOENT\0'],
    ['a watch that there is not', ['UNWATCH', 'data\0t\0'], 'ENOENT\0'],
    ['a watch without a token', ['WATCH', 'data\0'], 'EINVAL\0'],
  ];
  for (const [name, [type, payload], answer] of rows)
    it(`${name}: ${JSON.stringify(answer)}`, () => {
      const { one } = setUp();
      assert.equal(one.ask(type, payload), answer);
    });

  it('values are bytes, and survive', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2048 }), (bytes) => {
        const { one } = setUp();
        const value = String.fromCharCode(...bytes);
        assert.equal(one.ask('WRITE', `data/x\0${value}`), 'OK\0');
        assert.equal(one.ask('READ', 'data/x\0'), value);
      }),
      { numRuns: 30 },
    );
  });

  it('watches hear of a node and what is below it, once at first, by the names that they were set with', () => {
    const { one, two, store } = setUp();
    assert.equal(one.ask('WATCH', 'data\0mine\0'), 'OK\0');
    assert.equal(one.ask('WATCH', 'data\0mine\0'), 'EEXIST\0');
    one.ask('WATCH', '/local/domain/1/data/a/b\0deep\0');
    two.ask('WATCH', '/local/domain/1/data\0spy\0');
    assert.deepEqual([one.heard(), two.heard()], [['data\0mine\0', '/local/domain/1/data/a/b\0deep\0'], ['/local/domain/1/data\0spy\0']]); // prettier-ignore
    store.write('/local/domain/1/data/a/b', 'x');
    assert.deepEqual([one.heard(), two.heard()], [['data/a/b\0mine\0', '/local/domain/1/data/a/b\0deep\0'], []]);
    store.remove('/local/domain/1/data/a');
    assert.deepEqual(one.heard(), ['data/a\0mine\0', '/local/domain/1/data/a/b\0deep\0']);
    assert.equal(one.ask('UNWATCH', 'data\0mine\0'), 'OK\0');
    store.write('/local/domain/1/data/c', 'x');
    assert.deepEqual(one.heard(), []);
    one.ask('WATCH', '@introduceDomain\0in\0');
    one.heard();
    new Guest(store, 3);
    assert.deepEqual(one.heard(), ['@introduceDomain\0in\0']);
  });

  it('a transaction is seen whole or not at all, and fails where what it saw has changed', () => {
    const { one, store } = setUp();
    one.ask('WATCH', 'data\0w\0');
    one.heard();
    const id = Number.parseInt(one.ask('TRANSACTION_START', '\0'), 10);
    one.ask('WRITE', 'data/a\x001', id);
    one.ask('WRITE', 'data/b\x002', id);
    assert.equal(one.ask('READ', 'data/a\0', id), '1');
    assert.equal(one.ask('READ', 'data/a\0'), 'ENOENT\0');
    assert.equal(one.ask('DIRECTORY', 'data\0', id), 'a\0b\0');
    assert.deepEqual(one.heard(), []);
    assert.equal(one.ask('TRANSACTION_END', 'T\0', id), 'OK\0');
    assert.deepEqual(one.heard(), ['data/a\0w\0', 'data/b\0w\0']);
    assert.equal(one.ask('READ', 'data/a\0'), '1');
    for (const [touch, answer] of [['data/a', 'EAGAIN\0'], ['data/b', 'OK\0']] as const) {
      const again = Number.parseInt(one.ask('TRANSACTION_START', '\0'), 10);
      assert.equal(one.ask('READ', 'data/a\0', again), '1');
      store.write(`/local/domain/1/${touch}`, '1');
      assert.equal(one.ask('TRANSACTION_END', 'T\0', again), answer);
    }
    const dropped = Number.parseInt(one.ask('TRANSACTION_START', '\0'), 10);
    one.ask('RM', 'data/a\0', dropped);
    one.ask('TRANSACTION_END', 'F\0', dropped);
    assert.equal(one.ask('READ', 'data/a\0'), '1');
  }); // prettier-ignore

  it('what a guest can take is bounded: nodes, watches, transactions, permissions, events', () => {
    const { one, store } = setUp();
    const until = (ask: (i: number) => string, error: string, limit: number): void => {
      let i = 0;
      for (; i <= limit; i++) {
        const answer = ask(i);
        if (/^E[A-Z0-9]+\0$/.test(answer)) {
          assert.equal(answer, error);
          break;
        }
      }
      assert(i > 0 && i <= limit, `${i} of ${limit}`);
    };
    until((i) => one.ask('MKDIR', `data/n${i}\0`), 'ENOSPC\0', 1000);
    until((i) => one.ask('WATCH', `data\0t${i}\0`), 'E2BIG\0', 128);
    until(() => one.ask('TRANSACTION_START', '\0'), 'ENOSPC\0', 10);
    assert.equal(one.ask('SET_PERMS', 'data\0n1\0r2\0r3\0r4\0r5\0r6\0'), 'EINVAL\0');
    for (let i = 0; i < 200; i++) store.write('/local/domain/1/data/n0', `${i}`);
    assert(one.connection.save().output.length < 300_000);
    assert.equal(one.reports.length > 0, true);
    assert.equal(one.ask('RESET_WATCHES', '\0'), 'OK\0');
    one.heard();
    store.write('/local/domain/1/data/n0', 'x');
    assert.deepEqual(one.heard(), []);
  });

  it('a long directory comes in parts', () => {
    const { one, store } = setUp();
    for (let i = 0; i < 400; i++) store.write(`/local/domain/1/data/node-number-${i}`, '');
    assert.equal(one.ask('DIRECTORY', 'data\0'), 'E2BIG\0');
    let names = '';
    for (;;) {
      const answer = one.ask('DIRECTORY_PART', `data\0${names.length}\0`);
      names += answer.slice(answer.indexOf('\0') + 1);
      if (names.endsWith('\0\0')) break;
    }
    assert.deepEqual(
      names.slice(0, -2).split('\0'),
      Array.from({ length: 400 }, (_, i) => `node-number-${i}`),
    );
  });

  it('noise on the ring is answered or breaks that line only', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1000 }), fc.nat(0xffff_ffff), (noise, index) => {
        const { one, two } = setUp();
        one.put(noise);
        one.index(2052, index);
        one.index(2056, index);
        one.connection.serve();
        one.connection.serve();
        one.connection.inspect();
        assert(one.connection.save().input.length <= HEADER_BYTES + 4096);
        assert.equal(two.ask('READ', 'name\0'), 'guest2');
      }),
      { numRuns: 200 },
    );
  });

  it('requests cut anywhere, with a save and restore in between, are answered alike', () => {
    const payloads = ['name\0', 'data/x\0', 'console/port\0'];
    const stream = Uint8Array.from(payloads.flatMap((payload, i) => [...encodeMessage({ type: XS.READ, request: i, transaction: 0, payload })])); // prettier-ignore
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length), { maxLength: 5 }), (cuts) => {
        const { one, store } = setUp();
        let at = 0;
        for (const cut of [...cuts.sort((a, b) => a - b), stream.length]) {
          one.put(stream.subarray(at, cut));
          at = Math.max(at, cut);
          const [line, tree] = [structuredClone(one.connection.save()), structuredClone(store.save())];
          store.restore(tree);
          one.connection.restore(line);
          assert.deepEqual([one.connection.save(), store.save()], [line, tree]);
        }
        assert.deepEqual(one.receive().map(({ payload }) => payload), ['guest1', 'ENOENT\0', '2']);
      }),
      { numRuns: 50 },
    );
  }); // prettier-ignore
});
