import assert from 'node:assert/strict';
import { Disk } from '../../../emulator/devices/disk';
import { VirtioBlock } from '../../../emulator/devices/virtio-block';
import type { VirtioKind } from '../../../emulator/devices/virtio-pci';
import { VirtioConsole } from '../../../emulator/devices/virtio-console';
import { VirtioEntropy } from '../../../emulator/devices/virtio-entropy';
import { contentOf } from './support';
import { Driver } from './virtio-driver';

const SECTORS = 64;
const HEADER = 0x2000;
const DATA = 0x3000;
const STATUS = 0x2100;

function block({ readOnly = false } = {}) {
  const image = Uint8Array.from({ length: SECTORS * 512 }, (_, i) => i >> 9);
  const disk = new Disk('disk', contentOf(image), readOnly);
  const driver = new Driver(new VirtioBlock('disk0', disk, 'SERIAL'));
  /** Status byte; undefined: nothing came back. */
  const ask = (type: number, sector: number, bytes: number, write: boolean): number | undefined => {
    driver.memory.view.setUint32(HEADER, type, true);
    driver.memory.view.setBigUint64(HEADER + 8, BigInt(sector), true);
    driver.memory.data[STATUS] = 0xee;
    const data = bytes > 0 ? [{ gpa: DATA, bytes, write }] : [];
    const done = driver.request(0, { gpa: HEADER, bytes: 16 }, ...data, { gpa: STATUS, bytes: 1, write: true });
    return done === undefined ? undefined : driver.memory.data[STATUS];
  };
  return { driver, disk, ask };
}

describe('virtio: transport', () => {
  it('is found by its capabilities', () => {
    const { driver } = block();
    assert.equal(driver.readConfig(0, 4), 0x1042_1af4);
    assert.equal(driver.readConfig(6, 2) & 0x10, 0x10);
    const found: [type: number, bar: number, offset: number][] = [];
    for (let at = driver.readConfig(0x34, 1); at; at = driver.readConfig(at + 1, 1))
      if (driver.readConfig(at, 1) === 9) found.push([driver.readConfig(at + 3, 1), driver.readConfig(at + 4, 1), driver.readConfig(at + 8, 4)]);
      else assert.deepEqual([at, driver.readConfig(at, 1), driver.readConfig(at + 2, 2)], [driver.msix.capability, 0x11, 1]);
    assert.deepEqual(found, [[1, 4, 0], [3, 4, 0x1000], [4, 4, 0x2000], [2, 4, 0x3000], [5, 0, 0]]);
  }); // prettier-ignore
  it('agrees on features', () => {
    const { driver } = block();
    driver.set(0, 4, 1);
    assert.equal(driver.get(4, 4), 1, 'version 1');
    driver.set(0, 4, 7);
    assert.equal(driver.get(4, 4), 0);
    const rows: [low: number, high: number, kept: boolean][] = [[0, 1, true], [0, 0, false], [1 << 20, 1, false], [0, 3, false]];
    for (const [low, high, kept] of rows) {
      driver.set(0x14, 1, 0);
      driver.set(0x14, 1, 3);
      [low, high].forEach((value, i) => (driver.set(8, 4, i), driver.set(0xc, 4, value)));
      driver.set(0x14, 1, 11);
      assert.equal(driver.status, kept ? 11 : 3);
    }
  }); // prettier-ignore
  it('forgets everything when the status becomes 0', () => {
    const { driver } = block();
    driver.start();
    driver.set(0x14, 1, 0);
    driver.set(0x16, 2, 0);
    assert.deepEqual(
      [driver.get(0x14, 1), driver.get(0x1c, 2), driver.get(0x20, 4), driver.get(0x18, 2)],
      [0, 0, 0, 256],
    );
  });
  it('has no more queues than it has', () => {
    const { driver } = block();
    assert.equal(driver.get(0x12, 2), 1);
    driver.set(0x16, 2, 5);
    driver.set(0x1c, 2, 1);
    assert.deepEqual([driver.get(0x18, 2), driver.get(0x1c, 2)], [0, 0]);
  });
  it('asserts INTx until the ISR is read', () => {
    const { driver, ask } = block();
    driver.start();
    assert.equal(ask(4, 0, 0, false), 0);
    assert.equal(driver.line.level, true);
    assert.equal(driver.get(0x1000, 1), 1);
    assert.deepEqual([driver.line.level, driver.get(0x1000, 1)], [false, 0]);
  });
  it('keeps quiet when the driver does not want interrupts', () => {
    const { driver, ask } = block();
    driver.start();
    driver.memory.view.setUint16(0x1_1000, 1, true);
    ask(4, 0, 0, false);
    assert.equal(driver.line.level, false);
  });
  it('sends messages by MSI-X, and holds them while they are masked', () => {
    const { driver, ask } = block();
    driver.msix.enable();
    driver.msix.entry(1, 0xfee0_1000, 0x41);
    driver.start();
    ask(4, 0, 0, false);
    assert.deepEqual([driver.messages, driver.line.level], [[[0xfee0_1000, 0x41]], false]);
    driver.msix.entry(1, 0xfee0_1000, 0x42, true);
    ask(4, 0, 0, false);
    assert.deepEqual([driver.messages.length, driver.msix.pending()], [1, 2]);
    driver.msix.enable(true);
    driver.msix.entry(1, 0xfee0_1000, 0x42);
    assert.equal(driver.messages.length, 1, 'the whole function is masked');
    driver.msix.enable();
    assert.deepEqual([driver.messages[1], driver.msix.pending()], [[0xfee0_1000, 0x42], 0]);
  });
  it('has a window in configuration space', () => {
    const { driver } = block();
    driver.config(0x88, 1, 4);
    driver.config(0x8c, 4, 0x2000);
    driver.config(0x90, 4, 4);
    assert.equal(driver.readConfig(0x94, 4), SECTORS);
    driver.config(0x8c, 4, 0x14);
    driver.config(0x90, 4, 1);
    driver.config(0x94, 1, 1);
    assert.equal(driver.status, 1);
  });
  it('serves a while after it was told', () => {
    const { driver } = block();
    driver.start();
    driver.wait();
    driver.offer(0, 0);
    assert.equal(driver.device.deadline(), driver.clock.ns + 20_000);
  });
});

