/** Where a guest first sees that it is not alone: the first instruction after which two runs of one image differ. */
import type { Machine, Stop } from '../../emulator/machine/api';

export interface Divergence {
  /** Instructions that both had retired before it. */
  at: number;
  text: string;
}

const SLICE = 50_000;
/** As far as runs are compared. */
const MOST = 200_000_000;
/** What a guest reads of itself. */
const SEEN = ['rip', 'rflags', 'rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi', 'rbp', 'rsp', 'r8', 'r9', 'r10', 'r11', 'r12',
  'r13', 'r14', 'r15', 'cs', 'ss', 'ds', 'es', 'fs', 'gs', 'fs.base', 'gs.base', 'cr0', 'cr2', 'cr3', 'cr4', 'efer',
  'gdtr.base', 'idtr.base', 'ldtr', 'tr'] as const; // prettier-ignore

const seen = (machine: Machine): (bigint | undefined)[] => {
  const registers = machine.inspect.registers(0);
  return SEEN.map((name) => registers.get(name));
};
const differing = (a: Machine, b: Machine): number => {
  const [left, right] = [seen(a), seen(b)];
  return left.findIndex((value, i) => value !== right[i]);
};
const ended = (stop: Stop): boolean => stop.kind !== 'limit';

/** `boot...`: a machine at its first instruction, the same at each call. Undefined: registers never differ. */
export function firstDivergence(bootExpected: () => Machine, bootOther: () => Machine): Divergence | undefined {
  let [expected, other] = [bootExpected(), bootOther()];
  let alike = 0;
  for (;;) {
    const stops = [expected.run(SLICE), other.run(SLICE)];
    if (expected.instructions !== other.instructions || differing(expected, other) >= 0) break;
    alike = expected.instructions;
    if (stops.some(ended) || alike >= MOST) return undefined;
  }
  [expected, other] = [bootExpected(), bootOther()];
  if (alike > 0) {
    expected.run(alike);
    other.run(alike);
  }
  for (let at = alike; at < alike + SLICE; at++) {
    const gva = expected.inspect.pc(0);
    const text = expected.inspect.disassemble(0, gva, 1)[0]?.text ?? '(bad)';
    expected.run(1);
    other.run(1);
    const register = differing(expected, other);
    if (register < 0) continue;
    const [left, right] = [seen(expected)[register], seen(other)[register]].map((v) => `0x${(v ?? 0n).toString(16)}`);
    return {
      at,
      text: `the first difference is after instruction ${at}, ${text} at gv:0x${gva.toString(16)}: ${SEEN[register]} is ${right} instead of ${left}`,
    };
  }
  return undefined;
}
