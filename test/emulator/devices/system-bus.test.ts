import assert from 'node:assert/strict';
import type { Window } from '../../../emulator/devices/bus';
import { SystemBus } from '../../../emulator/devices/system-bus';

function bench() {
  const reports: string[] = [];
  const log: string[] = [];
  const bus = new SystemBus((what) => reports.push(what));
  const window = (name: string, extra: Partial<Window>): Window => ({
    name,
    readPort: (port, bytes) => (log.push(`${name} r${bytes} ${port.toString(16)}`), 0x1122_3344 & (bytes === 4 ? -1 : (1 << (bytes * 8)) - 1)),
    writePort: (port, bytes, value) => void log.push(`${name} w${bytes} ${port.toString(16)}=${value.toString(16)}`),
    readMmio: (gpa, bytes) => (log.push(`${name} r${bytes} ${gpa.toString(16)}`), 0xab),
    writeMmio: (gpa, bytes, value) => void log.push(`${name} w${bytes} ${gpa.toString(16)}=${value.toString(16)}`),
    ...extra,
  }); // prettier-ignore
  return { bus, reports, log, window };
}

describe('system bus', () => {
  it('splits wide accesses for narrow chips, low address first', () => {
    const { bus, log, window } = bench();
    bus.attach(window('a', { ports: [{ first: 0x10, last: 0x11 }] }));
    bus.attach(window('b', { ports: [{ first: 0x12, last: 0x13 }], portBytes: 2 }));
    bus.writePort(0x10, 4, 0xddcc_bbaa);
    assert.deepEqual(log, ['a w1 10=aa', 'a w1 11=bb', 'b w2 12=ddcc']);
    log.length = 0;
    assert.equal(bus.readPort(0x10, 4), 0x3344_4444);
    assert.deepEqual(log, ['a r1 10', 'a r1 11', 'b r2 12']);
  });
  it('passes an access that fits whole, and splits one that runs over the end', () => {
    const { bus, log, window } = bench();
    bus.attach(window('p', { ports: [{ first: 0xcfc, last: 0xcff }], portBytes: 4 }));
    bus.readPort(0xcfc, 4);
    assert.equal(bus.readPort(0xcfe, 4), 0xffff_3344);
    assert.deepEqual(log, ['p r4 cfc', 'p r2 cfe']);
  });
  it('reads all ones where nobody answers, and says so once by name', () => {
    const { bus, reports } = bench();
    assert.equal(bus.readPort(0x1234, 1), 0xff);
    assert.equal(bus.readPort(0x1234, 2), 0xffff);
    assert.equal(bus.readPort(0x3e9, 4), 0xffff_ffff);
    bus.writePort(0xed, 1, 0);
    assert.deepEqual(reports, ['I/O port 0x1234', 'I/O port 0x1235']);
    reports.length = 0;
    assert.equal(bus.readMmio(0xfed0_0000, 4), 0xffff_ffff);
    bus.writeMmio(0xfed0_0010, 4, 1);
    assert.deepEqual(reports, ['memory-mapped I/O at gp:0xfed00000']);
  });
  it('finds MMIO windows among many, and forgets detached ones', () => {
    const { bus, log, window } = bench();
    const windows = Array.from({ length: 50 }, (_, i) => window(`w${i}`, { mmio: [{ first: 0x1000 * (50 - i), last: 0x1000 * (50 - i) + 0xff }] }));
    for (const w of windows) bus.attach(w);
    for (let i = 0; i < 50; i++) bus.readMmio(0x1000 * (50 - i) + 4, 4);
    assert.deepEqual(log, windows.map((w, i) => `${w.name} r4 ${(0x1000 * (50 - i) + 4).toString(16)}`));
    bus.detach(windows[7]!);
    assert.equal(bus.readMmio(0x1000 * 43, 4), 0xffff_ffff);
    assert.equal(bus.decodes(0x1000 * 43), false);
    assert.equal(bus.decodes(0x1000 * 44), true);
  }); // prettier-ignore
  it('reports two owners of one MMIO address instead of choosing silently', () => {
    const { bus, reports, window } = bench();
    bus.attach(window('one', { mmio: [{ first: 0x1000, last: 0x1fff }] }));
    bus.attach(window('two', { mmio: [{ first: 0x1800, last: 0x27ff }] }));
    assert.deepEqual(reports, ['two at 0x1800 over one']);
  });
});
