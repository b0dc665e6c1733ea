import { UserError } from '../../emulator/util/assert';

/** A mistake in an expression: the message begins with its column, counted from 1. */
export class ExpressionError extends UserError {
  constructor(
    readonly column: number,
    problem: string,
  ) {
    super(`Column ${column}: ${problem}.`);
  }
}
