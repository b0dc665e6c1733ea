/** The debug adapter as a Node program. */
import { serveProcess } from './server';

void serveProcess(process.argv.slice(2)).then((status) => {
  // What has been written must be out before the process ends: stdout may be a pipe.
  process.stdout.write('', () => process.exit(status));
});
