/** Page faults of a guest under shadow paging, whatever the technique: whose they are, and what follows. */
import type { Cpu } from '../../cpu/cpu';
import { GuestFault } from '../../cpu/ports';
import { CONTEXT } from '../../execution/layout';
import { RIGHTS } from '../../mmu/walk';
import { assert } from '../../util/assert';
import { PF, VECTOR } from '../../x86/registers';
import type { VmExit } from '../exit';
import type { Guest } from '../guest';
import type { Host } from '../host';
import { ShadowPaging } from './shadow-paging';
import type { ShadowTables } from './tables';

/** Fills by one instruction without progress: the shadow and the processor disagree about rights. */
const MOST_FILLS = 64;

/** What follows an exit: the instruction runs again, or on the virtual processor, or an event is the guest's own. */
export type Next = 'again' | 'emulate' | GuestFault;

export class ShadowFaults {
  readonly paging: ShadowPaging;
  /** In force on the processor. */
  tables?: ShadowTables;
  private occupant?: Cpu;
  private fills = { at: -1, count: 0 };

  /** `kernelExecutes`: see ShadowPaging. */
  constructor(
    private readonly host: Host,
    private readonly guest: Guest,
    kernelExecutes = true,
  ) {
    this.paging = new ShadowPaging(
      host.physical,
      guest.physical,
      guest.frames,
      (gva) => {
        if (this.tables) host.processor.flushTlb(gva);
      },
      kernelExecutes,
    );
  }

  /** The shadow of the address space that a virtual processor is in. Its registers are about to be loaded. */
  enter(cpu: Cpu): ShadowTables {
    const tables = this.paging.enter(cpu.mmu.paging);
    if (tables !== this.tables || this.occupant !== cpu) this.host.processor.flushTlb('all');
    this.occupant = cpu;
    return (this.tables = tables);
  }

  /** Guest memory is another's now. */
  reset(): void {
    this.paging.clear();
    this.tables = this.occupant = undefined;
    this.host.processor.flushTlb('all');
  }

  /** The processor raised #PF. Says in `exit` what it was. */
  handle(cpu: Cpu, address: bigint, errorCode: number, exit: VmExit): Next {
    const access = errorCode & PF.I ? 'execute' : errorCode & PF.W ? 'write' : 'read';
    const { processor } = this.host;
    const supervisor = processor.mmu.context === CONTEXT.supervisorNoSmap ? RIGHTS.smapOff : RIGHTS.supervisor;
    const outcome = this.paging.fault(cpu.mmu.paging, address, access, errorCode & PF.U ? RIGHTS.user : supervisor);
    switch (outcome.kind) {
      case 'mapped':
        exit.reason = 'shadow-fault';
        this.progress();
        processor.flushTlb(address);
        return 'again';
      case 'guest-fault':
        exit.reason = 'reflected-event';
        return new GuestFault(VECTOR.PF, outcome.errorCode, address);
      case 'mmio':
      case 'table-write':
        exit.reason =
          outcome.kind === 'mmio' ? 'mmio' : this.paging.isTable(outcome.gpa) ? 'page-table-write' : 'code-write';
        exit.gpa = outcome.gpa;
        return 'emulate';
    }
  }
  private progress(): void {
    const at = this.guest.instructions;
    if (this.fills.at === at) this.fills.count++;
    else this.fills = { at, count: 1 };
    assert(this.fills.count < MOST_FILLS, 'a shadow leaf does not allow what its guest entry allows');
  }
}
