/** XSAVE and its relatives against SDM vol. 1 chapter 13. */
import assert from 'node:assert/strict';
import * as layout from '../../../emulator/execution/layout';
import { CR4, GPR } from '../../../emulator/x86/registers';
import { Bench } from '../cpu/fixture';

const AREA = 0x6000;
const HEADER = AREA + 512;
const CODE = {
  xsave: '0fae23',
  xsaveopt: '0fae33',
  xrstor: '0fae2b',
  xsavec: '0fc723',
  xsaves: '0fc72b',
  xrstors: '0fc71b',
};
/** XCOMP_BV in two halves. */
const STANDARD = ['0', '0'];
const COMPACTED = ['7', '80000000'];
const X87 = 1;
const SSE = 2;
const AVX = 4;

/** 64-bit code with OSXSAVE on, RBX at the area, EDX:EAX all ones; the area is filled with AAh. */
function bench(xcr0 = 7, cpl = 0): Bench {
  const b = new Bench().long(cpl);
  b.state.setSystem('cr4', b.state.system('cr4') | BigInt(CR4.OSXSAVE | CR4.OSFXSR));
  b.state.setSystem('xcr0', BigInt(xcr0));
  b.state.setGpr(GPR.RBX, BigInt(AREA));
  b.state.setGpr(GPR.RAX, 0xffff_ffffn);
  b.state.setGpr(GPR.RDX, 0xffff_ffffn);
  b.physical.data.fill(0xaa, layout.RAM + AREA, layout.RAM + AREA + 1024);
  b.physical.data.fill(0, layout.RAM + HEADER, layout.RAM + HEADER + 64);
  initial(b);
  return b;
}
/** Every component in its initial configuration. */
function initial(b: Bench): void {
  b.state.bytes.fill(0, layout.X87, layout.X87_FDS + 2);
  b.state.view.setUint16(layout.X87_CONTROL, 0x37f, true);
  b.state.view.setUint32(layout.MXCSR, 0x1f80, true);
  for (let i = 0; i < 16; i++) b.state.setVector(i, 0n, 32);
}
function fillRegisters(b: Bench): void {
  for (let i = 0; i < 16; i++) b.state.setVector(i, (BigInt(0x100 + i) << 128n) | BigInt(i + 1), 32);
  b.state.view.setUint16(layout.X87_CONTROL, 0x27f, true);
}

describe('XSAVE', () => {
  const saves: [name: keyof typeof CODE, used: boolean, bv: number, xcomp: string[], xmm1: number, ymm1: number][] = [
    ['xsave', true, 7, STANDARD, 2, 0x101],
    ['xsaveopt', true, 7, STANDARD, 2, 0x101],
    ['xsavec', true, 7, COMPACTED, 2, 0x101],
    ['xsaves', true, 7, COMPACTED, 2, 0x101],
    // Not in use: XSAVE writes zeros, the others leave memory alone.
    ['xsave', false, 0, STANDARD, 0, 0],
    ['xsaveopt', false, 0, STANDARD, 0xaaaa, 0xaaaa],
    ['xsavec', false, 0, COMPACTED, 0xaaaa, 0xaaaa],
  ];
  for (const [name, used, bv, xcomp, xmm1, ymm1] of saves)
    it(`${name}, registers ${used ? 'in use' : 'initial'}`, () => {
      const b = bench();
      if (used) fillRegisters(b);
      assert.equal(b.execute(CODE[name]), 'ok');
      assert.equal(b.get(HEADER, 8), bv);
      assert.deepEqual(b.frame(HEADER + 8, 4, 2), xcomp);
      assert.equal(b.get(AREA + 160 + 16, 2), xmm1);
      assert.equal(b.get(AREA + 576 + 16, 2), ymm1);
    });

  it('saves what EDX:EAX and XCR0 both name, and keeps the other bits of XSTATE_BV', () => {
    const b = bench(X87 | SSE);
    fillRegisters(b);
    b.put(HEADER, 8, AVX | X87);
    b.state.setGpr(GPR.RAX, BigInt(SSE | AVX));
    assert.equal(b.execute(CODE.xsave), 'ok');
    assert.equal(b.get(HEADER, 8), AVX | X87 | SSE);
    assert.equal(b.get(AREA, 2), 0xaaaa, 'x87 was not asked for');
    assert.equal(b.get(AREA + 576, 2), 0xaaaa, 'AVX is not enabled');
  });
  it('writes MXCSR for AVX alone', () => {
    const b = bench();
    b.state.view.setUint32(layout.MXCSR, 0x1fa0, true);
    b.state.setGpr(GPR.RAX, BigInt(AVX));
    assert.equal(b.execute(CODE.xsave), 'ok');
    assert.equal(b.get(AREA + 24, 4), 0x1fa0);
  });
  it('a changed MXCSR alone makes XSAVEC save SSE', () => {
    const b = bench();
    b.state.view.setUint32(layout.MXCSR, 0x1fa0, true);
    assert.equal(b.execute(CODE.xsavec), 'ok');
    assert.equal(b.get(HEADER, 8), SSE);
    assert.equal(b.get(AREA + 24, 4), 0x1fa0);
  });
  it('outside 64-bit mode: eight registers', () => {
    const b = new Bench().protect();
    b.state.setSystem('cr4', BigInt(CR4.OSXSAVE | CR4.OSFXSR));
    b.state.setSystem('xcr0', 7n);
    b.state.setGpr(GPR.RBX, BigInt(AREA));
    b.state.setGpr(GPR.RAX, 7n);
    for (let i = 0; i < 16; i++) b.state.setVector(i, 5n, 32);
    assert.equal(b.execute(CODE.xsave), 'ok');
    assert.deepEqual([b.get(AREA + 160 + 7 * 16, 1), b.get(AREA + 160 + 8 * 16, 1)], [5, 0]);
  });
});

