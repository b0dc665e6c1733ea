/** The only door into the emulator. */
export { createMachine } from './machine/machine';
export type * from './machine/api';
export { DEFAULT_MODEL, MODEL_NAMES } from './cpu/models';
export * from './machine/elf';
export { UserError } from './util/assert';
