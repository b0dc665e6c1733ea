/** IRETQ and moves from segment registers have two meanings each, emitted and plain: they do the same, and the frequent cases are emitted. */
import assert from 'node:assert/strict';
import { GPR, RFLAGS, SEG } from '../../../emulator/x86/registers';
import { Bench, GDT } from './fixture';

const STACK = 0x8000;
const IRETQ = '48cf';
const { CF, ZF, OF, IF, TF, NT, RF, AC, ID, IOPL, DF, FIXED } = RFLAGS;

interface Frame {
  rip?: bigint;
  cs?: number;
  flags?: number;
  rsp?: bigint;
  ss?: number;
}
type Prepare = (b: Bench) => void;

function bench(frame: Frame, prepare: Prepare): Bench {
  const b = new Bench().long();
  // As a load of them leaves them; the fixture's own limits are not those of its descriptors.
  b.descriptor(0x08, 0, 0xf_ffff, 0x9b, 0xa);
  b.descriptor(0x10, 0, 0xf_ffff, 0x93, 0xc);
  b.state.setSegment(SEG.CS, { selector: 8, base: 0n, limit: 0xffff_ffff, attributes: 0xa09b });
  b.state.setSegment(SEG.SS, { selector: 0x10, base: 0n, limit: 0xffff_ffff, attributes: 0xc093 });
  const { rip = 0x7100n, cs = 8, flags = FIXED | IF, rsp = 0x8800n, ss = 0x10 } = frame;
  [rip, cs, flags, rsp, ss].forEach((value, i) => b.put(STACK + 8 * i, 8, BigInt(value)));
  b.state.setGpr(GPR.RSP, BigInt(STACK));
  b.state.rflags = FIXED | IF;
  prepare(b);
  return b;
}

/** All that the instruction can reach. */
function seen(b: Bench, outcome: string): object {
  const { state } = b;
  return {
    outcome, rip: state.rip, rflags: state.rflags, gprs: Array.from({ length: 16 }, (_, i) => state.gpr(i)), cr2: state.system('cr2'),
    blocked: state.system('interruptibility'), segments: [0, 1, 2, 3, 4, 5].map((index) => state.segment(index)),
    gdt: b.frame(GDT, 8, 8), data: b.frame(0x6000, 8, 2),
  }; // prettier-ignore
}

