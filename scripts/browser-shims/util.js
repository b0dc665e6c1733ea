/** The two names that iced-x86 takes from Node's `util`. */
module.exports = { TextDecoder: globalThis.TextDecoder, TextEncoder: globalThis.TextEncoder };
