/**
 * What user mode cannot try on the host: the checks that every SSE and MMX instruction makes before it does anything.
 * SDM vol. 3A tables 13-1 and 14-1. Each row in a form of its own, from the generator of the differential test.
 */
import assert from 'node:assert/strict';
import * as layout from '../../../emulator/execution/layout';
import type { Row } from '../../../emulator/isa/instruction';
import { ROWS } from '../../../emulator/isa/opcodes';
import { CR0, CR4, VECTOR, vectorName } from '../../../emulator/x86/registers';
import { Generator } from '../../differential/generate';
import type { Generated } from '../../differential/generate';
import { Random } from '../../differential/random';
import { Ringside } from '../../differential/ringside';

const STACK_TOP = 0x10001f80n;
const ours = new Ringside();
const { state } = ours.cpu;
const cr0 = state.system('cr0');
const cr4 = state.system('cr4');

const usesMmx = (row: Row): boolean => row.mnemonic === 'emms' || /[PQN]/.test(row.operands);
const usesXmm = (row: Row): boolean => /[VWU]/.test(row.operands) || /mxcsr$/.test(row.mnemonic);
const fromMemory = (code: Uint8Array): boolean => code[code.indexOf(0x0f) + 2] < 0xc0;
/** From memory CVTPI2PS and CVTPI2PD touch no MMX register. */
const touchesMmx = ({ row, case: c }: Generated): boolean =>
  usesMmx(row) && !(/^cvtpi2/.test(row.mnemonic) && fromMemory(c.code));

const vectorRows = ROWS.filter(
  (row) => /^s?s?sse\d?$|^mmx$/.test(row.attributes.feature ?? '') && !/^f(isttp)/.test(row.mnemonic),
);
const cases = [...new Generator(vectorRows, new Random(1)).cases(64, 3)];

/** Executes a case with plain floating-point state; `pending`: an x87 exception waits. */
function vectorOf({ case: c }: Generated, setCr0: bigint, setCr4: bigint, pending = false): number {
  state.setSystem('cr0', setCr0);
  state.setSystem('cr4', setCr4);
  const fx = new Uint8Array(512);
  const view = new DataView(fx.buffer);
  view.setUint16(0, pending ? 0x37e : 0x37f, true);
  view.setUint16(2, pending ? 0x8081 : 0, true);
  view.setUint32(24, 0x1f80, true);
  const gprs = c.gprs.slice();
  gprs[4] ||= STACK_TOP;
  const [result] = ours.run([{ ...c, gprs, fx }]);
  state.setSystem('cr0', cr0);
  state.setSystem('cr4', cr4);
  return result.vector;
}

/** Fails with all rows that answered otherwise. */
function check(chosen: readonly Generated[], setCr0: bigint, setCr4: bigint, expected: number, pending = false): void {
  assert.ok(chosen.length > 50, `only ${chosen.length} cases`);
  const wrong = new Set<string>();
  for (const g of chosen) {
    const vector = vectorOf(g, setCr0, setCr4, pending);
    if (vector !== expected)
      wrong.add(`${g.row.mnemonic} ${g.row.opcode}: ${vector < 0 ? 'no fault' : vectorName(vector)}`);
  }
  assert.deepEqual([...wrong], []);
}

describe('SSE and MMX look at the control registers first', () => {
  const xmm = cases.filter((g) => usesXmm(g.row));
  const either = cases.filter((g) => usesXmm(g.row) || usesMmx(g.row));
  const mmxOnly = cases.filter((g) => usesMmx(g.row) && !usesXmm(g.row));
  const [em, ts] = [BigInt(CR0.EM), BigInt(CR0.TS)];

  it('CR0.EM: #UD, before #NM', () => check(either, cr0 | em | ts, cr4, VECTOR.UD));
  it('CR0.TS: #NM', () => check(either, cr0 | ts, cr4, VECTOR.NM));
  it('CR4.OSFXSR clear: #UD for XMM registers, before #NM', () => check(xmm, cr0 | ts, cr4 & ~BigInt(CR4.OSFXSR), VECTOR.UD));
  it('CR4.OSFXSR clear: nothing to MMX', () => check(mmxOnly, cr0 | ts, cr4 & ~BigInt(CR4.OSFXSR), VECTOR.NM));
  it('a pending x87 exception: #MF for MMX registers', () =>
    check(cases.filter(touchesMmx), cr0 | BigInt(CR0.NE), cr4, VECTOR.MF, true));
  it('a pending x87 exception: nothing to XMM registers', () => {
    const wrong = xmm.filter((g) => !touchesMmx(g) && vectorOf(g, cr0 | BigInt(CR0.NE), cr4, true) === VECTOR.MF);
    assert.deepEqual(wrong.map((g) => g.row.mnemonic), []);
  });
  it('an unmasked exception without CR4.OSXMMEXCPT: #UD', () => {
    // DIVPS xmm0, xmm1 of 0 by 0 with all exceptions unmasked.
    const code = Uint8Array.from([0x0f, 0x5e, 0xc1]);
    const fx = new Uint8Array(512);
    const one = { ...cases[0].case, code, atPageEnd: false, fx, upper: new Uint8Array(256) };
    const vectorWith = (value: bigint): number => {
      state.setSystem('cr4', value);
      const [result] = ours.run([one]);
      state.setSystem('cr4', cr4);
      return result.vector;
    };
    assert.equal(vectorWith(cr4 | BigInt(CR4.OSXMMEXCPT)), VECTOR.XM);
    assert.equal(vectorWith(cr4 & ~BigInt(CR4.OSXMMEXCPT)), VECTOR.UD);
    assert.equal(state.view.getUint32(layout.MXCSR, true), 1);
  });
}); // prettier-ignore
