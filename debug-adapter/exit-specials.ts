/** Names of an exit or of a silent hole, as conditions write them: `exit.reason`, `exit.gpa`, `exit.port`, `hole.mnemonic`. */
import type { SilentHole, VmExit } from '../emulator/machine/api';
import { UserError } from '../emulator/util/assert';
import { isReason, reasonOf, unknownReason } from './exit-text';
import type { Specials } from './expression-scope';
import { ExpressionError } from './expressions/errors';

export type HypercallView = NonNullable<VmExit['hypercall']>;

type Plain = bigint | string | undefined;

const plain = (value: unknown): Plain => {
  if (typeof value === 'number') return BigInt(value);
  if (typeof value === 'boolean') return value ? 1n : 0n;
  return typeof value === 'bigint' || typeof value === 'string' ? value : undefined;
};

/** Fields that some exit has; what one exit has not has no value there. */
export const EXIT_NAMES = [
  'reason', 'gva', 'gpa', 'address', 'cpl', 'mnemonic', 'vcpu', 'domain', 'code', 'port', 'bytes', 'write', 'string', 'msr',
  'register', 'access', 'value', 'vector', 'errorCode', 'at', 'table', 'misconfigured', 'store', 'offset', 'selector', 'source', 'rep',
] as const; // prettier-ignore
export const HOLE_NAMES = ['mnemonic', 'gva', 'vcpu', 'domain', 'at'] as const;
/** Of a hypercall: `frame` and `entry` are what it changes, `target` the frame that the new entry names. */
export const HYPERCALL_NAMES = [
  'name', 'number', 'command', 'frame', 'entry', 'target', 'pfn', 'value', 'va', 'count', 'domid', 'port', 'flags', 'ma', 'descriptor', 'address',
  'arg0', 'arg1', 'arg2', 'arg3', 'arg4', 'arg5',
] as const; // prettier-ignore
const hypercallField = (call: HypercallView, field: string): Plain => {
  if (field === 'name') return call.name;
  if (field === 'number') return BigInt(call.number);
  if (field === 'command') return call.operation ?? call.command;
  const index = /^arg(\d)$/.exec(field)?.[1];
  if (index !== undefined) return call.args[Number(index)];
  return (call.about as Record<string, bigint> | undefined)?.[field] ?? call.arguments?.find(({ name }) => name === field)?.value;
}; // prettier-ignore

/** An exit's own fields first, then those of its cause, then those of the event that caused it. */
export const exitField = (exit: VmExit, name: string): Plain => {
  const cause = exit.cause as unknown as Record<string, unknown>;
  for (const source of [exit, cause, cause.event]) {
    const value = plain((source as Record<string, unknown> | undefined)?.[name]);
    if (value !== undefined) return value;
  }
  return undefined;
};

export const exitSpecials =
  (
    exit: () => VmExit | undefined,
    hole: () => SilentHole | undefined,
    hypercall: () => HypercallView | undefined = () => exit()?.hypercall,
  ): Specials =>
  (name) => {
    const [, object, field] = /^(exit|hole|hypercall)\.(\w+)$/.exec(name) ?? [];
    if (object === 'exit' && (EXIT_NAMES as readonly string[]).includes(field))
      return () => {
        const now = exit();
        return now && exitField(now, field);
      };
    if (object === 'hole' && (HOLE_NAMES as readonly string[]).includes(field))
      return () => plain((hole() as unknown as Record<string, unknown> | undefined)?.[field]);
    if (object === 'hypercall' && (HYPERCALL_NAMES as readonly string[]).includes(field))
      return () => {
        const now = hypercall();
        return now && hypercallField(now, field);
      };
    if (object !== undefined) {
      const names: readonly string[] =
        object === 'exit' ? EXIT_NAMES : object === 'hole' ? HOLE_NAMES : HYPERCALL_NAMES;
      throw new UserError(`"${name}" does not exist: of ${object} there are ${names.join(', ')}`);
    }
    return undefined;
  };

/** A comparison with what is no reason is never true: the user is told, with the column. */
export function checkReasons(condition: string): void {
  for (const { index, 1: before = '', 2: text = '' } of condition.matchAll(/(exit\.reason\s*[!=]=\s*)"([^"]*)"/g))
    if (!isReason(reasonOf(text)))
      throw new ExpressionError(index + before.length + 1, unknownReason(text).replace(/\.$/, ''));
}
