/** `guest-child SPEC`: runGuest in a process of its own, whose clocks nobody else moves. Prints the report. */
import { tuneEngine } from '../../debug-adapter/cli/engine';
import { runGuest } from './guest-run';
import type { GuestSpec } from './guest-run';

// As the command line and the adapter do.
tuneEngine();
process.stdout.write(JSON.stringify(runGuest(JSON.parse(process.argv[2]!) as GuestSpec)));
