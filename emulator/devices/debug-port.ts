/** Port 402h: SeaBIOS writes its log there, a character at a time, if reading it gives E9h. Convention of Bochs and QEMU. */
import type { Device } from './bus';

const PORT = 0x402;
const PRESENT = 0xe9;
const LONGEST_LINE = 512;

export class DebugPort implements Device<string> {
  readonly name = 'debug-port';
  readonly ports = [{ first: PORT, last: PORT }];
  private line = '';

  constructor(private readonly onLine: (line: string) => void) {}

  reset(): void {}
  save(): string {
    return this.line;
  }
  restore(saved: string): void {
    this.line = saved;
  }
  readPort(): number {
    return PRESENT;
  }
  writePort(_port: number, _bytes: number, byte: number): void {
    const ends = byte === 0x0a;
    if (!ends && byte !== 0x0d) this.line += String.fromCharCode(byte);
    if (!ends && this.line.length < LONGEST_LINE) return;
    this.onLine(this.line);
    this.line = '';
  }
}
