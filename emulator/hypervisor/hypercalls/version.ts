/** xen_version (version.h): what we are and what we offer. */
import { FEATURES, RESERVED, VERSION } from '../xen/abi';
import { refuse } from '../xen/errno';
import { asUint } from './call';
import type { Call } from './call';

type Operation = (call: Call, at: bigint) => number | bigint | void;

/** A text in a field of so many bytes, rest zeros. */
const text =
  (bytes: number, value: string): Operation =>
  ({ caller }, at) => {
    const field = new Uint8Array(bytes);
    field.set(new TextEncoder().encode(value));
    caller.writeBytes(at, field);
  };

const COMPILE_INFO_BYTES = 64 + 16 + 32 + 32;
const OPERATIONS: Readonly<Record<number, { name: string; run: Operation }>> = {
  0: { name: 'version', run: () => VERSION.major * 0x1_0000 + VERSION.minor },
  1: { name: 'extraversion', run: text(16, '.0-ringside') },
  2: { name: 'compile_info', run: text(COMPILE_INFO_BYTES, 'TypeScript') },
  3: { name: 'capabilities', run: text(1024, 'xen-3.0-x86_64 xen-3.0-x86_32p ') },
  4: { name: 'changeset', run: text(64, '') },
  5: {
    name: 'platform_parameters',
    run: ({ caller, domain }, at) => caller.writeWord(at, RESERVED[domain.word].start),
  },
  6: {
    name: 'get_features',
    run: ({ caller }, at) => caller.write(at + 4n, 4, caller.read(at, 4) === 0 ? FEATURES : 0),
  },
  7: { name: 'pagesize', run: () => 4096 },
  8: { name: 'guest_handle', run: text(16, '') },
  9: { name: 'commandline', run: text(1024, '') },
};
export const VERSION_COMMANDS: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(OPERATIONS).map(([number, { name }]) => [number, name]),
);

export function xenVersion(call: Call): number | bigint {
  const operation = OPERATIONS[asUint(call.args[0])] ?? refuse('ENOSYS', `XENVER ${call.args[0]} is not known`);
  return operation.run(call, call.args[1]) ?? 0;
}
