/** Our own bugs end here: a broken invariant of Ringside, never something that a guest or a user did. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`Ringside is wrong about itself: ${message}`);
}

/** The compiler proves that this is never reached; `value` names the forgotten case when the proof was cheated. */
export function unreachable(value: never): never {
  throw new Error(`Ringside is wrong about itself: unexpected ${String(value)}`);
}

/** The user's mistake: one sentence that names the file or attribute, the place and the remedy. Shown as it is. */
export class UserError extends Error {
  override readonly name = 'UserError';
}
