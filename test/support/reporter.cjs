/**
 * Mocha's `spec` report, and after it what was skipped, by name, and one line for machines: `N passed, N failed`.
 * With CI set a skipped test counts as failed: there, nothing may be missing silently. With TALLY=FILE the counts are
 * appended to that file, for a script that runs several suites and prints one sum.
 */
const { appendFileSync } = require('node:fs');
const { reporters } = require('mocha');

module.exports = class TallyReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    this.skipped = [];
    this.passed = 0;
    runner.on('pass', () => this.passed++);
    runner.on('pending', (test) => this.skipped.push(test.fullTitle()));
  }

  done(failures, finish) {
    const strict = process.env.CI !== undefined && process.env.CI !== '' && process.env.CI !== 'false';
    const failed = failures + (strict ? this.skipped.length : 0);
    for (const name of this.skipped) console.log(`${strict ? 'not run, which CI does not allow' : 'skipped'}: ${name}`);
    const skipped = strict ? 0 : this.skipped.length;
    const counts = `${this.passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`;
    if (process.env.TALLY) appendFileSync(process.env.TALLY, `${this.passed} ${failed} ${skipped}\n`);
    else console.log(counts);
    finish(failed);
  }
};
