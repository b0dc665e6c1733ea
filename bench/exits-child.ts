/** One measurement of bench/exits.ts in a process of its own, bundled as what is shipped: `node FILE SPECIFICATION` prints a number. */
import { measure } from './exits';
import type { Measurement } from './exits';

console.log(measure(JSON.parse(process.argv[2]!) as Measurement));
