/**
 * Bochs: a Multiboot kernel behind a boot sector of ours (exits/boot-sector.S) on its disk, its serial port as a file. Debian's build has
 * its own debugger, which is told to go on, and shows its screen by VNC to whoever asks: it waits for that.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readElf } from '../../emulator';
import { cpuSeconds, version } from './host';

const BOCHS = 'bochs';
const BIOS = '/usr/share/seabios/bios.bin';
const VGA_BIOS = '/usr/share/seabios/vgabios-stdvga.bin';
export const haveBochs = (): boolean =>
  version(BOCHS, '--help') !== undefined && existsSync(BIOS) && existsSync(VGA_BIOS);

const PT_LOAD = 1;
const SECTOR = 512;
const GEOMETRY = { cylinders: 20, heads: 16, spt: 63 } as const;
/** What boot-sector.S reads at once, and where its words are. */
const READ_BYTES = 64 * SECTOR;
const WORDS = 484;
const COMMAND = 494;

/** `append`: at most 15 letters. */
function diskOf(name: string, kernel: Uint8Array, append: string): Uint8Array {
  const disk = new Uint8Array(GEOMETRY.cylinders * GEOMETRY.heads * GEOMETRY.spt * SECTOR);
  disk.set(readFileSync(resolve(__dirname, '../exits/boot-sector.bin')));
  const elf = readElf(name, kernel);
  const loaded = elf.segments.filter(({ type }) => type === PT_LOAD);
  const first = Math.min(...loaded.map(({ gpa }) => Number(gpa)));
  let end = 0;
  for (const segment of loaded) {
    const [at, bytes] = [Number(segment.gpa) - first, elf.segmentContents(segment)];
    disk.set(bytes, SECTOR + at);
    end = Math.max(end, at + bytes.length);
  }
  const view = new DataView(disk.buffer);
  view.setUint32(WORDS, first, true);
  view.setUint32(WORDS + 4, Number(elf.entry), true);
  view.setUint16(WORDS + 8, Math.ceil(end / READ_BYTES), true);
  disk.set(Buffer.from(`${append}\0`), COMMAND);
  return disk;
}

export class BochsGuest {
  private readonly folder = mkdtempSync(join(tmpdir(), 'ringside-bochs-'));
  private readonly process: ChildProcess;
  private viewer: Socket | undefined;

  /** `model`: as `bochs --help cpu` lists them. */
  constructor(name: string, kernel: Uint8Array, append: string, model: string, memoryMib: number) {
    const { cylinders, heads, spt } = GEOMETRY;
    writeFileSync(join(this.folder, 'disk.img'), diskOf(name, kernel, append));
    writeFileSync(join(this.folder, 'go'), 'c\n');
    writeFileSync(
      join(this.folder, 'configuration'),
      [
        `megs: ${memoryMib}`,
        `cpu: model=${model}, count=1`,
        `romimage: file=${BIOS}`,
        `vgaromimage: file=${VGA_BIOS}`,
        `ata0-master: type=disk, path=disk.img, mode=flat, cylinders=${cylinders}, heads=${heads}, spt=${spt}`,
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
    this.process = spawn(BOCHS, ['-q', '-f', 'configuration', '-rc', 'go'], { cwd: this.folder, stdio: 'ignore' });
  }
  private text(file: string): string {
    const path = join(this.folder, file);
    return existsSync(path) ? readFileSync(path, 'latin1') : '';
  }
  /** Until so many marks have come on the serial port. */
  async marks(count: number): Promise<void> {
    for (;;) {
      if (this.text('serial').split('.').length > count) return;
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
  get cpu(): number {
    return cpuSeconds(this.process.pid!);
  }
  stop(): void {
    this.viewer?.destroy();
    this.process.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }
}
