/**
 * What the software techniques have in common: the guest's kernel runs in ring 1 and its programs in ring 3, under shadow
 * paging, with its registers on the physical processor. Whatever traps is executed on the virtual processor.
 */
import type { Cpu } from '../../cpu/cpu';
import { deliver } from '../../cpu/events';
import type { Delivery } from '../../cpu/events';
import type { PendingEvent } from '../../cpu/exit-cause';
import { linearRip } from '../../cpu/mode';
import { GuestExit, GuestFault } from '../../cpu/ports';
import type { Interruption, Overseer } from '../../cpu/ports';
import type { Executor } from '../../cpu/step-host';
import { caught, longStretch, once, SHADOWS } from '../../cpu/stretch';
import { somethingWaits } from '../../cpu/turns';
import type { Instruction } from '../../isa/instruction';
import type { Stop } from '../../machine/api';
import { PAGE_BYTES } from '../../mmu/physical-memory';
import { assert } from '../../util/assert';
import { RFLAGS, VECTOR } from '../../x86/registers';
import { exitOf, instructionAt } from '../describe';
import type { Guest } from '../guest';
import type { Host } from '../host';
import type { EngineView, Viewed } from '../inspect/engine-view';
import { ShadowFaults } from '../shadow/faults';
import type { Next } from '../shadow/faults';
import { Crossing } from './software';

/** A trap came after its instruction and is the guest's own; of anything else the virtual processor finds out what it is. */
const asItIs = (thrown: Interruption): Next => (thrown instanceof GuestFault && thrown.trap ? thrown : 'emulate');

/** The virtual processor is about to execute what it did not fetch: the guest's entry for its page gets its accessed bit by that. */
function fetchAgain(cpu: Cpu, { length }: Instruction): void {
  const gva = linearRip(cpu.state);
  cpu.mmu.fetch(gva);
  if (Number(gva & 0xfffn) + length > PAGE_BYTES) cpu.mmu.fetch(gva + BigInt(length - 1));
}

/** The guest is to take an event now, by the flags that it believes to have. */
const somethingComes = (cpu: Cpu): boolean =>
  somethingWaits(cpu) &&
  ((cpu.state.systemFlags & RFLAGS.IF) !== 0 || cpu.onEvent !== undefined || cpu.interrupts.signals().nmi);

export abstract class DeprivilegedEngine implements Executor, Overseer, Viewed {
  readonly shadow: ShadowFaults;
  readonly asks = true;
  /** Neither tells a guest anything about the ring that it is really in. */
  readonly sparesSpinning = true;
  protected readonly crossing: Crossing;
  /** The virtual processor whose registers the physical one holds. */
  protected inside?: Cpu;

  /** `kernelExecutes`: see ShadowPaging; `cr4`: see Crossing. */
  protected constructor(
    protected readonly host: Host,
    protected readonly guest: Guest,
    kernelExecutes: boolean,
    cr4 = 0,
  ) {
    this.crossing = new Crossing(host, cr4);
    this.shadow = new ShadowFaults(host, guest, kernelExecutes);
  }

  get view(): EngineView {
    return { shadow: this.shadow.paging };
  }

  // --- Executor

  abstract run(cpu: Cpu, budget: number): Stop | undefined;

  deliver(cpu: Cpu, event: PendingEvent, asked: boolean): Delivery {
    this.host.generated.switchTo(cpu);
    return deliver(cpu, event, asked);
  }
  reset(): void {
    this.shadow.reset();
    this.host.inside = undefined;
  }
  settle(cpu: Cpu): void {
    if (this.inside === cpu) this.crossing.show(cpu);
  }

  protected runDeprivileged(cpu: Cpu, budget: number): Interruption | undefined {
    const { generated, processor } = this.host;
    const { state } = cpu;
    const shadow = state.system('interruptibility') & SHADOWS;
    generated.switchTo(cpu);
    this.enter(cpu);
    let thrown: Interruption | undefined;
    const before = generated.retired;
    const most = shadow && somethingWaits(cpu) ? 1 : budget;
    try {
      do thrown = this.stretch(cpu, most - (generated.retired - before));
      while (thrown && !shadow && generated.retired - before < most && this.goesOn(cpu, thrown));
    } finally {
      this.comeBack(cpu);
      processor.overseer = undefined;
    }
    if (shadow && generated.retired > before)
      state.setSystem('interruptibility', state.system('interruptibility') & ~shadow);
    return thrown;
  }
  private stretch(cpu: Cpu, budget: number): Interruption | undefined {
    const { generated, processor } = this.host;
    const left = caught(generated, () => longStretch(generated, processor, budget, () => somethingComes(cpu)));
    return left && this.left(left);
  }
  protected enter(cpu: Cpu): void {
    const { processor } = this.host;
    const tables = this.shadow.enter(cpu);
    const entry = this.entry(cpu);
    processor.overseer = this;
    this.crossing.load(cpu, tables);
    if (entry !== undefined) processor.state.rip = entry;
    this.inside = cpu;
  }
  /** The guest has left. */
  protected comeBack(cpu: Cpu): void {
    this.inside = undefined;
    this.crossing.store(cpu);
  }
  /** Where the processor begins, if it is not where the guest is. */
  protected entry(_cpu: Cpu): bigint | undefined {
    return undefined;
  }
  /** What the guest left for, while the physical processor still has its registers. */
  protected left(thrown: Interruption): Interruption {
    return thrown;
  }

  /** It needed nothing that takes the virtual processor: true. */
  protected goesOn(_cpu: Cpu, _thrown: Interruption): boolean {
    return false;
  }

  /** The guest has left; its registers are in the virtual processor. */
  protected handle(cpu: Cpu, thrown: Interruption): Stop | undefined {
    const { exits } = this.guest;
    let insn = thrown instanceof GuestExit ? thrown.instruction : undefined;
    const exit = exitOf(this.guest, cpu, thrown, () => (insn = this.look(cpu)));
    if (insn) exit.mnemonic = insn.row.mnemonic;
    const next =
      thrown instanceof GuestFault && thrown.vector === VECTOR.PF
        ? this.shadow.handle(cpu, thrown.address ?? 0n, thrown.errorCode ?? 0, exit)
        : asItIs(thrown);
    if (exits.begin(exit)) return { kind: 'vm-exit', cpu: cpu.apicId, exit };
    try {
      if (next === 'again') return undefined;
      if (next !== 'emulate') throw next;
      this.host.generated.switchTo(cpu);
      if (insn) fetchAgain(cpu, insn);
      once(this.host.generated, cpu, insn);
      return undefined;
    } finally {
      exits.end();
    }
  }
  /** The instruction at the virtual processor's RIP, if it can be fetched, of which a fault says what it was about. */
  protected look(cpu: Cpu): Instruction | undefined {
    const { generated } = this.host;
    generated.switchTo(cpu);
    return instructionAt(generated, cpu);
  }

  // --- Overseer: of the physical processor, while the guest runs on it.

  abstract instruction(insn: Instruction): 'done' | 'jumped' | GuestExit | undefined;

  event(event: PendingEvent): void {
    throw new GuestExit({ reason: 'exception', event });
  }
  tripleFault(): void {
    assert(false, 'no event is delivered on the physical processor');
  }
  due(): undefined {
    return undefined;
  }
  leave(): void {
    assert(false, 'exits of a deprivileged guest are caught where it is run');
  }
}
