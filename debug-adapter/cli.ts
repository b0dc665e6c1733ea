#!/usr/bin/env node
/** The machine without an editor: `cli.js run KERNEL [options]`. Everything is in cli/; this is the process. */
import { tuneEngine } from './cli/engine';
import { main } from './cli/main';

tuneEngine();

void main(process.argv.slice(2)).then((status) => {
  // Not exit(): what was written to a pipe still has to drain.
  process.exitCode = status;
});
