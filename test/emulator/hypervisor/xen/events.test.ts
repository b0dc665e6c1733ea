/** Event channels against a model of a few lines, under both ABIs; refusals by rule; save and restore. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { DOMID } from '../../../../emulator/hypervisor/xen/abi';
import type { EventChannels } from '../../../../emulator/hypervisor/xen/events/channels';
import { eventChannelOp, eventChannelOpCompat } from '../../../../emulator/hypervisor/xen/events/operation';
import { CONTROL_AT, FifoGuest, TwoLevelGuest } from './event-guest';
import type { EventGuest } from './event-guest';
import { FakeCaller, FakeHost, PAGE_TABLE, errnoOf } from './fake-domain';
import type { FakeOptions } from './fake-domain';

const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINVAL: 22,
  ENOSYS: 38,
  EEXIST: 17,
  EOPNOTSUPP: 95,
  ENOSPC: 28,
} as const;
const CONTROL = [4, 5];
const ARRAY = 6;

/** One domain of each kind: 64-bit and 32-bit bit fields, FIFO. */
function setUp(...options: FakeOptions[]) {
  const host = new FakeHost(options);
  const guests: EventGuest[] = host.domains.map((domain) => new TwoLevelGuest(domain));
  const fifo = (id: number): FifoGuest => {
    const [domain, channels] = [host.domains[id]!, host.channels[id]!];
    for (let vcpu = 0; vcpu < domain.vcpus; vcpu++) assert.equal(channels.initControl(vcpu, domain.first + CONTROL[vcpu]!, CONTROL_AT), 17); // prettier-ignore
    channels.expandArray(domain.first + ARRAY);
    const guest = new FifoGuest(domain, CONTROL.map((frame) => domain.first + frame), [domain.first + ARRAY]); // prettier-ignore
    guests[id] = guest;
    return guest;
  };
  return { ...host, guests, fifo };
}