describe('XRSTOR', () => {
  for (const [save, restore] of [['xsave', 'xrstor'], ['xsaveopt', 'xrstor'], ['xsavec', 'xrstor'], ['xsaves', 'xrstors']] as const)
    it(`${restore} brings back what ${save} saved`, () => {
      const b = bench();
      fillRegisters(b);
      b.state.view.setUint32(layout.MXCSR, 0x1fa0, true);
      const before = b.state.bytes.slice(layout.X87, layout.STATE_END);
      assert.equal(b.execute(CODE[save]), 'ok');
      initial(b);
      b.state.setVector(3, 77n, 32);
      assert.equal(b.execute(CODE[restore]), 'ok');
      assert.deepEqual(b.state.bytes.slice(layout.X87, layout.STATE_END), before);
    }); // prettier-ignore

  it('initializes what XSTATE_BV does not have, and leaves what was not asked for', () => {
    const b = bench();
    fillRegisters(b);
    b.put(AREA + 24, 4, 0x1f80);
    b.state.setGpr(GPR.RAX, BigInt(X87 | SSE));
    assert.equal(b.execute(CODE.xrstor), 'ok');
    assert.equal(b.state.vector(1), 0n);
    assert.equal(b.state.vector(1, 32) >> 128n, 0x101n);
    assert.equal(b.state.view.getUint16(layout.X87_CONTROL, true), 0x37f);
  });

  /** What is wrong with the area, or with who asks. */
  const faults: [string, keyof typeof CODE, (b: Bench) => void, string][] = [
    ['not aligned to 64', 'xsave', (b) => b.state.setGpr(GPR.RBX, BigInt(AREA + 32)), '#GP(0)'],
    ['CR4.OSXSAVE clear', 'xsave', (b) => b.state.setSystem('cr4', b.state.system('cr4') & ~BigInt(CR4.OSXSAVE)), '#UD'],
    ['CR0.TS set', 'xrstor', (b) => b.state.setSystem('cr0', b.state.system('cr0') | 8n), '#NM'],
    ['XSTATE_BV beyond XCR0', 'xrstor', (b) => b.put(HEADER, 8, 8), '#GP(0)'],
    ['header bytes 15:8 not zero', 'xrstor', (b) => b.put(HEADER + 8, 8, 1), '#GP(0)'],
    ['header bytes 23:16 not zero', 'xrstor', (b) => b.put(HEADER + 16, 8, 1), '#GP(0)'],
    ['compacted: XSTATE_BV beyond XCOMP_BV', 'xrstor', (b) => (b.put(HEADER, 8, 4), b.put(HEADER + 8, 8, (1n << 63n) | 3n)), '#GP(0)'],
    ['compacted: XCOMP_BV beyond XCR0', 'xrstor', (b) => b.put(HEADER + 8, 8, (1n << 63n) | 8n), '#GP(0)'],
    ['compacted: last header byte not zero', 'xrstor', (b) => (b.put(HEADER + 8, 8, (1n << 63n) | 7n), b.put(HEADER + 63, 1, 1)), '#GP(0)'],
    ['reserved bit of MXCSR', 'xrstor', (b) => (b.put(HEADER, 8, 2), b.put(AREA + 24, 4, 0x1_0000)), '#GP(0)'],
    ['XRSTORS of the standard form', 'xrstors', () => {}, '#GP(0)'],
  ]; // prettier-ignore
  for (const [why, name, prepare, want] of faults)
    it(`${name}, ${why}: ${want}`, () => {
      const b = bench();
      b.put(AREA + 24, 4, 0x1f80);
      prepare(b);
      assert.equal(b.execute(CODE[name]), want);
    });
});

describe('XSETBV, XGETBV', () => {
  const has = new Bench().cpu.has('avx');
  const rows: [number, bigint, string][] = [
    [0, 1n, 'ok'], [0, 3n, 'ok'], [0, 2n, '#GP(0)'], [0, 0n, '#GP(0)'], [0, 8n, '#GP(0)'], [1, 3n, '#GP(0)'],
    [0, 5n, '#GP(0)'], [0, 7n, has ? 'ok' : '#GP(0)'], [0, (1n << 32n) | 3n, '#GP(0)'],
  ]; // prettier-ignore
  for (const [index, value, want] of rows)
    it(`XCR${index} = ${value}: ${want}`, () => {
      const b = bench(1);
      b.state.setGpr(GPR.RCX, BigInt(index));
      b.state.setGpr(GPR.RAX, value & 0xffff_ffffn);
      b.state.setGpr(GPR.RDX, value >> 32n);
      assert.equal(b.execute('0f01d1'), want);
      assert.equal(b.state.system('xcr0'), want === 'ok' ? value : 1n);
    });
  it('XGETBV 1 is what is in use', () => {
    const b = bench();
    b.state.setVector(2, 1n << 130n, 32);
    b.state.setGpr(GPR.RCX, 1n);
    assert.equal(b.execute('0f01d0'), 'ok');
    assert.equal(b.state.gpr(GPR.RAX), BigInt(AVX));
  });
});
