/**
 * Ports for test kernels: a write to F4h ends the run, a write to E9h is a character. Conventions of QEMU's
 * isa-debug-exit (exit status value * 2 + 1) and of the port E9h hack of Bochs (reads as E9h where it is present).
 */
import type { Device } from './bus';

export class DebugExit implements Device<null> {
  readonly name = 'debug-exit';
  readonly ports = [
    { first: 0xf4, last: 0xf7 },
    { first: 0xe9, last: 0xe9 },
  ];
  readonly portBytes = 4;

  constructor(
    private readonly exit: (code: number) => void,
    private readonly character: (byte: number) => void,
  ) {}

  reset(): void {}
  save(): null {
    return null;
  }
  restore(): void {}

  readPort(port: number): number {
    return port === 0xe9 ? 0xe9 : 0;
  }
  writePort(port: number, _bytes: number, value: number): void {
    if (port === 0xe9) this.character(value & 0xff);
    else if (port === 0xf4) this.exit((value * 2 + 1) >>> 0);
  }
}
