/** Names of an exit or of a silent hole, as conditions write them: `exit.reason`, `exit.gpa`, `exit.port`, `hole.mnemonic`. */
import type { SilentHole, VmExit } from '../emulator/machine/api';
import type { Specials } from './expression-scope';

type Plain = bigint | string | undefined;

const plain = (value: unknown): Plain => {
  if (typeof value === 'number') return BigInt(value);
  if (typeof value === 'boolean') return value ? 1n : 0n;
  return typeof value === 'bigint' || typeof value === 'string' ? value : undefined;
};

/** Fields that some exit has; what one exit has not has no value there. */
export const EXIT_NAMES = [
  'reason', 'gva', 'gpa', 'address', 'cpl', 'mnemonic', 'vcpu', 'domain', 'code', 'port', 'bytes', 'write', 'string', 'msr',
  'register', 'access', 'value', 'vector', 'errorCode',
] as const; // prettier-ignore
export const HOLE_NAMES = ['mnemonic', 'gva', 'vcpu', 'domain'] as const;

/** An exit's own fields first, then those of its cause, then those of the event that caused it. */
const fieldOf = (exit: VmExit, name: string): Plain => {
  const cause = exit.cause as unknown as Record<string, unknown>;
  for (const source of [exit, cause, cause.event]) {
    const value = plain((source as Record<string, unknown> | undefined)?.[name]);
    if (value !== undefined) return value;
  }
  return undefined;
};

export const exitSpecials =
  (exit: () => VmExit | undefined, hole: () => SilentHole | undefined): Specials =>
  (name) => {
    const [, object, field] = /^(exit|hole)\.(\w+)$/.exec(name) ?? [];
    if (object === 'exit' && (EXIT_NAMES as readonly string[]).includes(field))
      return () => {
        const now = exit();
        return now && fieldOf(now, field);
      };
    if (object === 'hole' && (HOLE_NAMES as readonly string[]).includes(field))
      return () => plain((hole() as unknown as Record<string, unknown> | undefined)?.[field]);
    return undefined;
  };
