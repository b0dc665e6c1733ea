/** PHYSDEVOP_set_iopl and set_iobitmap (physdev.h): which ports a paravirtualised guest's kernel and its programs may use. */
import assert from 'node:assert/strict';
import { ATTRIBUTE } from '../../../../emulator/cpu/state';
import { mayUsePort } from '../../../../emulator/hypervisor/xen/port-rights';
import { GPR, SEG } from '../../../../emulator/x86/registers';
import { pvGuests } from './pv-guest';
import type { PvGuest, Word } from './pv-guest';

const PHYSDEV_OP = 33;
const [SET_IOPL, SET_IOBITMAP] = [6, 7];
const EINVAL = -22n;
const NOWHERE = 0x6000_0000n;

const inProgram = ({ domain, cpu }: PvGuest): void => {
  const [vcpu] = domain.vcpuStates;
  if (domain.word === 8) {
    // The same tables do for both, so that its code is there.
    domain.pages.getAs(vcpu!.kernelRoot, domain.pages.usedAs(vcpu!.kernelRoot));
    vcpu!.userRoot = vcpu!.kernelRoot;
    vcpu!.inKernel = false;
    return;
  }
  for (const segment of [SEG.CS, SEG.SS]) {
    const { attributes, ...rest } = cpu.state.segment(segment);
    cpu.state.setSegment(segment, { ...rest, selector: rest.selector | 3, attributes: attributes | ATTRIBUTE.DPL });
  }
};
function setBitmap({ call, caller, scratch, domain: { word } }: PvGuest, bitmap: bigint, ports: number): bigint | undefined {
  if (word === 8) caller.write64(scratch(0), bitmap);
  else caller.write(scratch(0), 4, Number(bitmap));
  caller.write(scratch(0) + BigInt(word), 4, ports);
  return call(PHYSDEV_OP, SET_IOBITMAP, scratch(0)).result;
} // prettier-ignore

for (const word of [8, 4] as const satisfies readonly Word[])
  describe(`ports of a paravirtualised guest, ${word * 8}-bit`, () => {
    type Row = [what: string, who: 'kernel' | 'program', iopl: number, ports: number, port: number, bytes: number, may: boolean]; // prettier-ignore
    // Ports 0x60 and 0x64 to 0x6b are open in the bitmap, as far as it goes.
    const rows: Row[] = [
      ['has asked for nothing', 'kernel', 0, 0, 0x60, 1, false],
      ['has asked for its level', 'kernel', 1, 0, 0x60, 1, true],
      ['has its kernel’s level', 'program', 1, 0, 0x60, 1, false],
      ['has its own level', 'program', 3, 0, 0x60, 1, true],
      ['has a bit that is clear', 'program', 0, 0x1_0000, 0x60, 1, true],
      ['has one bit of two', 'program', 0, 0x1_0000, 0x60, 2, false],
      ['has four bits in two bytes', 'program', 0, 0x1_0000, 0x66, 4, true],
      ['has three bits in two bytes', 'program', 0, 0x1_0000, 0x69, 4, false],
      ['has a bit that is set', 'program', 0, 0x1_0000, 0x62, 1, false],
      ['asks beyond the last port of it', 'program', 0, 0x60, 0x60, 1, false],
      ['asks up to the last port of it', 'program', 0, 0x61, 0x60, 1, true],
      ['has the bitmap for its programs', 'kernel', 0, 0x1_0000, 0x60, 1, true],
    ];
    for (const [what, who, iopl, ports, port, bytes, may] of rows)
      it(`a ${who} that ${what} ${may ? 'uses' : 'is refused'} port 0x${port.toString(16)}, ${bytes} byte${bytes > 1 ? 's' : ''}`, () => {
        const [guest] = pvGuests([word]).guests as [PvGuest];
        const { caller, scratch, call, domain, cpu } = guest;
        caller.writeBytes(scratch(2), new Uint8Array(8192).fill(0xff));
        caller.writeBytes(scratch(2) + 0xcn, Uint8Array.of(0x0e, 0xf0));
        caller.write(scratch(0), 4, iopl);
        assert.equal(call(PHYSDEV_OP, SET_IOPL, scratch(0)).result, 0n);
        assert.equal(setBitmap(guest, scratch(2), ports), 0n);
        const root = domain.vcpuStates[0]!.kernelRoot;
        if (who === 'program') inProgram(guest);
        const before = cpu.state.system('cr3');
        assert.equal(mayUsePort(domain, cpu, port, bytes), may);
        assert.equal(cpu.state.system('cr3'), before);
        assert.equal(domain.vcpuStates[0]!.kernelRoot, root);
      });

    it('a bitmap that cannot be read allows nothing', () => {
      const [guest] = pvGuests([word]).guests as [PvGuest];
      assert.equal(setBitmap(guest, NOWHERE, 0x1_0000), 0n);
      inProgram(guest);
      assert.equal(mayUsePort(guest.domain, guest.cpu, 0x60, 1), false);
    });
    const REFUSED: [what: string, bitmap: bigint, ports: number][] = [
      ['of more ports than there are', 0x1000n, 0x1_0001],
      ['in the hypervisor', word === 8 ? 0xffff_8000_0000_0000n : 0xf580_0000n, 1],
      ['that reaches into the hypervisor', word === 8 ? 0xffff_7fff_ffff_f000n : 0xf57f_f000n, 1],
    ];
    for (const [what, bitmap, ports] of REFUSED)
      it(`a bitmap ${what} is refused`, () => {
        const [guest] = pvGuests([word]).guests as [PvGuest];
        assert.equal(setBitmap(guest, bitmap, ports), EINVAL);
      });
  });

describe('IN of a program', () => {
  const IN_60 = [0xe4, 0x60, 0xeb, 0xfe];
  for (const may of [true, false])
    it(may ? 'finds an empty bus where the bitmap lets it' : 'is its kernel’s to hear of where it does not', () => {
      const [guest] = pvGuests([8], { code: IN_60 }).guests as [PvGuest];
      const { machine, cpu, caller, scratch } = guest;
      caller.writeBytes(scratch(2), new Uint8Array(8192).fill(may ? 0 : 0xff));
      assert.equal(setBitmap(guest, scratch(2), 0x1_0000), 0n);
      inProgram(guest);
      cpu.state.setGpr(GPR.RAX, 0n);
      const { rip } = cpu.state;
      const stop = machine.run(1);
      // Its kernel has registered no handler of #GP.
      if (!may) return assert.deepEqual([stop.kind, cpu.state.rip], ['crash', rip]);
      assert.deepEqual([stop.kind, cpu.state.rip, cpu.state.gpr(GPR.RAX)], ['limit', rip + 2n, 0xffn]);
    });
});
