/** A worker serves one session over messages; @vscode/debugadapter names `net` for a server that is never started. */
module.exports = {};
