import assert from 'node:assert/strict';
import { Pic } from '../../../emulator/devices/pic';
import { TestLine, nobody } from './support';

function bench(icw4 = 0x01) {
  const intr = new TestLine();
  const pic = new Pic(intr, nobody);
  const out = (port: number, ...bytes: number[]): void => bytes.forEach((b) => pic.writePort(port, 1, b));
  pic.reset();
  out(0x20, 0x11);
  out(0x21, 0x20, 0x04, icw4, 0x00);
  out(0xa0, 0x11);
  out(0xa1, 0x28, 0x02, 0x01, 0x00);
  const raise = (...irqs: number[]): void => irqs.forEach((irq) => pic.setLine(irq, true));
  const lower = (...irqs: number[]): void => irqs.forEach((irq) => pic.setLine(irq, false));
  const isr = (port: number): number => (out(port, 0x0b), pic.readPort(port));
  const irr = (port: number): number => (out(port, 0x0a), pic.readPort(port));
  return { pic, intr, out, raise, lower, isr, irr };
}

/** Vectors in the order in which they are taken, each ended by non-specific EOI. */
function drain({ pic, intr, out }: ReturnType<typeof bench>): number[] {
  const vectors: number[] = [];
  while (intr.level) {
    const vector = pic.acknowledge();
    vectors.push(vector);
    if (vector >= 0x28) out(0xa0, 0x20);
    out(0x20, 0x20);
  }
  return vectors;
}

describe('pic', () => {
  it('takes requests in order of priority, the slave between IR1 and IR3', () => {
    const b = bench();
    b.raise(7, 3, 15, 8, 1, 0);
    assert.deepEqual(drain(b), [0x20, 0x21, 0x28, 0x2f, 0x23, 0x27]);
  });
  it('holds lower and equal priorities back until the end of interrupt', () => {
    const b = bench();
    b.raise(4);
    assert.equal(b.pic.acknowledge(), 0x24);
    b.raise(5, 12);
    assert.equal(b.intr.level, true, 'the slave outranks IR4');
    assert.equal(b.pic.acknowledge(), 0x2c);
    assert.equal(b.isr(0x20), 0x14);
    assert.equal(b.isr(0xa0), 0x10);
    b.out(0xa0, 0x20);
    b.out(0x20, 0x20);
    assert.equal(b.intr.level, false, 'IR4 in service still blocks IR5');
    b.out(0x20, 0x64); // specific EOI of IR4
    assert.equal(b.pic.acknowledge(), 0x25);
  });
  it('latches an edge once, follows a level', () => {
    const b = bench();
    b.raise(5);
    assert.deepEqual(drain(b), [0x25]);
    assert.equal(b.intr.level, false, 'still high: no new edge');
    b.lower(5);
    b.out(0x4d0, 0x20);
    b.raise(5);
    assert.equal(b.pic.acknowledge(), 0x25);
    b.out(0x20, 0x20);
    assert.equal(b.intr.level, true, 'level: as long as it is high');
    b.lower(5);
    assert.equal(b.intr.level, false);
  });
  it('keeps system interrupts edge-triggered in ELCR', () => {
    const b = bench();
    b.out(0x4d0, 0xff);
    b.out(0x4d1, 0xff);
    assert.deepEqual([b.pic.readPort(0x4d0), b.pic.readPort(0x4d1)], [0xf8, 0xde]);
  });
  it('gives the spurious vector when a request goes away before INTA', () => {
    const b = bench();
    b.raise(3);
    b.lower(3);
    assert.equal(b.intr.level, false);
    assert.equal(b.pic.acknowledge(), 0x27);
    assert.equal(b.isr(0x20), 0, 'nothing in service');
  });
  it('withdraws the cascade together with the request of the slave', () => {
    const b = bench();
    b.raise(11);
    assert.equal(b.intr.level, true);
    b.out(0xa1, 0x08);
    assert.equal(b.intr.level, false);
    assert.equal(b.pic.acknowledge(), 0x27);
  });
  it('masks without forgetting', () => {
    const b = bench();
    b.out(0x21, 0x10);
    b.raise(4);
    assert.equal(b.intr.level, false);
    assert.equal(b.irr(0x20), 0x10);
    b.out(0x21, 0x00);
    assert.deepEqual(drain(b), [0x24]);
  });
  it('ends automatically (AEOI), rotating if asked', () => {
    const b = bench(0x03);
    b.out(0x20, 0x80);
    b.raise(0, 1);
    assert.equal(b.pic.acknowledge(), 0x20);
    assert.equal(b.isr(0x20), 0);
    b.lower(0);
    b.raise(0);
    assert.equal(b.pic.acknowledge(), 0x21, 'IR0 is the lowest now');
    assert.equal(b.pic.acknowledge(), 0x20);
  });
  it('rotates on EOI and sets priorities', () => {
    const b = bench();
    b.raise(2 + 1);
    b.pic.acknowledge();
    b.out(0x20, 0xa0); // rotate on non-specific EOI: IR3 lowest
    b.lower(3);
    b.raise(3, 4);
    assert.deepEqual(drain(b), [0x24, 0x23]);
    b.out(0x20, 0xc5); // IR5 lowest, IR6 highest
    b.raise(6, 0);
    assert.deepEqual(drain(b), [0x26, 0x20]);
  });
  it('lets lower priorities through in special mask mode', () => {
    const b = bench();
    b.raise(1);
    b.pic.acknowledge();
    b.raise(6);
    assert.equal(b.intr.level, false);
    b.out(0x21, 0x02);
    b.out(0x20, 0x68);
    assert.equal(b.pic.acknowledge(), 0x26);
    b.out(0x20, 0x20); // ends IR6, not the masked IR1
    assert.equal(b.isr(0x20), 0x02);
    b.out(0x20, 0x48);
    b.out(0x20, 0x61);
    assert.equal(b.isr(0x20), 0);
  });
  it('lets the slave interrupt itself when special fully nested', () => {
    const plain = bench();
    const nested = bench(0x11);
    for (const b of [plain, nested]) {
      b.raise(14);
      assert.equal(b.pic.acknowledge(), 0x2e);
      b.raise(8);
    }
    assert.equal(plain.intr.level, false);
    assert.equal(nested.intr.level, true);
    assert.equal(nested.pic.acknowledge(), 0x28);
  });
  it('is polled', () => {
    const b = bench();
    b.out(0x20, 0x0c);
    assert.equal(b.pic.readPort(0x20), 0);
    b.raise(5);
    b.out(0x20, 0x0c);
    assert.equal(b.pic.readPort(0x20), 0x85);
    assert.equal(b.isr(0x20), 0x20);
    assert.equal(b.intr.level, false);
  });
  it('says that it lacks 8080 mode', () => {
    const said: string[] = [];
    const pic = new Pic(new TestLine(), (what) => said.push(what));
    for (const [port, byte] of [[0x20, 0x11], [0x21, 0], [0x21, 4], [0x21, 0]] as const) pic.writePort(port, 1, byte);
    assert.deepEqual(said, ['8259: 8080/8085 mode']);
  }); // prettier-ignore
});
