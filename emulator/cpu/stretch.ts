/** One entry into generated code, with what lasts for one instruction around it: interrupt shadows, RF, TF, debug registers. */
import { nextRip } from '../execution/forms';
import type { Instruction } from '../isa/instruction';
import { RFLAGS } from '../x86/registers';
import type { Cpu } from './cpu';
import { dispatchCalled, plainOf } from './dispatch';
import type { GeneratedRun } from './generated-run';
import { executionMode, linearRip } from './mode';
import { Interruption } from './ports';
import { SYSTEM_ADDRESS } from '../execution/layout';
import type { CpuState } from './state';
import type { Executor, RunUser } from './step-host';
import type { Stop } from '../machine/api';
import { ACTIVITY, somethingComes, somethingWaits } from './turns';

const { interruptibility: INTERRUPTIBILITY, activity: ACTIVITY_AT } = SYSTEM_ADDRESS;

/** Bits of `interruptibility`: blocking as in SDM vol. 3C table 25-3, and AMD's GIF when it is clear (APM vol. 2 15.17). */
export const BLOCKED_BY = { sti: 1n, movSs: 2n, nmi: 4n, gif: 8n } as const;
export const SHADOWS = BLOCKED_BY.sti | BLOCKED_BY.movSs;
const STI = Number(BLOCKED_BY.sti);
const SHADOW_BITS = Number(SHADOWS);
const liftShadow = (state: CpuState): void =>
  state.setWord(INTERRUPTIBILITY, state.word(INTERRUPTIBILITY) & ~SHADOW_BITS);

/** What `run` raised from the current processor: thrown, or kept (GeneratedRun.left). The way on is not the one that a branch took. */
export function caught(generated: GeneratedRun, run: () => void): Interruption | undefined {
  generated.keeps = true;
  try {
    run();
    return generated.left;
  } catch (thrown) {
    if (!(thrown instanceof Interruption)) throw thrown;
    generated.forgetLink();
    return thrown;
  } finally {
    generated.keeps = false;
    generated.left = undefined;
  }
}

/** As `stretch`, or what a hypervisor does instead; what came out of it is handed over. */
export function executed(generated: GeneratedRun, cpu: Cpu, budget: number, executor?: Executor): Stop | Interruption | undefined {
  if (!executor) return caught(generated, () => stretch(generated, cpu, budget));
  try {
    return executor.run(cpu, budget);
  } catch (thrown) {
    if (!(thrown instanceof Interruption)) throw thrown;
    generated.forgetLink();
    return thrown;
  }
} // prettier-ignore

/**
 * As `stretch`, and on as long as nothing has happened that concerns anybody but generated code: for who has to do much
 * before he can look. `waits`: something may be due now that a plain meaning has opened the way for.
 */
export function longStretch(generated: GeneratedRun, cpu: Cpu, budget: number, waits: () => boolean): void {
  const end = generated.retired + budget;
  for (let before = -1; generated.retired < end && generated.retired !== before;) {
    before = generated.retired;
    stretch(generated, cpu, end - before);
    if (generated.left || !generated.onItsWay || (generated.calledLast && waits())) return;
  }
}

/** At most `budget` instructions on the current processor. Throws the Interruption that came out of it, traps among them. */
export function stretch(generated: GeneratedRun, cpu: Cpu, budget: number): void {
  const { state } = cpu;
  const shadow = state.word(INTERRUPTIBILITY) & SHADOW_BITS;
  const trapFlag = (state.systemFlags & RFLAGS.TF) !== 0;
  const resumeFlag = (state.systemFlags & RFLAGS.RF) !== 0;
  let single = trapFlag || resumeFlag || cpu.debug.armed();
  if (shadow !== 0 && !single) {
    // Nothing waits that the shadow of STI could hold back, nor will before the next instruction is done.
    single = shadow !== STI || budget === 1 || somethingWaits(cpu);
    if (!single) liftShadow(state);
  }
  if (single) {
    const due = cpu.debug.checkInstruction();
    if (due) throw due;
  }
  const branch = trapFlag && cpu.debug.stepsBranches ? branchAt(generated, cpu) : undefined;
  cpu.stepTrap = undefined;
  generated.run(single ? 1 : budget);
  // A software interrupt that a filter held back.
  if (cpu.heldEvent || generated.left) return;
  // With TF newly set generated code has left at once.
  if (!single && !cpu.stepTrap) return;
  const step = branch ? branch(state.rip) : trapFlag;
  const trap = cpu.debug.afterInstruction(cpu.stepTrap ?? step, resumeFlag);
  if (shadow) liftShadow(state);
  if (trap) throw trap;
}

const CONDITIONAL = /^(j(?!mp)|loop)/;
const BRANCH = /^(j|loop|call|ret|iret|int|sys(call|ret|enter|exit)$)/;
/** Of the instruction at RIP: whether it has branched, now that RIP is there. One that would have led to the next one has not. */
function branchAt(generated: GeneratedRun, { state }: Cpu): (rip: bigint) => boolean {
  const instruction = generated.code.cache.lookup(state.rip, executionMode(state)).instructions[0];
  const { mnemonic } = instruction.row;
  if (!BRANCH.test(mnemonic)) return () => false;
  return CONDITIONAL.test(mnemonic) ? (rip) => rip !== nextRip(instruction) : () => true;
}

/**
 * The instruction at RIP, on the current processor. `insn`: it, where whoever ran the guest has it decoded already; a plain meaning
 * is called then, without looking for its place in generated code first.
 */
export function once(generated: GeneratedRun, cpu: Cpu, insn?: Instruction): void {
  const { state } = cpu;
  const special =
    (state.systemFlags & (RFLAGS.TF | RFLAGS.RF)) !== 0 || (state.word(INTERRUPTIBILITY) & SHADOW_BITS) !== 0;
  if (!insn || !plainOf(insn.row) || special || cpu.debug.armed() || cpu.onEvent) return stretch(generated, cpu, 1);
  const outcome = dispatchCalled(cpu, insn);
  if (outcome && outcome !== 'jumped') throw outcome;
  if (!outcome) state.rip = nextRip(insn);
  generated.retired++;
  generated.codeMoved();
}

/**
 * After a plain meaning that ended its block: whether generated code goes on with the next one, because nobody has to look
 * in between. The shadow of STI is over at once where nothing waits, unless somebody could see it. `left`: of the budget.
 */
export function passesOn(cpu: Cpu, user: RunUser, left: number): boolean {
  const { state } = cpu;
  if (!user.undisturbed || cpu.overseer || cpu.heldEvent || cpu.debug.armed() || somethingComes(cpu)) return false;
  if (state.systemFlags & (RFLAGS.TF | RFLAGS.RF) || state.word(ACTIVITY_AT) !== Number(ACTIVITY.active)) return false;
  const shadow = state.word(INTERRUPTIBILITY) & SHADOW_BITS;
  if (!shadow) return true;
  if (shadow !== STI || left < 1 || user.isBreakpoint(linearRip(state))) return false;
  liftShadow(state);
  return true;
}
