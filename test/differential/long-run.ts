/**
 * Random programs for as long as wanted, each printed count a proof of no difference so far:
 *
 *   npm run test:tiers -- MILLIONS [SEED]         interpreter and compiler
 *   npm run test:tiers -- MILLIONS [SEED] host    the processor that this runs on and ours
 */
import { AssertionError } from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { bundle } from '../../bench/support/bundle';
import { HostOracle } from './oracle';
import { HostComparison } from './sequences';
import { TierComparison } from './tiers';

/** Of one program at most. */
const INSTRUCTIONS = 200_000;
const SAY_EVERY = 5e6;
/** Shown, or batches that have some. */
const MOST_DIFFERENCES = 20;

function run(instructions: number, seed: number, host: boolean): void {
  const reason = host && HostOracle.unavailable();
  if (reason) throw new Error(reason);
  const comparison = host ? new HostComparison() : new TierComparison();
  const { figures } = comparison;
  const begun = process.cpuUsage();
  const say = (outcome: string): void => {
    const { user, system } = process.cpuUsage(begun);
    console.log(
      `${figures.executed} instructions executed, ${figures.compiled} of them by compiled code${host ? '' : ` (${figures.regions} regions)`}, and ${figures.faults} faults; ` +
        `${figures.programs} programs of ${figures.generated} random instructions, ${figures.distinct.size} different; ` +
        `${((user + system) / figures.executed).toFixed(2)} µs of CPU time each; ${figures.endless} programs without an end left out: ${outcome}`,
    );
  };
  let differences = 0;
  const attempt = (compare: () => void): void => {
    try {
      compare();
    } catch (error) {
      if (!(error instanceof AssertionError)) throw error;
      console.log(error.message);
      if (++differences === MOST_DIFFERENCES) throw new Error('there are more', { cause: error });
    }
  };
  for (let program = seed * 1_000_000, said = 0; figures.executed < instructions; program++) {
    attempt(() => comparison.compare(program, INSTRUCTIONS));
    if (figures.executed - said < SAY_EVERY) continue;
    said = figures.executed;
    say(differences ? `so far differences in ${differences} of them` : 'no difference so far');
  }
  attempt(() => comparison.flush());
  say(differences ? `differences in ${differences} of them` : 'no difference');
  process.exitCode = differences ? 1 : 0;
}

/** Most of the code that is generated here does not live long enough to be optimised. */
const QUICKLY = ['--liftoff-only', '--max-semi-space-size=64'];
const BUNDLED = 'bundled';
const [first, ...others] = process.argv.slice(2);
if (first === BUNDLED) run(Number(others[0]) * 1e6, Number(others[1]), others[2] === 'host');
else {
  const [seed = '1', what = 'tiers'] = others;
  // In one file: the loader that runs TypeScript directly slows hot code several-fold.
  const child = spawnSync(process.execPath, [...QUICKLY, bundle('test/differential/long-run.ts'), BUNDLED, first ?? '100', seed, what], { stdio: 'inherit' }); // prettier-ignore
  process.exitCode = child.status ?? 1;
}
