/** REP MOVS and REP STOS in 64-bit mode, in every tier, against iterations done one by one. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { GeneratedRun } from '../../../emulator/cpu/generated-run';
import * as layout from '../../../emulator/execution/layout';
import type { Tier } from '../../../emulator/execution/tier';
import { GPR, RFLAGS } from '../../../emulator/x86/registers';
import { Bench, CODE } from '../cpu/fixture';

const AREA = 0x18_0000;
const AREA_BYTES = 3 * 4096;

interface Case {
  move: boolean;
  shift: number;
  from: number;
  to: number;
  count: number;
  value: bigint;
  backwards: boolean;
  budget: number;
  /** Whether the TLB knows the pages beforehand. */
  warm: boolean;
}

const cases: fc.Arbitrary<Case> = fc.record({
  move: fc.boolean(),
  shift: fc.nat(3),
  from: fc.nat(2 * 4096),
  to: fc.oneof(fc.nat(2 * 4096), fc.integer({ min: 4000, max: 4200 })),
  count: fc.oneof(fc.nat(20), fc.nat(600)),
  value: fc.oneof(fc.bigInt(0n, 2n ** 64n - 1n), fc.constant(0n)),
  backwards: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  budget: fc.oneof(fc.integer({ min: 1, max: 50 }), fc.constant(2000)),
  warm: fc.boolean(),
});

const fillArea = (ram: Uint8Array): void => ram.forEach((_, i) => void (ram[i] = (i * 7 + (i >> 8)) & 0xff));

/** Registers and memory after as many iterations as the budget has. */
function expected({ move, shift, from, to, count, value, backwards, budget }: Case): [number, number, number, Uint8Array] {
  const ram = new Uint8Array(AREA_BYTES);
  fillArea(ram);
  const view = new DataView(ram.buffer);
  const bytes = 1 << shift;
  const step = backwards ? -bytes : bytes;
  let left = count;
  for (let i = 0; left > 0 && i < budget; i++, left--) {
    const element = move ? ram.slice(from, from + bytes) : new Uint8Array(BigUint64Array.of(value).buffer, 0, bytes);
    new Uint8Array(view.buffer).set(element, to);
    to += step;
    if (move) from += step;
  }
  return [left, from, to, ram];
} // prettier-ignore

function actual(spec: Case, tier: Tier): [number, number, number, Uint8Array] {
  const bench = new Bench().long();
  const { cpu, physical, state } = bench;
  const ram = physical.data.subarray(layout.RAM + AREA, layout.RAM + AREA + AREA_BYTES);
  fillArea(ram);
  const opcode = (spec.move ? 0xa4 : 0xaa) | (spec.shift === 0 ? 0 : 1);
  const prefix = { 0: [], 1: [0x66], 2: [], 3: [0x48] }[spec.shift]!;
  physical.data.set([...prefix.slice(0, spec.shift === 1 ? 1 : 0), 0xf3, ...(spec.shift === 3 ? prefix : []), opcode, 0xeb, 0xfe], layout.RAM + CODE); // prettier-ignore
  if (spec.warm)
    for (let page = 0; page < AREA_BYTES; page += 4096) cpu.mmu.probe(BigInt(AREA + page), 1, true, cpu.mmu.context);
  state.rip = BigInt(CODE);
  state.systemFlags = spec.backwards ? RFLAGS.DF : 0;
  state.setGpr(GPR.RCX, BigInt(spec.count));
  state.setGpr(GPR.RSI, BigInt(AREA + spec.from));
  state.setGpr(GPR.RDI, BigInt(AREA + spec.to));
  state.setGpr(GPR.RAX, spec.value);
  const user = {
    idle: 0,
    retired: 0,
    isBreakpoint: () => false,
    hasBreakpoints: false,
    stopsAt: () => false,
    undisturbed: true,
  };
  const run = new GeneratedRun(cpu, user, state.memory, tier);
  while (run.retired < spec.budget) run.run(spec.budget - run.retired);
  const offset = (register: number): number => Number(state.gpr(register)) - AREA;
  return [Number(state.gpr(GPR.RCX)), offset(GPR.RSI), offset(GPR.RDI), ram.slice()];
}

describe('bulk strings', () => {
  for (const tier of ['interpreter', { threshold: 1, batch: 1 }] as const)
    it(`do what iterations would, ${typeof tier === 'string' ? tier : 'compiler'}`, () => {
      fc.assert(
        fc.property(cases, (spec) => {
          // The area is left neither upwards nor downwards.
          fc.pre(!spec.backwards || Math.min(spec.to, spec.move ? spec.from : spec.to) >= spec.count << spec.shift);
          fc.pre(Math.max(spec.to, spec.from) + (spec.count << spec.shift) + 8 <= AREA_BYTES);

          assert.deepEqual(actual(spec, tier), expected(spec));
        }),
        { numRuns: 150 },
      );
    });
});