describe('virtio: block', () => {
  it('tells its size', () => {
    assert.deepEqual([block().driver.get(0x2000, 4), block().driver.get(0x2014, 4)], [SECTORS, 512]);
  });
  it('reads and writes', () => {
    const { driver, ask, disk } = block();
    driver.start();
    assert.equal(ask(0, 3, 1024, true), 0);
    assert.deepEqual([driver.memory.data[DATA], driver.memory.data[DATA + 512]], [3, 4]);
    driver.memory.data.fill(0x77, DATA, DATA + 512);
    assert.equal(ask(1, 9, 512, false), 0);
    assert.equal(disk.read(9 * 512 + 511, 1)[0], 0x77);
    assert.equal(ask(8, 0, 20, true), 0);
    assert.equal(String.fromCharCode(...driver.memory.data.slice(DATA, DATA + 7)), 'SERIAL\0');
  });
  it('takes requests however they are cut', () => {
    const { driver } = block();
    driver.start();
    driver.memory.view.setBigUint64(HEADER + 8, 2n, true);
    const done = driver.request(0, { gpa: HEADER, bytes: 3 }, { gpa: HEADER + 3, bytes: 13 }, { gpa: DATA, bytes: 100, write: true }, { gpa: DATA + 0x1000, bytes: 413, write: true }); // prettier-ignore
    assert.equal(done, 513);
    assert.deepEqual([driver.memory.data[DATA + 99], driver.memory.data[DATA + 0x1000 + 411], driver.memory.data[DATA + 0x1000 + 412]], [2, 2, 0]); // prettier-ignore
  });
  it('follows an indirect table', () => {
    const { driver } = block();
    driver.start();
    driver.memory.view.setBigUint64(HEADER + 8, 5n, true);
    driver.writeDescriptor(0x5000, HEADER, 16, 1, 1);
    driver.writeDescriptor(0x5010, DATA, 512, 3, 2);
    driver.writeDescriptor(0x5020, STATUS, 1, 2, 0);
    driver.descriptor(0, 3, 0x5000, 48, 4);
    driver.offer(0, 3);
    driver.wait();
    assert.deepEqual([driver.used(0), driver.memory.data[DATA]], [1, 5]);
  });
  const rows: [name: string, type: number, sector: number, bytes: number, write: boolean, status: number][] = [
    ['reads beyond the end', 0, SECTORS, 512, true, 1],
    ['reads over the end', 0, SECTORS - 1, 1024, true, 1],
    ['reads far beyond', 0, 2 ** 52, 512, true, 1],
    ['reads half a sector', 0, 0, 256, true, 1],
    ['writes over the end', 1, SECTORS - 1, 1024, false, 1],
    ['does something unknown', 99, 0, 0, false, 2],
  ];
  for (const [name, type, sector, bytes, write, status] of rows)
    it(`says so when a request ${name}`, () => {
      const { driver, ask } = block();
      driver.start();
      assert.equal(ask(type, sector, bytes, write), status);
      assert.equal(driver.status, 15);
    });
  it('does not write a read-only disk', () => {
    const { driver, ask } = block({ readOnly: true });
    assert.equal(driver.get(4, 4) & 0x20, 0x20);
    driver.start();
    assert.equal(ask(1, 0, 512, false), 1);
  });
});

