/**
 * The bus as one processor sees it: its own local APIC's page lies in front of what all processors share.
 */
import type { Bus } from '../cpu/ports';
import type { LocalApic } from '../devices/local-apic';
import type { SystemBus } from '../devices/system-bus';

const PAGE = 0x1000;

export class CpuBus implements Bus {
  constructor(
    private readonly shared: SystemBus,
    private readonly apic: LocalApic,
  ) {}

  readPort(port: number, bytes: 1 | 2 | 4): number {
    return this.shared.readPort(port, bytes);
  }
  writePort(port: number, bytes: 1 | 2 | 4, value: number): void {
    this.shared.writePort(port, bytes, value);
  }
  readMmio(gpa: number, bytes: 1 | 2 | 4): number {
    const offset = this.pageOffset(gpa);
    return offset < 0 ? this.shared.readMmio(gpa, bytes) : this.apic.readPage(offset, bytes);
  }
  writeMmio(gpa: number, bytes: 1 | 2 | 4, value: number): void {
    const offset = this.pageOffset(gpa);
    if (offset < 0) this.shared.writeMmio(gpa, bytes, value);
    else this.apic.writePage(offset, bytes, value);
  }

  private pageOffset(gpa: number): number {
    const page = this.apic.pageGpa;
    return page >= 0 && gpa >= page && gpa < page + PAGE ? gpa - page : -1;
  }
}
