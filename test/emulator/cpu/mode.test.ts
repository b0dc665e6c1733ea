import assert from 'node:assert/strict';
import { describeModeKey, FAMILY, KIND, modeKey, modeName } from '../../../emulator/cpu/mode';
import { SEG } from '../../../emulator/x86/registers';
import { Bench } from './fixture';

describe('execution mode', () => {
  const compatibility = (): Bench => {
    const b = new Bench().long();
    b.state.setSegment(SEG.CS, { ...b.state.segment(SEG.CS), attributes: 0xc09b });
    return b;
  };
  const based = (): Bench => {
    const b = new Bench().protect();
    b.state.setSegment(SEG.DS, { ...b.state.segment(SEG.DS), base: 0x1000n });
    return b;
  };
  const rows: [string, () => Bench, string, number, number, number, number][] = [
    ['reset', () => new Bench(), 'real', 16, 16, KIND.general, FAMILY.real],
    ['virtual-8086', () => new Bench().virtual(), 'virtual-8086', 16, 16, KIND.general, FAMILY.virtual8086],
    ['flat', () => new Bench().protect(), 'protected-32', 32, 32, KIND.flat32, FAMILY.protected],
    ['DS with a base', based, 'protected-32', 32, 32, KIND.general, FAMILY.protected],
    ['64-bit', () => new Bench().long(), 'long', 64, 64, KIND.flat64, FAMILY.ia32e],
    ['compatibility', compatibility, 'compatibility-32', 32, 32, KIND.flat32, FAMILY.ia32e],
  ];
  for (const [name, make, text, codeSize, stackSize, kind, family] of rows)
    it(name, () => {
      const { state } = make();
      assert.equal(modeName(state), text);
      assert.deepEqual(describeModeKey(modeKey(state)), { codeSize, stackSize, kind, family });
    });
  it('power-up leaves the processor at FFFF:FFF0', () => {
    const { state } = new Bench();
    assert.equal(state.segmentBase(SEG.CS) + state.rip, 0xffff_fff0n);
    assert.equal(state.cpl, 0);
    assert.equal(state.rflags, 2);
  });
});
