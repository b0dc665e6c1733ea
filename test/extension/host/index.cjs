/** What the extension host loads: from here on TypeScript is understood. */
require('tsx/cjs');
exports.run = () => require('./run.ts').run();