describe('virtio: a driver that breaks the rules', () => {
  const rows: [name: string, damage: (driver: Driver) => void, message: RegExp][] = [
    ['a circle of descriptors', (d) => (d.descriptor(0, 0, DATA, 8, 1, 1), d.descriptor(0, 1, DATA, 8, 1, 0)), /circle/],
    ['a link out of the table', (d) => d.descriptor(0, 0, DATA, 8, 1, 200), /descriptor 200 of a table of 8/],
    ['a head out of the table', (d) => d.offer(0, 9), /descriptor 9/],
    ['a queue outside RAM', (d) => (d.set(0x14, 1, 0), d.start(0), d.set(0x28, 4, 0xf000_0000), d.set(0x1c, 2, 1)), /not in RAM/],
    ['an available index ahead of the queue', (d) => d.memory.view.setUint16(0x1_1002, 900, true), /further on/],
    ['a buffer outside RAM', (d) => d.descriptor(0, 0, 0x7000_0000, 16, 0), /gp:0x70000000 is not in RAM/],
    ['a buffer beyond all addresses', (d) => d.descriptor(0, 0, 2 ** 62, 16, 0), /not in RAM/],
    ['buffers of 4 GiB', (d) => d.descriptor(0, 0, DATA, 0xffff_ffff, 0), /more than/],
    ['reading after writing', (d) => (d.descriptor(0, 0, DATA, 8, 3, 1), d.descriptor(0, 1, DATA, 8, 0)), /to read after/],
    ['an indirect table of 5 bytes', (d) => d.descriptor(0, 0, DATA, 5, 4), /indirect table of 5/],
    ['an indirect table in an indirect table', (d) => (d.descriptor(0, 0, DATA, 16, 4), d.writeDescriptor(DATA, DATA, 16, 4, 0)), /indirect/],
    ['an indirect table of thousands', (d) => d.descriptor(0, 0, DATA, 16 * 5000, 4), /5000 descriptors/],
  ]; // prettier-ignore
  for (const [name, damage, message] of rows)
    it(`is told to reset after ${name}`, () => {
      const { driver, ask } = block();
      driver.start();
      damage(driver);
      driver.offer(0, 0);
      driver.wait();
      assert.equal(driver.status & 0x40, 0x40);
      assert.equal(driver.get(0x1000, 1) & 2, 2, 'configuration interrupt');
      assert.match(driver.reports.join(), message);
      driver.memory.data.fill(0);
      driver.start();
      assert.equal(driver.status, 15);
      assert.equal(ask(4, 0, 0, false), 0, 'and works again');
    });
  it('gets its turn again where the queue feeds itself: no more than a queue is long at once', () => {
    let served = 0;
    const kind: VirtioKind = {
      name: 'feeder', type: 4, classCode: 0, queues: 1, features: 0, config: () => new Uint8Array(0), reset: () => {}, save: () => 0, restore: () => {},
      serve(_, { take, giveBack }) {
        for (let chain = take(); chain; chain = take()) {
          assert.ok(++served < 1000, 'it never ends');
          giveBack(chain);
          // As a disk can, by what is read from it.
          const index = driver.memory.view.getUint16(0x1_1002, true);
          driver.memory.view.setUint16(0x1_1002, index + 1, true);
        }
        return 0;
      },
    }; // prettier-ignore
    const driver = new Driver(kind).start();
    driver.descriptor(0, 0, DATA, 8, 0);
    driver.offer(0, 0);
    for (const wanted of [8, 16, 24]) {
      driver.clock.ns = driver.device.deadline();
      driver.device.tick();
      assert.equal(served, wanted);
    }
  });
  it('gets no answer without a byte for the status', () => {
    const { driver } = block();
    driver.start();
    assert.equal(driver.request(0, { gpa: HEADER, bytes: 16 }), 0);
  });
});

describe('virtio: console', () => {
  const make = () => {
    let out = '';
    const kind = new VirtioConsole((byte) => (out += String.fromCharCode(byte)));
    const driver = new Driver(kind);
    return { kind, driver, out: () => out };
  };
  it('prints', () => {
    const { driver, out } = make();
    driver.start(2);
    driver.memory.data.set([72, 105], DATA);
    driver.request(1, { gpa: DATA, bytes: 1 }, { gpa: DATA + 1, bytes: 1 });
    driver.set(0x2008, 4, 33);
    assert.equal(out(), 'Hi!');
  });
  it('hands over what was typed, before the driver came and after', () => {
    const { kind, driver } = make();
    kind.enter([1, 2]);
    driver.start(2);
    assert.equal(driver.request(0, { gpa: DATA, bytes: 1, write: true }), 1);
    kind.enter([3]);
    driver.device.kick(0);
    assert.equal(driver.request(0, { gpa: DATA + 1, bytes: 8, write: true }), 2);
    assert.deepEqual([...driver.memory.data.slice(DATA, DATA + 3)], [1, 2, 3]);
  });
});

describe('virtio: entropy', () => {
  it('fills buffers, the same in every run', () => {
    const bytes = (): Uint8Array => {
      const driver = new Driver(new VirtioEntropy()).start();
      assert.equal(driver.request(0, { gpa: DATA, bytes: 64, write: true }), 64);
      return driver.memory.data.slice(DATA, DATA + 64);
    };
    assert.deepEqual(bytes(), bytes());
    assert.ok(new Set(bytes()).size > 40);
  });
});
