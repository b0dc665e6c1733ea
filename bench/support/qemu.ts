/** QEMU's TCG: a guest in it, with the console as lines and its CPU time. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { cpuSeconds, QEMU } from './host';

export interface QemuOptions {
  kernel: string;
  initrd?: string;
  append: string;
  memoryMib: number;
  more?: readonly string[];
}

export const qemuArguments = ({ kernel, initrd, append, memoryMib, more = [] }: QemuOptions): string[] => [
  ...['-accel', 'tcg', '-m', `${memoryMib}M`, '-kernel', kernel, '-append', append],
  ...(initrd === undefined ? [] : ['-initrd', initrd]),
  ...['-display', 'none', '-monitor', 'none', '-no-reboot', '-device', 'isa-debug-exit,iobase=0xf4,iosize=4'],
  ...more,
];

/** With the serial console on standard input and output. */
export class QemuGuest {
  private readonly process: ChildProcess;
  private readonly lines: string[] = [];
  private readonly began = performance.now();
  private hear: () => void = () => {};
  private ended = false;

  constructor(options: QemuOptions) {
    this.process = spawn(QEMU, [...qemuArguments(options), '-serial', 'stdio'], { stdio: ['pipe', 'pipe', 'ignore'] });
    createInterface({ input: this.process.stdout! })
      .on('line', (line) => {
        this.lines.push(line.replace(/\r/g, ''));
        this.hear();
      })
      .on('close', () => {
        this.ended = true;
        this.hear();
      });
  }

  /** The next line that has the text; an error when the guest ends before. */
  async line(text: string): Promise<string> {
    for (;;) {
      const at = this.lines.findIndex((line) => line.includes(text));
      if (at >= 0) return this.lines.splice(0, at + 1)[at]!;
      if (this.ended) throw new Error(`QEMU ended before it said '${text}'`);
      await new Promise<void>((resolve) => (this.hear = resolve));
    }
  }
  type(text: string): void {
    this.process.stdin!.write(text);
  }
  /** s since power-on. */
  get wall(): number {
    return (performance.now() - this.began) / 1000;
  }
  get cpu(): number {
    return cpuSeconds(this.process.pid!);
  }
  stop(): void {
    this.process.kill('SIGKILL');
  }
}
