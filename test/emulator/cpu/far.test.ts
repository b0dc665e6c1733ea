/** Far transfers and returns: where they lead, what they leave on the stack, what they refuse. */
import assert from 'node:assert/strict';
import { modeName } from '../../../emulator/cpu/mode';
import { GPR, RFLAGS, SEG } from '../../../emulator/x86/registers';
import { Bench, GDT, farCall, farJump } from './fixture';

describe('far JMP and CALL', () => {
  const rows: [string, number, (b: Bench) => void, string, number?][] = [
    ['same level', 0x08, () => {}, 'ok'],
    ['null', 0, () => {}, '#GP(0)'],
    ['beyond the GDT', 0x108, () => {}, '#GP(108)'],
    ['data', 0x10, () => {}, '#GP(10)'],
    ['code of an outer level', 0x18, () => {}, '#GP(18)'],
    ['RPL above CPL', 0x0b, () => {}, '#GP(8)'],
    ['not present', 0x40, (b) => b.descriptor(0x40, 0, 0xf_ffff, 0x1a, 0xc), '#NP(40)'],
    ['beyond the limit', 0x40, (b) => b.descriptor(0x40, 0, 0x1233, 0x9a, 0x4), '#GP(0)'],
    ['conforming code of a deeper level', 0x40, (b) => b.descriptor(0x40, 0, 0xf_ffff, 0x9e, 0xc), 'ok', 3],
    ['conforming code of an outer level', 0x40, (b) => b.descriptor(0x40, 0, 0xf_ffff, 0xfe, 0xc), '#GP(40)'],
    ['a call gate', 0x40, (b) => b.gate(GDT + 0x40, 8, 0x4321, 0x8c), 'ok'],
    ['a call gate of a deeper level', 0x40, (b) => b.gate(GDT + 0x40, 8, 0x4321, 0x8c), '#GP(40)', 3],
    ['an absent call gate', 0x40, (b) => b.gate(GDT + 0x40, 8, 0x4321, 0x0c), '#NP(40)'],
    ['a gate to nowhere', 0x40, (b) => b.gate(GDT + 0x40, 0, 0x4321, 0x8c), '#GP(0)'],
    ['a gate to data', 0x40, (b) => b.gate(GDT + 0x40, 0x10, 0x4321, 0x8c), '#GP(10)'],
    ['an interrupt gate', 0x40, (b) => b.gate(GDT + 0x40, 8, 0x4321, 0x8e), '#GP(40)'],
    ['an LDT', 0x40, (b) => b.descriptor(0x40, 0, 0xff, 0x82), '#GP(40)'],
    ['a busy TSS', 0x40, (b) => b.descriptor(0x40, 0, 0xff, 0x8b), '#GP(40)'],
  ]; // prettier-ignore
  for (const [name, selector, prepare, want, cpl] of rows)
    it(`${name}: ${want}`, () => {
      for (const code of [farJump(selector), farCall(selector)]) {
        const b = new Bench().protect(cpl ?? 0);
        prepare(b);
        const before = b.selectors();
        assert.equal(b.execute(code), want);
        if (want !== 'ok') assert.equal(b.selectors(), before);
        else assert.equal(b.state.selector(SEG.CS) & 3, cpl ?? 0, 'RPL of CS is CPL');
      }
    });
  it('JMP marks the code segment accessed', () => {
    const b = new Bench().protect();
    assert.equal(b.get(GDT + 8 + 5, 1), 0x9a);
    b.execute(farJump(8));
    assert.equal(b.get(GDT + 8 + 5, 1), 0x9b);
  });
  it('CALL pushes CS and EIP; far RET comes back and drops parameters', () => {
    const b = new Bench().protect();
    assert.equal(b.execute(farCall(8)), 'ok');
    assert.equal(b.selectors(), '8:1234 10:7ff8');
    assert.deepEqual(b.frame(0x7ff8, 4, 2), ['7007', '8']);
    assert.equal(b.execute('ca0400'), 'ok');
    assert.equal(b.selectors(), '8:7007 10:8004');
  });
  it('a call gate to level 0 copies parameters, and far RET n returns to level 3 and drops them on both stacks', () => {
    const b = new Bench().protect(3);
    b.gate(GDT + 0x40, 8, 0x4321, 0xec, 2);
    b.put(0x8000, 4, 0x1111);
    b.put(0x8004, 4, 0x2222);
    assert.equal(b.execute(farCall(0x43)), 'ok');
    assert.equal(b.selectors(), '8:4321 10:8fe8');
    assert.deepEqual(b.frame(0x8fe8, 4, 6), ['7007', '1b', '1111', '2222', '8000', '23']);
    assert.equal(b.state.cpl, 0);
    // A data segment that level 3 may not keep.
    b.state.setSegment(SEG.DS, { ...b.state.segment(SEG.SS) });
    assert.equal(b.execute('ca0800'), 'ok');
    assert.equal(b.selectors(), '1b:7007 23:8008');
    assert.equal(b.state.cpl, 3);
    assert.equal(b.state.selector(SEG.DS), 0);
    assert.equal(b.state.selector(SEG.ES), 0x23);
  });
  it('a 64-bit call gate: 16 bytes, null SS, quadwords', () => {
    const b = new Bench().long(3);
    b.gate(GDT + 0x40, 8, 0x4321, 0xec);
    b.put(GDT + 0x48, 8, 0);
    b.put(0x6000, 4, 0);
    b.put(0x6004, 2, 0x43);
    assert.equal(b.execute('ff1c2500600000'), 'ok');
    assert.equal(b.selectors(), '8:4321 0:8fe0');
    assert.deepEqual(b.frame(0x8fe0, 8, 4), ['7007', '3b', '8000', '23']);
    assert.equal(b.execute('48cb'), 'ok');
    assert.equal(b.selectors(), '3b:7007 23:8000');
  });
  // SDM vol. 3A 6.5: a fault restores what was. The accessed bit of the new CS is the last thing to be written.
  const unmarkable: [string, number, (b: Bench) => void, string][] = [
    ['CALL', 0, () => {}, '48ff1c2500600000'],
    ['CALL through a gate', 0, (b) => b.put(0x6008, 2, 0x40), '48ff1c2500600000'],
    ['CALL through a gate to an inner level', 3, (b) => b.put(0x6008, 2, 0x43), '48ff1c2500600000'],
    ['RET', 0, () => {}, '48cb'],
  ]; // prettier-ignore
  for (const [name, cpl, prepare, code] of unmarkable)
    it(`${name} to a descriptor that cannot be marked: #PF, nothing changes`, () => {
      const b = new Bench().long(cpl);
      b.put(0x6000, 8, 0x7100);
      b.put(0x6008, 2, 8);
      b.gate(GDT + 0x40, 8, 0x4321, 0xec);
      b.put(GDT + 0x48, 8, 0);
      b.put(0x8000, 8, 0x7100);
      b.put(0x8008, 8, 8);
      prepare(b);
      b.mapPages((page) => (page === GDT >> 12 ? 5 : 7));
      const before = b.selectors();
      assert.equal(b.execute(code), '#PF(3)');
      assert.equal(b.selectors(), before);
    });
  it('real mode: an offset beyond 64 KiB is #GP', () => {
    const b = new Bench().real();
    assert.equal(b.execute('66ea00000100 3412'), '#GP(0)');
    assert.equal(b.execute('ea3412 0020'), 'ok');
    assert.equal(b.selectors(), '2000:1234 200:100');
    assert.equal(b.state.segmentBase(SEG.CS), 0x2_0000n);
  });
});

