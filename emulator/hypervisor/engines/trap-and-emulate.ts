/**
 * Trap-and-emulate: the guest runs natively and deprivileged under shadow paging; what traps is executed on the virtual
 * processor. What should trap and does not falls through, as on real hardware, and is reported (holes.ts).
 * Without protection there is nothing to deprivilege by: in real mode the virtual processor itself executes.
 */
import type { Cpu } from '../../cpu/cpu';
import { deliver } from '../../cpu/events';
import type { Delivery } from '../../cpu/events';
import type { PendingEvent } from '../../cpu/exit-cause';
import { executionMode, linearRip } from '../../cpu/mode';
import { GuestExit, GuestFault, Interruption } from '../../cpu/ports';
import type { Overseer } from '../../cpu/ports';
import type { Executor } from '../../cpu/step-host';
import { longStretch, SHADOWS, stretch } from '../../cpu/stretch';
import { somethingWaits } from '../../cpu/turns';
import type { Instruction } from '../../isa/instruction';
import type { Stop } from '../../machine/api';
import { assert } from '../../util/assert';
import { CR0, VECTOR } from '../../x86/registers';
import { exitOf } from '../describe';
import type { SilentHole } from '../exit';
import type { Guest } from '../guest';
import type { Host } from '../host';
import { ShadowFaults } from '../shadow/faults';
import type { Next } from '../shadow/faults';
import { lookForHole } from './holes';
import { KERNEL_RING, load, store, withOwnTables } from './software';

/** A trap came after its instruction and is the guest's own; of anything else the virtual processor finds out what it is. */
const asItIs = (thrown: Interruption): Next => (thrown instanceof GuestFault && thrown.trap ? thrown : 'emulate');

/** A filter wants the run to stop before a sensitive instruction. */
class AtHole extends Interruption {
  constructor(readonly hole: SilentHole) {
    super();
  }
}

export class TrapAndEmulate implements Executor, Overseer {
  readonly shadow: ShadowFaults;
  readonly asks = true;
  /** The virtual processor whose registers the physical one holds. */
  private inside?: Cpu;

  constructor(
    private readonly host: Host,
    private readonly guest: Guest,
  ) {
    this.shadow = new ShadowFaults(host, guest);
  }

  // --- Executor

  run(cpu: Cpu, budget: number): Stop | undefined {
    const { generated } = this.host;
    if (!(cpu.state.system32('cr0') & CR0.PE)) {
      generated.switchTo(cpu);
      stretch(generated, cpu, budget);
      return undefined;
    }
    const thrown = this.runDeprivileged(cpu, budget);
    return thrown && this.handle(cpu, thrown);
  }
  deliver(cpu: Cpu, event: PendingEvent, asked: boolean): Delivery {
    this.host.generated.switchTo(cpu);
    return deliver(cpu, event, asked);
  }
  reset(): void {
    this.shadow.reset();
  }
  settle(cpu: Cpu): void {
    if (this.inside === cpu) store(this.host.processor, cpu);
  }

  private runDeprivileged(cpu: Cpu, budget: number): Interruption | undefined {
    const { generated, processor } = this.host;
    const { state } = cpu;
    const shadow = state.system('interruptibility') & SHADOWS;
    generated.switchTo(processor);
    this.enter(cpu);
    let thrown: Interruption | undefined;
    const before = generated.retired;
    try {
      longStretch(generated, processor, shadow && somethingWaits(cpu) ? 1 : budget, cpu);
    } catch (caught) {
      if (!(caught instanceof Interruption)) throw caught;
      thrown = caught;
      generated.forgetLink();
    } finally {
      this.inside = undefined;
      processor.overseer = undefined;
      store(processor, cpu);
    }
    if (shadow && generated.retired > before)
      state.setSystem('interruptibility', state.system('interruptibility') & ~shadow);
    return thrown;
  }
  private enter(cpu: Cpu): void {
    const { processor } = this.host;
    const tables = this.shadow.enter(cpu);
    processor.overseer = this;
    load(processor, cpu, tables);
    this.inside = cpu;
  }

  /** The guest has left; its registers are in the virtual processor. */
  private handle(cpu: Cpu, thrown: Interruption): Stop | undefined {
    if (thrown instanceof AtHole) return { kind: 'silent-hole', cpu: cpu.apicId, hole: thrown.hole };
    const { exits } = this.guest;
    const exit = exitOf(this.guest, cpu, thrown, () => instructionAt(this.host, cpu));
    const next =
      thrown instanceof GuestFault && thrown.vector === VECTOR.PF
        ? this.shadow.handle(cpu, thrown.address ?? 0n, thrown.errorCode ?? 0, exit)
        : asItIs(thrown);
    if (exits.begin(exit)) return { kind: 'vm-exit', cpu: cpu.apicId, exit };
    try {
      if (next === 'again') return undefined;
      if (next !== 'emulate') throw next;
      this.host.generated.switchTo(cpu);
      stretch(this.host.generated, cpu, 1);
      return undefined;
    } finally {
      exits.end();
    }
  }

  // --- Overseer: of the physical processor, while the guest runs on it.

  instruction(instruction: Instruction): 'done' | 'jumped' | undefined {
    const { processor } = this.host;
    const { inside } = this;
    if (!inside || processor.state.cpl !== KERNEL_RING || !instruction.row.attributes.sensitive) return undefined;
    const { mnemonic, meaning } = instruction.row;
    const difference = withOwnTables(processor, () => lookForHole(processor, inside, instruction));
    if (difference !== undefined) this.noteHole(mnemonic, difference);
    if (mnemonic !== 'sgdt' && mnemonic !== 'sldt') return undefined;
    assert(meaning.kind === 'call', 'stores of table registers are plain');
    return withOwnTables(processor, () => meaning.call(processor, instruction)) ?? 'done';
  }
  private noteHole(mnemonic: string, difference: string): void {
    const { guest, inside } = this;
    const { processor } = this.host;
    const hole: SilentHole = {
      mnemonic,
      domain: guest.index,
      vcpu: inside!.apicId,
      gva: linearRip(processor.state),
      at: guest.instructions,
      difference,
    };
    if (guest.holes.note(hole)) throw new AtHole(hole);
  }
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

/** The instruction at the virtual processor's RIP, if it can be fetched. */
function instructionAt({ generated }: Host, cpu: Cpu): Instruction | undefined {
  generated.switchTo(cpu);
  try {
    return generated.code.cache.lookup(cpu.state.rip, executionMode(cpu.state)).instructions[0];
  } catch (thrown) {
    if (thrown instanceof Interruption) return undefined;
    throw thrown;
  }
}
