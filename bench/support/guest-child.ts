/** `guest-child SPEC`: runGuest in a process of its own, whose clocks nobody else moves. Prints the report. */
import { runGuest } from './guest-run';
import type { GuestSpec } from './guest-run';

process.stdout.write(JSON.stringify(runGuest(JSON.parse(process.argv[2]!) as GuestSpec)));