describe('IRET', () => {
  const push = (b: Bench, ...values: number[]): void =>
    values.forEach((value, i) => b.put(b.state.gpr32(GPR.RSP) + i * 4, 4, value >>> 0));

  it('to the same level', () => {
    const b = new Bench().protect();
    push(b, 0x1234, 8, 0x3246);
    assert.equal(b.execute('cf'), 'ok');
    assert.equal(b.selectors(), '8:1234 10:800c');
    assert.equal(b.state.rflags, 0x3246);
  });
  it('to level 3: IF and IOPL come from the image because the level was 0', () => {
    const b = new Bench().protect();
    push(b, 0x1234, 0x1b, 0x3202, 0x6660, 0x23);
    assert.equal(b.execute('cf'), 'ok');
    assert.equal(b.selectors(), '1b:1234 23:6660');
    assert.equal(b.state.rflags, 0x3202);
    assert.equal(b.state.selector(SEG.DS), 0);
  });
  it('at level 3: IF and IOPL stay', () => {
    const b = new Bench().protect(3);
    b.state.rflags = 0x202;
    push(b, 0x1234, 0x1b, 0x3001);
    assert.equal(b.execute('cf'), 'ok');
    assert.equal(b.state.rflags, 0x203);
  });
  it('to virtual-8086 mode', () => {
    const b = new Bench().protect();
    push(b, 0x100, 0x1000, 0x2_3202, 0xff0, 0x2000, 0x3000, 0x4000, 0x5000, 0x6000);
    assert.equal(b.execute('cf'), 'ok');
    assert.equal(b.selectors(), '1000:100 2000:ff0');
    assert.equal(modeName(b.state), 'virtual-8086');
    assert.equal(b.state.cpl, 3);
    assert.equal(b.state.segmentBase(SEG.GS), 0x6_0000n);
  });
  const refusals: [string, number[], string][] = [
    ['null CS', [0x1234, 0, 2], '#GP(0)'],
    ['CS beyond the GDT', [0x1234, 0x108, 2], '#GP(108)'],
    ['CS is data', [0x1234, 0x10, 2], '#GP(10)'],
    ['level of CS does not match', [0x1234, 0x0b, 2, 0, 0x23], '#GP(8)'],
    ['null SS', [0x1234, 0x1b, 2, 0, 0], '#GP(0)'],
    ['SS of another level', [0x1234, 0x1b, 2, 0, 0x13], '#GP(10)'],
  ];
  for (const [name, frame, want] of refusals)
    it(`${name}: ${want}, nothing changes`, () => {
      const b = new Bench().protect();
      push(b, ...frame);
      assert.equal(b.execute('cf'), want);
      assert.equal(b.selectors(), '8:7000 10:8000');
      assert.equal(b.state.selector(SEG.DS), 0x10);
    });
  it('virtual-8086 mode with IOPL below 3: #GP(0)', () => {
    assert.equal(new Bench().virtual(2).execute('cf'), '#GP(0)');
    assert.equal(new Bench().virtual(3).execute('cf'), 'ok');
  });
  it('64-bit: SS:RSP is popped at the same level too; a null SS is for level 0 to 2', () => {
    const b = new Bench().long();
    [0x1234, 8, 0x202, 0x6660, 0].forEach((value, i) => b.put(0x8000 + i * 8, 8, value));
    assert.equal(b.execute('48cf'), 'ok');
    assert.equal(b.selectors(), '8:1234 0:6660');
    assert.equal(b.state.cpl, 0);
  });
  it('64-bit to compatibility mode', () => {
    const b = new Bench().long();
    [0x1234, 0x1b, 0x202, 0x6660, 0x23].forEach((value, i) => b.put(0x8000 + i * 8, 8, value));
    assert.equal(b.execute('48cf'), 'ok');
    assert.equal(b.selectors(), '1b:1234 23:6660');
    assert.equal(modeName(b.state), 'compatibility-32');
  });
  it('64-bit with NT: #GP(0)', () => {
    const b = new Bench().long();
    b.state.rflags = RFLAGS.NT | 2;
    assert.equal(b.execute('48cf'), '#GP(0)');
  });
});
