/** The one file that a worker reads through `fs`: the code of iced-x86, which the bundle carries as a data URL. */
const icedWasm = require('iced_x86_bg.wasm');

module.exports = {
  readFileSync(path) {
    if (!path.endsWith('iced_x86_bg.wasm')) throw new Error(`No file system in a browser worker: ${path}`);
    return Uint8Array.from(atob(icedWasm.slice(icedWasm.indexOf(',') + 1)), (byte) => byte.charCodeAt(0));
  },
};
