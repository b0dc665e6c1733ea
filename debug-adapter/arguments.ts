/**
 * Checks of what clients send. Types are promises that a client may break, so nothing is used before it was checked.
 * A Check returns the value with its type, or throws a UserError naming the place.
 */
import { UserError } from '../emulator/util/assert';

export type Check<T> = (value: unknown, place: string) => T;
export type Checked<C> = C extends Check<infer T> ? T : never;

const show = (value: unknown): string => {
  const text = JSON.stringify(value) ?? 'missing';
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
};

const refuse = (value: unknown, place: string, wanted: string): never => {
  throw new UserError(
    value === undefined ? `'${place}' is missing; give ${wanted}.` : `'${place}' is ${show(value)}; give ${wanted}.`,
  );
};

export const string: Check<string> = (value, place) =>
  typeof value === 'string' ? value : refuse(value, place, 'a string');

export const boolean: Check<boolean> = (value, place) =>
  typeof value === 'boolean' ? value : refuse(value, place, 'true or false');

/** A whole number that JavaScript holds exactly, within bounds where given. */
export const integer =
  (minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER): Check<number> =>
  (value, place) => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= minimum && value <= maximum) return value;
    const bounds = minimum > Number.MIN_SAFE_INTEGER ? ` from ${minimum}` : '';
    return refuse(value, place, `a whole number${bounds}${maximum < Number.MAX_SAFE_INTEGER ? ` to ${maximum}` : ''}`);
  };

export const oneOf =
  <const T extends string>(...choices: readonly T[]): Check<T> =>
  (value, place) =>
    choices.includes(value as T)
      ? (value as T)
      : refuse(value, place, choices.map((choice) => JSON.stringify(choice)).join(' or '));

/** Null counts as absent: several clients write it for what they leave out. */
export const optional =
  <T>(check: Check<T>): Check<T | undefined> =>
  (value, place) =>
    value === undefined || value === null ? undefined : check(value, place);

export const array =
  <T>(check: Check<T>): Check<T[]> =>
  (value, place) =>
    Array.isArray(value)
      ? value.map((element, index) => check(element, `${place}[${index}]`))
      : refuse(value, place, 'a list');

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const record =
  <T>(check: Check<T>): Check<Record<string, T>> =>
  (value, place) => {
    if (!isObject(value)) return refuse(value, place, 'an object');
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, check(each, `${place}.${key}`)]));
  };

type Fields = Record<string, Check<unknown>>;

/** Fields that the shape does not name are ignored, as DAP demands of newer clients. */
export const object =
  <F extends Fields>(fields: F): Check<{ [K in keyof F]: Checked<F[K]> }> =>
  (value, place) => {
    if (!isObject(value)) return refuse(value, place, 'an object');
    const result: Record<string, unknown> = {};
    for (const [key, check] of Object.entries(fields)) {
      result[key] = check(value[key], place === '' ? key : `${place}.${key}`);
    }
    return result as { [K in keyof F]: Checked<F[K]> };
  };

/** For requests whose arguments may be left out altogether. */
export const maybeObject =
  <F extends Fields>(fields: F): Check<{ [K in keyof F]: Checked<F[K]> }> =>
  (value, place) =>
    object(fields)(value ?? {}, place);
