/** Of an instruction that has an operand in memory and the stack: which of both a non-canonical address belongs to (SDM vol. 1 section 3.3.7.1). */
import assert from 'node:assert/strict';
import { GPR } from '../../../emulator/x86/registers';
import { Bench, CODE } from './fixture';

const FAR = 0x8000_0000_1000n;
const NEAR = 0x8000n;

describe('non-canonical: #SS on the stack, #GP elsewhere', () => {
  const rows: [string, string, rsp: bigint, rcx: bigint, rbp: bigint, outcome: string][] = [
    ['PUSH from memory', 'ff31', FAR, NEAR, NEAR, '#SS(0)'],
    ['PUSH, its operand', 'ff31', NEAR, FAR, NEAR, '#GP(0)'],
    ['PUSH, its operand in the stack segment', 'ff7500', NEAR, NEAR, FAR, '#SS(0)'],
    ['PUSH of a register', '51', FAR, NEAR, NEAR, '#SS(0)'],
    ['CALL through memory', 'ff11', FAR, NEAR, NEAR, '#SS(0)'],
    ['CALL, its operand', 'ff11', NEAR, FAR, NEAR, '#GP(0)'],
    ['POP to memory', '8f01', FAR, NEAR, NEAR, '#SS(0)'],
    ['POP, its operand', '8f01', NEAR, FAR, NEAR, '#GP(0)'],
    ['POP, its operand in the stack segment', '8f4500', NEAR, NEAR, FAR, '#SS(0)'],
    ['RET', 'c3', FAR, NEAR, NEAR, '#SS(0)'],
  ];
  for (const [name, code, rsp, rcx, rbp, outcome] of rows)
    it(name, () => {
      const b = new Bench().long();
      b.put(Number(NEAR), 8, BigInt(CODE));
      b.state.setGpr(GPR.RSP, rsp);
      b.state.setGpr(GPR.RCX, rcx);
      b.state.setGpr(GPR.RBP, rbp);
      assert.equal(b.execute(code), outcome);
    });
});
