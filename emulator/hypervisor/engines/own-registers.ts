/** Registers of which the processor may have the hypervisor's values while a guest runs: kept aside, put back, compared. */
import { SYSTEM_ADDRESS } from '../../execution/layout';
import type { CpuState } from '../../cpu/state';

const NAMES = ['cr0', 'cr3', 'cr4', 'efer', 'pdpte0', 'pdpte1', 'pdpte2', 'pdpte3'] as const;
/** In halves: this is done twice at every exit, and 64-bit integers of TypeScript are objects. */
const ADDRESSES = NAMES.flatMap((name) => [SYSTEM_ADDRESS[name], SYSTEM_ADDRESS[name] + 4]);

export class OwnRegisters {
  private readonly words = new Int32Array(ADDRESSES.length);

  take({ view }: CpuState): void {
    for (let i = 0; i < ADDRESSES.length; i++) this.words[i] = view.getInt32(ADDRESSES[i], true);
  }
  put({ view }: CpuState): void {
    for (let i = 0; i < ADDRESSES.length; i++) view.setInt32(ADDRESSES[i], this.words[i], true);
  }
  same({ view }: CpuState): boolean {
    for (let i = 0; i < ADDRESSES.length; i++) if (view.getInt32(ADDRESSES[i], true) !== this.words[i]) return false;
    return true;
  }
  get cr0(): number {
    return this.words[0];
  }
}
