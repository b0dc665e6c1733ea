/** Segment registers: loads, their checks, and what asks about descriptors. */
import assert from 'node:assert/strict';
import { GPR, RFLAGS, SEG } from '../../../emulator/x86/registers';
import { Bench, GDT, TSS } from './fixture';

describe('segment registers', () => {
  const LDT_CODE = 0x40;
  /** MOV Sreg,AX with the selector, at a level. */
  const rows: [string, string, number, number, (b: Bench) => void, string][] = [
    ['DS null', '8ed8', 0, 3, () => {}, 'ok'],
    ['DS data', '8ed8', 0x23, 3, () => {}, 'ok'],
    ['DS of a deeper level', '8ed8', 0x10, 3, () => {}, '#GP(10)'],
    ['DS with a weak RPL', '8ed8', 0x13, 0, () => {}, '#GP(10)'],
    ['DS readable code', '8ed8', 0x08, 0, () => {}, 'ok'],
    ['DS execute-only code', '8ed8', LDT_CODE, 0, (b) => b.descriptor(LDT_CODE, 0, 0xffff, 0x98), '#GP(40)'],
    ['DS conforming code, any level', '8ed8', LDT_CODE, 3, (b) => b.descriptor(LDT_CODE, 0, 0xffff, 0x9e), 'ok'],
    ['DS system segment', '8ed8', 0x28, 0, () => {}, '#GP(28)'],
    ['DS absent', '8ed8', LDT_CODE, 0, (b) => b.descriptor(LDT_CODE, 0, 0xffff, 0x12), '#NP(40)'],
    ['DS beyond the GDT', '8ed8', 0x100, 0, () => {}, '#GP(100)'],
    ['DS in the LDT, without one', '8ed8', 0x44, 0, (b) => b.state.setSegment(SEG.LDTR, { selector: 0, base: 0n, limit: 0, attributes: 0x1_0000 }), '#GP(44)'],
    ['SS null', '8ed0', 0, 0, () => {}, '#GP(0)'],
    ['SS data of the level', '8ed0', 0x10, 0, () => {}, 'ok'],
    ['SS of another RPL', '8ed0', 0x13, 0, () => {}, '#GP(10)'],
    ['SS of another DPL', '8ed0', 0x20, 0, () => {}, '#GP(20)'],
    ['SS read-only', '8ed0', LDT_CODE, 0, (b) => b.descriptor(LDT_CODE, 0, 0xffff, 0x90), '#GP(40)'],
    ['SS absent', '8ed0', LDT_CODE, 0, (b) => b.descriptor(LDT_CODE, 0, 0xffff, 0x12), '#SS(40)'],
    ['CS', '8ec8', 0x08, 0, () => {}, '#UD'],
  ]; // prettier-ignore
  for (const [name, code, selector, cpl, prepare, want] of rows)
    it(`${name}: ${want}`, () => {
      const b = new Bench().protect(cpl);
      prepare(b);
      b.state.setGpr(GPR.RAX, BigInt(selector));
      assert.equal(b.execute(code), want);
    });
  it('loads base, limit with granularity, and marks accessed', () => {
    const b = new Bench().protect();
    b.descriptor(0x40, 0x12345678, 0xfff, 0x92, 0xc);
    b.state.setGpr(GPR.RAX, 0x40n);
    b.execute('8ec0');
    assert.deepEqual(b.state.segment(SEG.ES), {
      selector: 0x40,
      base: 0x12345678n,
      limit: 0xff_ffff,
      attributes: 0xc093,
    });
    assert.equal(b.get(GDT + 0x45, 1), 0x93);
  });
  it('real mode keeps the limit that protected mode left (unreal mode)', () => {
    const b = new Bench().real();
    b.state.setSegment(SEG.ES, { selector: 0, base: 0n, limit: 0xffff_ffff, attributes: 0xc093 });
    b.state.setGpr(GPR.RAX, 0x1234n);
    b.execute('8ec0');
    assert.deepEqual(b.state.segment(SEG.ES), {
      selector: 0x1234,
      base: 0x1_2340n,
      limit: 0xffff_ffff,
      attributes: 0xc093,
    });
  });
  it('MOV SS and POP SS hold interrupts back; LSS does not', () => {
    const b = new Bench().protect();
    b.state.setGpr(GPR.RAX, 0x10n);
    b.execute('8ed0');
    assert.equal(b.state.system('interruptibility'), 2n);
    b.state.setSystem('interruptibility', 0n);
    b.put(0x6000, 4, 0x9000);
    b.put(0x6004, 2, 0x10);
    assert.equal(b.execute('0fb22500600000'), 'ok');
    assert.equal(b.selectors(), '8:7009 10:9000');
    assert.equal(b.state.system('interruptibility'), 0n);
  });
  it('POP that faults leaves ESP', () => {
    const b = new Bench().protect();
    b.put(0x8000, 4, 0x100);
    assert.equal(b.execute('1f'), '#GP(100)');
    assert.equal(b.state.gpr(GPR.RSP), 0x8000n);
  });
  it('64-bit mode: a 16-byte TSS descriptor; LTR marks it busy and refuses it then', () => {
    const b = new Bench().long();
    b.put(GDT + 0x30, 8, 0xffff_8000);
    b.state.setGpr(GPR.RAX, 0x28n);
    assert.equal(b.execute('0f00d8'), 'ok');
    assert.equal(b.state.segmentBase(SEG.TR), 0xffff_8000_0000_0000n | BigInt(TSS));
    assert.equal(b.execute('0f00d8'), '#GP(28)');
  });
  it('LAR, LSL, VERR, VERW, ARPL', () => {
    const b = new Bench().protect(3);
    const ask = (code: string, selector: number): [number, boolean] => {
      b.state.setGpr(GPR.RAX, 0xdeadn);
      b.state.setGpr(GPR.RCX, BigInt(selector));
      assert.equal(b.execute(code), 'ok');
      return [b.state.gpr32(GPR.RAX), (b.state.rflags & RFLAGS.ZF) !== 0];
    };
    assert.deepEqual(ask('0f02c1', 0x23), [0x00c0_f200, true]);
    assert.deepEqual(ask('0f02c1', 0x10), [0xdead, false]);
    assert.deepEqual(ask('0f03c1', 0x1b), [0xffff_ffff, true]);
    assert.deepEqual(ask('0f03c1', 0x28), [0xdead, false]);
    assert.equal(ask('0f00e1', 0x23)[1], true);
    assert.equal(ask('0f00e9', 0x23)[1], true);
    assert.equal(ask('0f00e9', 0x1b)[1], false);
    assert.deepEqual(ask('63c8', 0x3), [0xdeaf, true]);
    assert.deepEqual(ask('63c8', 0x1), [0xdead, false]);
  });
});
