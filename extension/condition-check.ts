/** A condition before there is a session: its grammar is checked, its names are not, and names of the stop are offered. */
import { STOP_NAMES, valuesAt } from '../debug-adapter/condition-names';
import { ExpressionError } from '../debug-adapter/expressions/errors';
import { parse } from '../debug-adapter/expressions/parser';
import type { CustomRequests } from '../debug-adapter/protocol';

type Answer = CustomRequests['ringside/condition']['body'];

/** As `ringside/condition` answers. */
export function checkOffline(text: string): Answer {
  const values = valuesAt(text).map((value) => ({ ...value, length: text.length - value.start }));
  const prefix = /[A-Za-z_][\w.]*$/.exec(text)?.[0] ?? '';
  const names = STOP_NAMES.filter((name) => prefix !== '' && name.startsWith(prefix) && name !== prefix);
  const items = values.length > 0 ? values : names.map((label) => ({ label, text: label, start: text.length - prefix.length, length: prefix.length })); // prettier-ignore
  if (text.trim() === '') return { items };
  try {
    parse(text, { pointerBytes: 8, isValue: () => true });
    return { items };
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return { items, problem: { message: error.message, column: error.column } };
  }
}
