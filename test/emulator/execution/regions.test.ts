/** Regions under strain, as boot sectors in real mode: the state at every stop is the one that the interpreter comes to. */
import assert from 'node:assert/strict';
import { createMachine } from '../../../emulator/index';
import type { Machine, MachineConfig } from '../../../emulator/index';

const STOPS = [700, 1, 1, 333, 2, 1500, 5, 2500];

interface Row {
  name: string;
  /** At 0x7c00. */
  code: string;
  tier?: Exclude<MachineConfig['tier'], string>;
}
const rows: Row[] = [
  {
    name: 'a loop writes the operand of its next instruction',
    // mov cx,2000; L: inc byte [0x7c08]; mov al,0; add bx,ax; loop L; jmp $
    code: 'b9d007 fe06087c b000 01c3 e2f6 ebfe',
  },
  {
    name: 'a loop writes data in the 16 bytes of its code, and beside them',
    // mov cx,2000; L: inc word [0x7c30]; inc word [0x7c0e]; loop L; jmp $; data
    code: 'b9d007 ff06307c ff06107c e2f6 ebfe 0000 0000',
  },
  {
    name: 'a loop with two ways in',
    // mov cx,3000; test bl,1; jnz B; A: inc bx; dec cx; B: add ax,bx; dec cx; jg A; jmp back
    code: 'b9b80b f6c301 7502 43 49 01d8 49 7ff9 43 ebee',
  },
  {
    name: 'calls and returns',
    // mov sp,0x7000; mov cx,900; L: call F; loop L; jmp $; F: push cx; add ax,cx; pop cx; ret
    code: 'bc0070 b98403 e80400 e2fb ebfe 51 01c8 59 c3',
  },
  {
    name: 'division by zero in the middle of a region, through the real-mode vector',
    // mov word [0],0x7c20; mov word [2],0; mov sp,0x7000; L: mov ax,99; mov bl,cl; and bl,7; div bl; inc cx; jmp L; at 20: add byte... iret
    code: 'c7060000207c c70602000000 bc0070 b86300 88cb 80e307 f6f3 41 ebf4 90 4183c602 6683042402 cf',
  },
  {
    name: 'a branch out of the code segment, when it is taken, through the real-mode vector',
    // mov word [0x34],0x7c30; mov word [0x36],0; mov sp,0x7000; L: inc cx; test cl,3; je L+0x2000b; jmp L; at 30: push bp; mov bp,sp; add word [bp+2],7; pop bp; iret
    code: `c7063400307c c70636000000 bc0070 41 f6c103 660f8400000200 ebf3 ${'90'.repeat(20)} 55 89e5 83460207 5d cf`,
  },
  // mov sp,0x5fff; mov cx,900; L: push cx; push cx; pop dx; loop L; jmp $
  { name: 'a stack that crosses pages, unaligned', code: 'bcff5f b98403 51 51 5a e2fb ebfe' },
  // mov sp,0x7100; mov cx,900; L: push cx; pop dx; loop L; jmp $
  { name: 'a stack in the page of its code', code: 'bc0071 b98403 51 5a e2fc ebfe' },
  {
    name: 'code begins to run in the page of the stack',
    // mov sp,0x6100; mov byte [0x6000],0xc3; mov cx,500; L: push cx; pop dx; cmp cx,100; ja S; mov ax,0x6000; call ax; S: loop L; jmp $
    code: 'bc0061 c6060060c3 b9f401 51 5a 83f964 7705 b80060 ffd0 e2f2 ebfe',
  },
  { name: 'each module evicts the one before', code: 'b9d007 40 7501 43 e2fa b9d007 4b 7501 40 e2fa ebea', tier: { moduleBytes: 1 } },
  { name: 'regions of one block', code: 'b9d007 40 a801 7401 43 e2f8 ebf3', tier: { blocks: 1 } },
]; // prettier-ignore

function started(code: string, tier: MachineConfig['tier']): Machine {
  const sector = new Uint8Array(512);
  sector.set(Buffer.from(code.replace(/ /g, ''), 'hex'));
  sector.set([0x55, 0xaa], 510);
  const machine: Machine = createMachine({ memory: 2 << 20, cpus: 1, tier });
  machine.boot({ name: 'sector', kernel: sector });
  return machine;
}
function trace(code: string, tier: MachineConfig['tier']): string[] {
  const machine = started(code, tier);
  return STOPS.map((n) => {
    machine.run(n);
    return `${machine.instructions} ${machine.inspect.pc(0).toString(16)} ${machine.stateHash()}`;
  });
}

describe('regions', () => {
  for (const { name, code, tier } of rows)
    it(name, () => {
      const eager = { threshold: 4, batch: 1, ...tier };
      assert.deepEqual(trace(code, eager), trace(code, 'interpreter'));
    });

  // mov sp,0x6100; L: push cx; pop dx; inc cx; jmp L
  it('a watch on reads of the stack, once regions know its page', () => {
    const stops = (['interpreter', { threshold: 4, batch: 1 }] as const).map((tier) => {
      const machine = started('bc0061 51 5a 41 ebfb', tier);
      machine.run(5000);
      machine.setWatchpoints([{ id: 1, gva: 0x60fen, bytes: 2, access: 'read' }]);
      return [machine.run(5000), machine.instructions];
    });
    assert.deepEqual(stops[1], stops[0]);
    assert.equal((stops[0]![0] as { kind: string }).kind, 'watchpoint');
  });
});
