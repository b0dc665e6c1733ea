/** The only door into the emulator. */
export { DEFAULT_MODEL, MODEL_NAMES, TECHNIQUES, createMachine } from './machine/create';
export { Domains } from './machine/domains';
export type { Domain } from './machine/domains';
export type * from './machine/api';
export type * from './machine/inspect-api';
export * from './machine/elf';
export { UserError } from './util/assert';