describe('Xen event channels', () => {
  describe('refusals', () => {
    const rows: [name: string, errno: number, action: (dom1: EventChannels) => unknown][] = [
      ['an unbound port for another domain', ERRNO.EPERM, (c) => c.allocUnbound(2, 0)],
      ['a port that was never bound', ERRNO.EINVAL, (c) => c.send(5)],
      ['port 0', ERRNO.EINVAL, (c) => c.close(0)],
      ['a port beyond the last', ERRNO.EINVAL, (c) => c.unmask(0xffff_ffff)],
      ['a domain that is not there', ERRNO.ESRCH, (c) => c.bindInterdomain(77, 1)],
      ['a port that waits for somebody else', ERRNO.EINVAL, (c) => c.bindInterdomain(2, 1)],
      ['a virq that is not there', ERRNO.EINVAL, (c) => c.bindVirq(24, 0)],
      ['a virq of a processor that is not there', ERRNO.ENOENT, (c) => c.bindVirq(0, 9)],
      ['a virq twice', ERRNO.EEXIST, (c) => [c.bindVirq(0, 0), c.bindVirq(0, 0)]],
      ["the domain's virq on a second processor", ERRNO.EINVAL, (c) => c.bindVirq(3, 1)],
      ['an ipi of a processor that is not there', ERRNO.ENOENT, (c) => c.bindIpi(2)],
      ['a physical interrupt', ERRNO.EPERM, (c) => c.bindPirq(4)],
      ['sending on a virq', ERRNO.EINVAL, (c) => c.send(c.bindVirq(0, 0))],
      ['moving an ipi', ERRNO.EINVAL, (c) => c.bindVcpu(c.bindIpi(0), 1)],
      ['moving the timer', ERRNO.EINVAL, (c) => c.bindVcpu(c.bindVirq(0, 0), 1)],
      ['status of another domain', ERRNO.EPERM, (c) => c.status(2, 1)],
      ['reset of another domain', ERRNO.EPERM, (c) => c.reset(2)],
      ['priorities without FIFO', ERRNO.ENOSYS, (c) => c.setPriority(c.bindIpi(0), 3)],
      ['an event array without FIFO', ERRNO.EOPNOTSUPP, (c) => c.expandArray(20)],
      ['a control block in a page table', ERRNO.EINVAL, (c) => c.initControl(0, 16 + PAGE_TABLE, 0)],
      ['a control block in a foreign frame', ERRNO.EINVAL, (c) => c.initControl(0, 3, 0)],
      ['a control block in no frame', ERRNO.EINVAL, (c) => c.initControl(0, 2 ** 60, 0)],
      ['a control block that leaves its page', ERRNO.EINVAL, (c) => c.initControl(0, 20, 4032)],
      ['a control block that is not aligned', ERRNO.EINVAL, (c) => c.initControl(0, 20, 4)],
      ['a second control block', ERRNO.EINVAL, (c) => [c.initControl(0, 20, 0), c.initControl(0, 21, 0)]],
      ['an event array in a page table', ERRNO.EINVAL, (c) => [c.initControl(0, 20, 0), c.expandArray(16 + PAGE_TABLE)]],
      ['a priority beyond the last', ERRNO.EINVAL, (c) => [c.initControl(0, 20, 0), c.setPriority(c.bindIpi(0), 16)]],
      ['more ports than there are', ERRNO.ENOSPC, (c) => { for (;;) c.bindIpi(0); }],
    ]; // prettier-ignore
    for (const [name, errno, action] of rows)
      it(name, () => {
        const { channels } = setUp({ privileged: true }, { vcpus: 2, word: 4 }, {});
        channels[2]!.allocUnbound(DOMID.SELF, 0);
        assert.equal(
          errnoOf(() => action(channels[1]!)),
          errno,
        );
      });
  });

  for (const word of [4, 8] as const)
    it(`two domains of ${word * 8} bits meet, talk both ways, and part`, () => {
      const { channels, domains, guests } = setUp({}, { word, vcpus: 2 });
      const mine = channels[0]!.allocUnbound(DOMID.SELF, 1);
      const theirs = channels[1]!.bindInterdomain(0, mine);
      assert.deepEqual(guests[1]!.drain(0), [theirs], 'whoever connects looks once');
      assert.deepEqual(channels[0]!.status(DOMID.SELF, mine), { status: 2, vcpu: 0, remote: 1, remotePort: theirs });
      channels[1]!.bindVcpu(theirs, 1);
      domains[1]!.kicks.length = 0;
      channels[0]!.send(mine);
      assert(domains[1]!.kicks.includes(1));
      assert.deepEqual([guests[1]!.drain(0), guests[1]!.drain(1)], [[], [theirs]]);
      channels[1]!.send(theirs);
      assert.deepEqual(guests[0]!.drain(0), [mine]);
      channels[1]!.close(theirs);
      assert.deepEqual(channels[0]!.status(DOMID.SELF, mine), { status: 1, vcpu: 0, remote: 1 });
      channels[0]!.send(mine);
    });

  it('hypercalls reach them by the structures of the ABI, new and old', () => {
    const { channels, domains } = setUp({}, {});
    const [caller, at] = [new FakeCaller(domains[1]!), 0x2000n];
    caller.write(at, 2, DOMID.SELF);
    caller.write(at + 2n, 2, 0);
    eventChannelOp(channels[1]!, caller, 6, at);
    assert.equal(caller.read(at + 4n, 4), 1);
    caller.write(at, 4, 7); // the old form: bind_ipi
    caller.write(at + 4n, 4, 0);
    eventChannelOpCompat(channels[1]!, caller, at);
    assert.equal(caller.read(at + 8n, 4), 2);
    caller.write(at, 2, DOMID.SELF);
    caller.write(at + 4n, 4, 1);
    eventChannelOp(channels[1]!, caller, 5, at);
    assert.deepEqual([caller.read(at + 8n, 4), caller.read(at + 16n, 2)], [1, 0]);
    assert.equal(errnoOf(() => eventChannelOp(channels[1]!, caller, 99, at)), ERRNO.ENOSYS);
    assert.equal(errnoOf(() => eventChannelOp(channels[1]!, caller, 4, 0xdead_0000n)), 14);
  }); // prettier-ignore

  it('a service answers a port that was left for its domain, and only such a one', () => {
    const { channels, guests } = setUp({}, {});
    const heard: number[] = [];
    channels[1]!.provide('disk', (port) => heard.push(port));
    const [wrong, right] = [channels[1]!.allocUnbound(DOMID.SELF, 1), channels[1]!.allocUnbound(DOMID.SELF, 0)];
    assert.equal(errnoOf(() => channels[1]!.connectService('disk', 0, wrong)), ERRNO.EINVAL);
    channels[1]!.connectService('disk', 0, right);
    channels[1]!.send(right);
    assert.deepEqual(heard, [right]);
    channels[1]!.notify(right);
    channels[1]!.notify(wrong);
    assert.deepEqual(guests[1]!.drain(0), [right]);
    channels[1]!.disconnectService('disk');
    assert.equal(channels[1]!.inspect().ports[1]!.connected, 'unbound, for domain 0');
  }); // prettier-ignore

  it('FIFO: events come by priority, then in order; what was pending before is not lost', () => {
    const { channels, guests, fifo } = setUp({});
    const ports = [1, 2, 3, 4].map(() => channels[0]!.bindIpi(0));
    channels[0]!.send(ports[3]!);
    fifo(0);
    assert.deepEqual(guests[0]!.drain(0), [ports[3]]);
    channels[0]!.setPriority(ports[2]!, 0);
    for (const port of ports) channels[0]!.send(port);
    assert.deepEqual(guests[0]!.drain(0), [3, 1, 2, 4]);
  });

  it('a FIFO guest that breaks its own queues hurts nobody', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(9), fc.nat(0xffff_ffff)), { maxLength: 60 }), (steps) => {
        const { channels, domains, fifo } = setUp({}, {});
        const guest = fifo(1);
        for (let i = 0; i < 8; i++) channels[1]!.bindIpi(0);
        for (const [port, word] of steps) {
          guest.word(port, word);
          if (port > 0 && port < 9) channels[1]!.send(port);
          if (port > 0 && port < 9) channels[1]!.unmask(port);
        }
        channels[1]!.inspect();
        channels[1]!.dissolve();
        assert.deepEqual([...domains[1]!.users], []);
      }),
    );
  });

  const op = fc.oneof(
    ...(['ipi', 'close', 'send', 'mask', 'unmask', 'drain', 'connect', 'move', 'priority'] as const).map((kind) =>
      fc.record({ kind: fc.constant(kind), dom: fc.nat(1), port: fc.nat(12), vcpu: fc.nat(1) }),
    ),
  );
  interface Known { pending: boolean; masked: boolean; vcpu: number; peer?: [dom: number, port: number]; ipi: boolean } // prettier-ignore

  it('random operations end as in the model: each event arrives once, where it belongs', () => {
    fc.assert(
      fc.property(fc.array(op, { minLength: 30, maxLength: 120 }), fc.boolean(), (steps, save) => {
        const { channels, guests, fifo } = setUp({ vcpus: 2, word: 4 }, { vcpus: 2 });
        fifo(1);
        const model: Map<number, Known>[] = [new Map<number, Known>(), new Map<number, Known>()];
        const raise = (dom: number, port: number): void => void (model[dom]!.get(port)!.pending = true);
        // A port keeps its mask when it is closed: masks are the guest's.
        const masks = [new Set<number>(), new Set<number>()];
        const add = (dom: number, port: number, known: Partial<Known>): void =>
          void model[dom]!.set(port, { pending: false, masked: masks[dom]!.has(port), vcpu: 0, ipi: false, ...known });
        for (const { kind, dom, port, vcpu } of steps) {
          const [c, known] = [channels[dom]!, model[dom]!.get(port)];
          const refused = (action: () => void): boolean => {
            const errno = errnoOf(action);
            assert.equal(errno !== 0, !known, `${kind} ${port}`);
            return errno !== 0;
          };
          if (kind === 'ipi') add(dom, c.bindIpi(vcpu), { vcpu, ipi: true });
          else if (kind === 'connect') {
            const mine = c.allocUnbound(DOMID.SELF, 1 - dom);
            const theirs = channels[1 - dom]!.bindInterdomain(dom, mine);
            add(dom, mine, { peer: [1 - dom, theirs] });
            add(1 - dom, theirs, { peer: [dom, mine], pending: true });
          } else if (kind === 'mask') {
            if (port === 0) continue;
            guests[dom]!.mask(port);
            masks[dom]!.add(port);
            if (known) known.masked = true;
          } else if (kind === 'drain') {
            const expected = [...model[dom]!].filter(([, one]) => one.pending && !one.masked && one.vcpu === vcpu);
            for (const [, one] of expected) one.pending = false;
            assert.deepEqual(guests[dom]!.drain(vcpu, (p) => model[dom]!.get(p)?.vcpu === vcpu).sort((a, b) => a - b), expected.map(([p]) => p).sort((a, b) => a - b)); // prettier-ignore
          } else if (kind === 'close') {
            // In a FIFO queue a port stays linked until the guest takes it out, also if it is closed and given out again.
            if (dom === 1 && known?.pending) continue;
            if (refused(() => c.close(port)) || !known) continue;
            model[dom]!.delete(port);
            if (known.peer) delete model[known.peer[0]]!.get(known.peer[1])!.peer;
          } else if (kind === 'send') {
            if (refused(() => c.send(port)) || !known) continue;
            if (known.peer) raise(...known.peer);
            else if (known.ipi) raise(dom, port);
          } else if (kind === 'unmask') {
            if (refused(() => c.unmask(port)) || !known) continue;
            masks[dom]!.delete(port);
            known.masked = false;
          } else if (kind === 'move') {
            // A pending event is seen where it was queued: guests move ports that rest.
            if (!known || known.ipi || known.pending) continue;
            c.bindVcpu(port, vcpu);
            known.vcpu = vcpu;
          } else if (dom === 1 && known && !known.pending) c.setPriority(port, vcpu * 9);
          if (save) c.restore(structuredClone(c.save()));
        }
        for (const dom of [0, 1])
          assert.deepEqual(
            channels[dom]!.inspect().ports.map(({ port, pending, masked }) => ({ port, pending, masked })),
            [...model[dom]!].sort(([a], [b]) => a - b).map(([port, { pending, masked }]) => ({ port, pending, masked })),
          );
      }),
      { numRuns: 300 },
    );
  }); // prettier-ignore
});
