/** Near branches whose target lies outside CS: they fault themselves, and nothing has changed (SDM vol. 2, Jcc, JMP, CALL, RET, LOOP). */
import assert from 'node:assert/strict';
import { GPR, RFLAGS, SEG } from '../../../emulator/x86/registers';
import { Bench } from './fixture';

const LIMIT = 0x7fff;
const OUTSIDE = LIMIT + 1;

describe('near branches', () => {
  /** At 7000h, 32-bit code. EAX and the top of the stack hold an offset outside CS, ECX is 2. */
  const rows: [name: string, code: string, outcome: string, flags?: number][] = [
    ['JMP', 'e9fb0f0000', '#GP(0)'],
    ['JMP to the last byte', 'e9fa0f0000', 'ok'],
    ['JMP to below 0', 'e90080ffff', '#GP(0)'],
    ['JMP with a 16-bit operand', '66e9fc0f', '#GP(0)'],
    ['JMP through a register', 'ffe0', '#GP(0)'],
    ['CALL', 'e8fb0f0000', '#GP(0)'],
    ['CALL through a register', 'ffd0', '#GP(0)'],
    ['RET', 'c3', '#GP(0)'],
    ['RET and arguments', 'c20800', '#GP(0)'],
    ['JE, taken', '0f84fa0f0000', '#GP(0)', RFLAGS.ZF],
    ['JE, not taken', '0f84fa0f0000', 'ok'],
  ];
  for (const [name, code, outcome, flags = 0] of rows)
    it(`${name}: ${outcome}`, () => {
      const b = new Bench().protect();
      b.state.setSegment(SEG.CS, { ...b.state.segment(SEG.CS), limit: LIMIT });
      b.cpu.modeChanged();
      b.state.rflags = RFLAGS.FIXED | flags;
      b.state.setGpr(GPR.RAX, BigInt(OUTSIDE));
      b.state.setGpr(GPR.RCX, 2n);
      b.put(0x8000, 4, OUTSIDE);
      assert.equal(b.execute(code), outcome);
      if (outcome !== 'ok') assert.equal(b.selectors(), '8:7000 10:8000');
    });

  it('LOOP: the count stays', () => {
    const b = new Bench().protect();
    b.state.setSegment(SEG.CS, { ...b.state.segment(SEG.CS), limit: 0x7005 });
    b.cpu.modeChanged();
    b.state.setGpr(GPR.RCX, 2n);
    assert.equal(b.execute('e210'), '#GP(0)');
    assert.equal(b.state.gpr(GPR.RCX), 2n);
    b.state.setGpr(GPR.RCX, 1n);
    assert.equal(b.execute('e210'), 'ok');
    assert.equal(b.state.gpr(GPR.RCX), 0n);
  });
  it('real mode: a 32-bit operand leads out of the segment', () => {
    const b = new Bench().real();
    assert.equal(b.execute('66e900000100'), '#GP(0)');
    assert.equal(b.selectors(), '100:0 200:100');
  });
});
