/**
 * Trap-and-emulate: the guest runs natively and deprivileged under shadow paging; what traps is executed on the virtual
 * processor. What should trap and does not falls through, as on real hardware, and is reported (holes.ts).
 * Without protection there is nothing to deprivilege by: in real mode the virtual processor itself executes.
 */
import type { Cpu } from '../../cpu/cpu';
import { linearRip } from '../../cpu/mode';
import { Interruption } from '../../cpu/ports';
import { stretch } from '../../cpu/stretch';
import type { Instruction } from '../../isa/instruction';
import type { Stop } from '../../machine/api';
import { assert } from '../../util/assert';
import { CR0 } from '../../x86/registers';
import type { SilentHole } from '../exit';
import type { Guest } from '../guest';
import type { Host } from '../host';
import { DeprivilegedEngine } from './deprivileged';
import { lookForHole, readsDescriptors, readsOwnTables } from './holes';
import { withOwnTables } from './software';

/** A filter wants the run to stop before a sensitive instruction. */
class AtHole extends Interruption {
  constructor(readonly hole: SilentHole) {
    super();
  }
}

export class TrapAndEmulate extends DeprivilegedEngine {
  constructor(host: Host, guest: Guest) {
    super(host, guest, true);
  }

  run(cpu: Cpu, budget: number): Stop | undefined {
    const { generated } = this.host;
    if (!(cpu.state.system32('cr0') & CR0.PE)) {
      generated.switchTo(cpu);
      stretch(generated, cpu, budget);
      return undefined;
    }
    const thrown = this.runDeprivileged(cpu, budget);
    if (thrown instanceof AtHole) return { kind: 'silent-hole', cpu: cpu.apicId, hole: thrown.hole };
    return thrown && this.handle(cpu, thrown);
  }

  instruction(instruction: Instruction): 'done' | 'jumped' | undefined {
    const { processor } = this.host;
    const { inside } = this;
    if (!inside) return undefined;
    const { mnemonic, meaning } = instruction.row;
    const own = readsOwnTables(mnemonic);
    if (readsDescriptors(mnemonic)) this.settle(inside);
    const look = (): string | undefined => lookForHole(processor, inside, instruction);
    const difference = own ? withOwnTables(processor, look) : look();
    if (difference !== undefined) this.noteHole(mnemonic, difference);
    if (!own) return undefined;
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
}
