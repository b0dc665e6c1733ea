/**
 * Loaded before every test. SEED makes properties repeat: fast-check takes it, and the tests that draw cases themselves
 * read it. CI sets it, so that a run of the same commit is the same run; at a desk each run draws anew and prints its seed.
 */
import fc from 'fast-check';

if (process.env.SEED) fc.configureGlobal({ seed: Number(process.env.SEED) });
