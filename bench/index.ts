/**
 * `npm run bench [NAME]... [--rounds N] [--dry]`: how fast guests run and are debugged, beside QEMU, gdb, Bochs and v86 in
 * the same run, rounds interleaved, medians. Each part checks what the guest did, so that a wrong result cannot be a fast one. The
 * tables go into bench/README.md; --dry only prints them. All of it runs in the Node that goes with the VS Code that tests drive,
 * because there guests and adapters run for users; where that is not installed (scripts/vscode-host.ts), in this one.
 */
import { spawnSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createMachine } from '../emulator';
import { HOST_NODE, hostIsInstalled } from '../scripts/vscode-host';
import { activation } from './activation';
import { boot } from './boot';
import { debugging } from './debugging';
import { exits } from './exits';
import { kernels } from './kernels';
import { panels } from './panels';
import { figure } from './support/figures';
import { surroundings } from './support/host';
import { writePart } from './support/report';
import type { BenchContext, Part } from './support/part';

const PARTS: readonly Part[] = [kernels, debugging, boot, panels, activation, exits];

/** A tier that does not exist yet is refused. */
const exists = (tier: 'interpreter' | 'compiler'): boolean => {
  try {
    createMachine({ memory: 2 << 20, cpus: 1, tier });
    return true;
  } catch {
    return false;
  }
};

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { rounds: { type: 'string', default: '3' }, dry: { type: 'boolean', default: false } },
  });
  const unknown = positionals.find((name) => !PARTS.some((part) => part.name === name));
  const rounds = Number(values.rounds);
  if (unknown !== undefined || !Number.isInteger(rounds) || rounds < 1) {
    const what = unknown === undefined ? `--rounds ${values.rounds}` : unknown;
    console.error(`${what} is not understood; parts are ${PARTS.map(({ name }) => name).join(', ')}.`);
    process.exitCode = 2;
    return;
  }
  const context: BenchContext = {
    rounds,
    tiers: (['interpreter', 'compiler'] as const).filter(exists),
    log: (text) => process.stderr.write(`${text}\n`),
  };
  for (const part of PARTS) {
    if (positionals.length > 0 && !positionals.includes(part.name)) continue;
    const began = performance.now();
    const measured = await part.run(context);
    const minutes = figure((performance.now() - began) / 60_000);
    const text = `${measured}\n\n${surroundings()}; measured in ${minutes} minutes.`;
    console.log(`\n## ${part.name}\n\n${text}`);
    if (!values.dry) writePart(part.name, text);
  }
}

if (hostIsInstalled() && process.execPath !== realpathSync(HOST_NODE))
  process.exitCode =
    spawnSync(HOST_NODE, [...process.execArgv, ...process.argv.slice(1)], { stdio: 'inherit' }).status ?? 1;
else void main();
