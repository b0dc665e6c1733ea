/**
 * Bochs: what is on its disk starts, its serial port is a file. Debian's build has its own debugger, which is told to go on, and shows
 * its screen by VNC to whoever asks: it waits for that.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuSeconds, version } from './host';
import { seabios } from './seabios';

const BOCHS = 'bochs';
/** A processor with long mode and VT-x; all are listed by `bochs --help cpu`. */
const MODEL = 'corei7_haswell_4770';
export const haveBochs = (): boolean => version(BOCHS, '--help') !== undefined && seabios() !== undefined;

const HEADS = 16;
const SECTORS = 63;
const CYLINDER_BYTES = HEADS * SECTORS * 512;
/** Instructions that make a second for the guest: about what Bochs does of them, so that a guest has no more timer interrupts than elsewhere. */
const INSTRUCTIONS_A_SECOND = 50_000_000;

export interface BochsOptions {
  disk: Uint8Array;
  memoryMib: number;
}

export class BochsGuest {
  private readonly folder = mkdtempSync(join(tmpdir(), 'ringside-bochs-'));
  private readonly process: ChildProcess;
  private viewer: Socket | undefined;
  private readonly began: number;

  constructor({ disk, memoryMib }: BochsOptions) {
    const firmware = seabios();
    if (!firmware) throw new Error('SeaBIOS is absent');
    const cylinders = Math.ceil(disk.length / CYLINDER_BYTES);
    const whole = new Uint8Array(cylinders * CYLINDER_BYTES);
    whole.set(disk);
    writeFileSync(join(this.folder, 'disk.img'), whole);
    writeFileSync(join(this.folder, 'go'), 'c\n');
    writeFileSync(
      join(this.folder, 'configuration'),
      [
        `megs: ${memoryMib}`,
        `cpu: model=${MODEL}, count=1, ips=${INSTRUCTIONS_A_SECOND}`,
        `romimage: file=${firmware.bios}`,
        `vgaromimage: file=${firmware.vgaBios}`,
        `ata0-master: type=disk, path=disk.img, mode=flat, cylinders=${cylinders}, heads=${HEADS}, spt=${SECTORS}`,
        ...[
          'boot: disk',
          'display_library: rfb',
          'com1: enabled=1, mode=file, dev=serial',
          'log: log',
          'panic: action=fatal',
        ],
        ...['speaker: enabled=0', 'sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy'],
      ].join('\n'),
    );
    this.began = performance.now();
    this.process = spawn(BOCHS, ['-q', '-f', 'configuration', '-rc', 'go'], { cwd: this.folder, stdio: 'ignore' });
  }
  private text(file: string): string {
    const path = join(this.folder, file);
    return existsSync(path) ? readFileSync(path, 'latin1') : '';
  }
  /** Waits until what has come on the serial port is enough; that. */
  async console(enough: (text: string) => boolean): Promise<string> {
    for (;;) {
      const text = this.text('serial').replaceAll('\r', '');
      if (enough(text)) return text;
      if (this.process.exitCode !== null) throw new Error(`Bochs ended: ${this.text('log').slice(-300)}`);
      const port = /listening for connections on port (\d+)/.exec(this.text('log'))?.[1];
      if (port && !this.viewer) this.watch(Number(port));
      await sleep(20);
    }
  }
  /** RFB 3.3 (RFC 6143 7.1, appendix): the version, no security, the screen may be shared. Nothing is asked for. */
  private watch(port: number): void {
    const viewer = (this.viewer = connect(port, '127.0.0.1'));
    viewer.on('error', () => {});
    viewer.once('data', (greeting) => {
      viewer.write(greeting);
      viewer.write(Uint8Array.of(1));
      viewer.resume();
    });
  }
  /** s since power-on. */
  get wall(): number {
    return (performance.now() - this.began) / 1000;
  }
  get cpu(): number {
    return cpuSeconds(this.process.pid!);
  }
  stop(): void {
    this.viewer?.destroy();
    this.process.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
