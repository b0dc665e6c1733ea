/** Code as the current processor would fetch it: what the code cache decodes. */
import type { CodeSource } from '../execution/code-cache';
import type { PhysicalMemory } from '../mmu/physical-memory';
import { SEG } from '../x86/registers';
import type { Cpu } from './cpu';
import { executionMode } from './mode';

/** CS in 64-bit mode: neither base nor limit. */
const WHOLE_SPACE = { base: 0n, limit: (1n << 64n) - 1n };

/** `host`: the memory that holds the code; `cpu`: whose turn it is. */
export const codeSource = (
  host: PhysicalMemory,
  cpu: () => Cpu,
  { isBreakpoint, hasBreakpoints }: Pick<CodeSource, 'isBreakpoint' | 'hasBreakpoints'>,
  redirect: NonNullable<CodeSource['redirect']>,
): CodeSource => ({
  physical: host,
  fetch: (gva) => {
    const { mmu } = cpu();
    const gpa = mmu.fetch(gva);
    return mmu.physical === host ? gpa : mmu.physical.hpa(gpa);
  },
  isGlobal: (gva) => cpu().mmu.tlb.isGlobalCode(Number(BigInt.asIntN(32, gva))),
  codeSegment: () => {
    const { state } = cpu();
    if (executionMode(state).codeSize === 64) return WHOLE_SPACE;
    const { base, limit } = state.segment(SEG.CS);
    return { base, limit: BigInt(limit) };
  },
  isBreakpoint,
  hasBreakpoints,
  redirect,
  hasFeature: (name) => cpu().has(name),
});
