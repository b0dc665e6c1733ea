/** The machine that a configuration asks for. */
import type { Machine, MachineConfig } from './api';
import { Domains } from './domains';
import { Pc } from './machine';

export { TECHNIQUES } from './api';

export { DEFAULT_MODEL, MODEL_NAMES } from '../cpu/models';

/**
 * RAM of the given size and a PC around it, switched off: `boot` an image, then `run`. With a technique it is a domain on a
 * host of its own. UserError: bad configuration.
 */
export const createMachine = (config: MachineConfig): Machine =>
  (config.technique ?? 'none') === 'none'
    ? new Pc(config)
    : new Domains([{ ...config, name: 'domain 1' }]).all[0].machine;
