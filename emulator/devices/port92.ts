/**
 * Port 92h: fast A20 gate (bit 1) and fast reset (bit 0). Source: 82371AB (PIIX4) data sheet 290562.
 * Not emulated: the PS/2's security lock and activity lights (bits 3, 6, 7 are kept).
 */
import type { Device, Inspection } from './bus';

export class Port92 implements Device<number> {
  readonly name = 'port92';
  readonly ports = [{ first: 0x92, last: 0x92 }];
  private value = 0;

  constructor(
    private readonly a20: (level: boolean) => void,
    private readonly resetPulse: () => void,
  ) {}

  reset(): void {
    this.value = 0;
    this.a20(false);
  }
  save(): number {
    return this.value;
  }
  restore(saved: number): void {
    this.value = saved;
  }
  readPort(): number {
    return this.value;
  }
  writePort(_port: number, _bytes: number, byte: number): void {
    const rises = (byte & 1) !== 0 && !(this.value & 1);
    this.value = byte;
    this.a20((byte & 2) !== 0);
    if (rises) this.resetPulse();
  }
  get a20Enabled(): boolean {
    return (this.value & 2) !== 0;
  }
  inspect(): Inspection {
    return { a20: this.a20Enabled };
  }
}
