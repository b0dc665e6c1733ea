/** `v86-child SPEC FILES`: one guest in v86, the clocks read at each line of its serial port. Prints the report. */
import { readFileSync } from 'node:fs';
import type * as v86 from 'v86';
import type { GuestReport } from './guest-run';
import { clocksAtLines } from './lines';
import type { V86Files, V86Spec } from './v86';

const [spec, files] = process.argv.slice(2).map((text) => JSON.parse(text) as unknown) as [V86Spec, V86Files];
const image = (file: string): { buffer: ArrayBuffer } => {
  const bytes = readFileSync(file);
  return { buffer: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) };
};

async function main(): Promise<void> {
  const { V86 } = (await import(files.module)) as typeof v86;
  const emulator = new V86({
    wasm_path: files.wasm,
    memory_size: spec.memoryMib << 20,
    bios: image(files.bios),
    vga_bios: image(files.vgaBios),
    [spec.protocol]: image(spec.kernel),
    ...(spec.initrd !== undefined && { initrd: image(spec.initrd) }),
    cmdline: spec.append,
    disable_speaker: true,
    autostart: true,
  });
  const marks = clocksAtLines(
    () => emulator.get_instruction_counter(),
    ({ line }, count) => {
      if (count !== spec.lines && (spec.until === undefined || !line.includes(spec.until))) return;
      const residentBytes = process.memoryUsage().rss - (spec.memoryMib << 20);
      const report: GuestReport = { lines: marks.lines, stop: 'until', residentBytes, codeBytes: 0 };
      process.stdout.write(JSON.stringify(report), () => process.exit());
    },
  );
  emulator.add_listener('serial0-output-byte', (byte) => marks.take(byte));
}
void main();
