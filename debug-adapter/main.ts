/** The debug adapter as a Node program. */
import { tuneEngine } from './cli/engine';
import { serveProcess } from './server';

tuneEngine();

void serveProcess(process.argv.slice(2)).then((status) => {
  // What has been written must be out before the process ends: stdout may be a pipe.
  process.stdout.write('', () => process.exit(status));
});
