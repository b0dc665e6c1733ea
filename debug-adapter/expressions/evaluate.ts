/** The doors to expressions: compiled once, so that a breakpoint's condition costs little each time. */
import { UserError } from '../../emulator/util/assert';
import type { Type, Variable } from '../symbols/api';
import { Compiler } from './compiler';
import type { Node } from './nodes';
import type { Scope } from './scope';
import { loadScalar, type Value } from './values';

export type { Scope };

export interface Compiled {
  (): Value;
  readonly type: Type;
  /** For conditions: no object is made. Throws UserError as the whole does. */
  test(): boolean;
}

/** @throws ExpressionError (a UserError) with the column. The result throws UserError when it cannot be evaluated now. */
export const compile = (text: string, scope: Scope, options: { assign?: boolean } = {}): Compiled => {
  const node = new Compiler(scope, options.assign ?? false).compile(text);
  return finished(scope, node);
};

/** `target = value`, for edits: a UserError where `target` has no place or the value does not fit. Returns what is there then. */
export const compileAssignment = (target: string, value: string, scope: Scope): Compiled => {
  const compiler = new Compiler(scope, true);
  return finished(scope, compiler.assignment(compiler.compile(target), compiler.compile(value), 1));
};

/** A variable's value; what cannot be read says why. */
export const variableValue = (variable: Variable, scope: Scope): Value => {
  const node = new Compiler(scope, false).variable(variable);
  try {
    return finished(scope, node)();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { type: variable.type, value: undefined, unavailable: error.message };
  }
};

const finished = (scope: Scope, node: Node): Compiled => {
  const { read, text, place, type } = node;
  const evaluate = (): Value => {
    if (text) return { type, value: text() };
    if (place) {
      const location = place();
      return { type, value: location.kind === 'register' ? read!() : loadScalar(scope, type, location), location };
    }
    return { type, value: read?.() };
  };
  const scalar = read ?? text;
  const test = scalar
    ? (): boolean => {
        const value = scalar();
        return value !== undefined && value !== 0n && value !== 0 && value !== '' && !Number.isNaN(value);
      }
    : (): boolean => {
        throw new UserError(`A value of type ${type.name} is neither true nor false.`);
      };
  return Object.assign(evaluate, { type, test });
};
