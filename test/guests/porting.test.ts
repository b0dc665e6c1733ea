/**
 * One kernel in two builds (guests/porting): for the bare machine and for Xen. Both run the same programs to the same end; what the
 * port changed is counted in docs/porting.md.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMachine } from '../../emulator/index';
import type { MachineConfig, Stop } from '../../emulator/index';
import { readElf } from '../../emulator/machine/elf';
import { DOCUMENT, countLines, documentWith, shareTable } from '../../scripts/porting-share';
import { goldenText, guests, have, haveQemu, runOnQemu } from './oracles';

const folder = join(guests, 'porting');
const native = join(folder, 'native.elf');
const paravirtual = join(folder, 'paravirtual.elf');
const MOST = 60_000_000;
/** How much memory there is, and on what. */
const fromPrograms = (text: string): string => text.slice(text.indexOf('\n') + 1);

function run(file: string, config: Partial<MachineConfig> = {}) {
  const machine = createMachine({ memory: 32 << 20, cpus: 1, ...config });
  let text = '';
  machine.onConsole = (bytes) => (text += String.fromCharCode(...bytes));
  machine.boot({ name: 'kernel.elf', kernel: readFileSync(file) });
  const stop = machine.run(MOST);
  return { machine, stop, text: text.replaceAll('\r', '') };
}
const END: Stop = { kind: 'debug-exit', code: 1 };

/** The programs, as the kernel holds them. */
function programsOf(file: string): Uint8Array {
  const elf = readElf(file, readFileSync(file));
  const section = elf.sections.find(({ name }) => name === '.programs');
  assert(section, file);
  return elf.contents(section);
}

describe('a kernel and its port to Xen', () => {
  it('on the bare machine: its programs, their ends, all memory back', () => {
    const { stop, text } = run(native);
    assert.deepEqual(stop, END);
    assert.equal(fromPrograms(text), goldenText('porting.txt', () => fromPrograms(text)));
  });
  it('under QEMU the same', function () {
    if (!haveQemu()) this.skip();
    const { console, end } = runOnQemu(native);
    assert.equal(end, 'debug-exit 0');
    assert.equal(fromPrograms(console), goldenText('porting.txt', () => fromPrograms(console)));
  });
  it('its programs are the same bytes in both builds', () => {
    const programs = programsOf(native);
    assert(programs.length > 40_000, `${programs.length} bytes`);
    assert.deepEqual(programsOf(paravirtual), programs);
  });

  it('the share of changed lines in the document is that of the sources', () => {
    const document = readFileSync(DOCUMENT, 'utf8');
    assert.equal(documentWith(shareTable(), document), document, 'npx tsx scripts/porting-share.ts writes it');
  });
  for (const [source, common, only, port] of [
    ['a\n\n/* c */\nb /* c */\n', 2, 0, 0],
    ['a\n#ifdef PARAVIRTUAL\nb\nc\n#else\nd\n#endif\ne', 2, 1, 2],
    ['/* a\nb\nc */\nd\n', 1, 0, 0],
    ['#ifdef PARAVIRTUAL\n#if X\na\n#endif\n#endif\n#if Y\nb\n#else\nc\n#endif', 2, 0, 1],
  ] as const)
    it(`counts ${JSON.stringify(source)}`, () => {
      assert.deepEqual(countLines(source), { common, native: only, paravirtual: port });
    });

  it('the built images are those of the sources', function () {
    if (!have('gcc') || !have('make')) this.skip();
    const out = mkdtempSync(join(tmpdir(), 'ringside-'));
    try {
      execFileSync('make', ['-s', '-C', folder, `OUT=${out}`], { stdio: 'pipe' });
      const built = join(out, 'native.elf');
      if (readFileSync(built).equals(readFileSync(native))) {
        assert.deepEqual(readFileSync(join(out, 'paravirtual.elf')), readFileSync(paravirtual));
        return;
      }
      // Another compiler: what counts is what it says.
      const { text } = run(built);
      assert.equal(fromPrograms(text), goldenText('porting.txt', () => fromPrograms(text)), 'it was not built again');
    } finally {
      rmSync(out, { recursive: true });
    }
  }).timeout(60_000);
}).timeout(60_000);