describe('IRETQ, emitted and plain', () => {
  const nothing: Prepare = () => {};
  const nullStack: Prepare = (b) =>
    b.state.setSegment(SEG.SS, { selector: 0, base: 0n, limit: 0, attributes: 0x1_0000 });
  const rows: [string, 'emitted' | 'plain', Frame, Prepare?][] = [
    ['to the same segments', 'emitted', {}],
    ['other arithmetic flags', 'emitted', { flags: FIXED | IF | CF | ZF | OF }],
    ['CS limit in bytes', 'emitted', {}, (b) => {
      b.descriptor(0x08, 0, 0x1234, 0x9b, 0x2);
      b.state.setSegment(SEG.CS, { selector: 8, base: 0n, limit: 0x1234, attributes: 0x209b });
    }],
    ['null SS, as after an interrupt', 'emitted', { ss: 0 }, nullStack],
    ['null SS instead of a segment', 'plain', { ss: 0 }],
    ['a segment instead of null', 'plain', {}, nullStack],
    ['null SS with an RPL', 'plain', { ss: 3 }, nullStack],
    ['null CS', 'plain', { cs: 0 }],
    ['another CS', 'plain', { cs: 0x38 | 3, ss: 0x20 | 3 }],
    ['another SS', 'plain', { ss: 0x40 }, (b) => b.descriptor(0x40, 0, 0xf_ffff, 0x93, 0xc)],
    ['IF set', 'plain', {}, (b) => void (b.state.rflags = FIXED)],
    ['IF cleared', 'plain', { flags: FIXED }],
    ['DF set', 'plain', { flags: FIXED | IF | DF }],
    ['IOPL set', 'plain', { flags: FIXED | IF | IOPL }],
    ['ID set', 'plain', { flags: FIXED | IF | ID }],
    ['TF set', 'plain', { flags: FIXED | IF | TF }],
    ['RF set', 'plain', { flags: FIXED | IF | RF }],
    ['NT in force', 'plain', {}, (b) => void (b.state.rflags = FIXED | IF | NT)],
    ['AC in force', 'plain', { flags: FIXED | IF | AC }, (b) => void (b.state.rflags = FIXED | IF | AC)],
    ['NMIs blocked', 'plain', {}, (b) => b.state.setSystem('interruptibility', 4n)],
    ['RIP not canonical', 'plain', { rip: 0x8000_0000_0000n }],
    ['RIP not canonical, below', 'plain', { rip: -0x8000_0000_0001n }],
    ['RSP not canonical', 'emitted', { rsp: 0x8000_0000_0000n }],
    ['CS not accessed', 'plain', {}, (b) => b.descriptor(0x08, 0, 0xf_ffff, 0x9a, 0xa)],
    ['CS not present', 'plain', {}, (b) => b.descriptor(0x08, 0, 0xf_ffff, 0x1b, 0xa)],
    ['CS with another limit', 'plain', {}, (b) => b.descriptor(0x08, 0, 0xf_fffe, 0x9b, 0xa)],
    ['CS with another base', 'plain', {}, (b) => b.descriptor(0x08, 0x1200_3400, 0xf_ffff, 0x9b, 0xa)],
    ['SS not writable', 'plain', {}, (b) => b.descriptor(0x10, 0, 0xf_ffff, 0x91, 0xc)],
    ['CS beyond the GDT', 'plain', {}, (b) => b.state.setSystem('gdtr.limit', 0xen)],
    ['SS beyond the GDT', 'plain', {}, (b) => b.state.setSystem('gdtr.limit', 0x16n)],
    ['a GDT that is not there', 'emitted', {}, (b) => b.state.setSystem('gdtr.base', 0x7000_0000n)],
    ['a stack that is not there', 'emitted', {}, (b) => b.state.setGpr(GPR.RSP, 0x7000_0000n)],
    ['the end of a stack that is not there', 'emitted', {}, (b) => {
      b.state.setGpr(GPR.RSP, 0x1f_ffe8n);
      [0x7100, 8, FIXED | IF].forEach((value, i) => b.put(0x1f_ffe8 + 8 * i, 8, value));
    }],
  ]; // prettier-ignore
  for (const [name, way, frame, prepare = nothing] of rows)
    it(`${name}: ${way}`, () => {
      const emitted = bench(frame, prepare);
      const { cpu } = emitted;
      const plain = cpu.interruptReturn.bind(cpu);
      let asked = false;
      cpu.interruptReturn = (...operands) => {
        asked = true;
        plain(...operands);
      };
      const got = seen(emitted, emitted.execute(IRETQ));
      const other = bench(frame, prepare);
      assert.deepEqual(got, seen(other, other.execute(IRETQ, true)));
      assert.equal(asked ? 'plain' : 'emitted', way);
    });
});

describe('MOV from a segment register, emitted and plain', () => {
  for (const [name, code] of [
    ['CX', '668cd1'],
    ['ECX', '8cd1'],
    ['RCX', '488cd9'],
    ['memory gets 16 bits', '8c0c2500600000'],
    ['also with REX.W', '488c142500600000'],
    ['R9, from FS', '498ce1'],
  ] as const)
    it(name, () => {
      const [emitted, plain] = [false, true].map((plainly) => {
        const b = bench({}, () => {});
        b.state.setSegment(SEG.FS, { ...b.state.segment(SEG.DS), selector: 0x7653 });
        b.state.setGpr(GPR.RCX, 0x1122_3344_5566_7788n);
        b.put(0x6000, 8, 0x1122_3344_5566_7788n);
        return seen(b, b.execute(code, plainly));
      });
      assert.deepEqual(emitted, plain);
    });
});
