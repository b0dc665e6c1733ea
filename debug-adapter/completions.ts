/** Names that fit where the user is typing: locals, registers, symbols, members. */
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Debuggee } from './debuggee';
import type { ShownFrame } from './handles';
import type { CodeFrame } from './frames';
import { LINUX_COMMANDS } from './linux/commands';
import { STOP_NAMES, valuesAt } from './condition-names';
import { LINUX_NAMES } from './linux/specials';

const LIMIT = 100;
const COMMANDS = ['translate ', 'check shadow', 'info registers', 'help', 'x/8gx ', ...LINUX_COMMANDS];

type Item = DebugProtocol.CompletionItem;

/** `column` counts from 0. */
export function completionsAt(
  target: Debuggee,
  text: string,
  column: number,
  at: { shown: ShownFrame; frame: CodeFrame } | undefined,
): Item[] {
  const before = text.slice(0, Math.max(0, column));
  const values = valuesAt(before);
  if (values.length > 0)
    return values.map(({ start: from, ...value }) => ({
      ...value,
      type: 'value',
      start: from,
      length: before.length - from,
    }));
  const prefix = /[$A-Za-z_][\w.]*$|\$$/.exec(before)?.[0] ?? '';
  const start = before.length - prefix.length;
  const item = (label: string, type: Item['type']): Item => ({ label, type, start, length: prefix.length });
  if (prefix.startsWith('$')) return registerNames(target, prefix.slice(1)).map((name) => item(`$${name}`, 'variable'));
  const ofLinux = prefix === '' || !target.linux.expected ? [] : LINUX_NAMES.filter((name) => name.startsWith(prefix));
  const known = target.machine.virtualization ? STOP_NAMES : STOP_NAMES.filter((name) => name.startsWith('trap.'));
  const exitNames = prefix === '' ? [] : known.filter((name) => name.startsWith(prefix));
  if (/^(trap|exit|hole|hypercall)\./.test(prefix)) return exitNames.map((name) => item(name, 'property'));
  if (prefix.startsWith('linux.')) return ofLinux.map((name) => item(name, 'property'));
  const member = /^(.*)(\.|->)(\w*)$/s.exec(before);
  if (member !== null && at !== undefined) return members(target, member, at, before.length);
  if (prefix === '') return [];
  const items: Item[] = [];
  if (start === 0)
    items.push(...COMMANDS.filter((each) => each.startsWith(prefix)).map((each) => item(each, 'keyword')));
  if (at !== undefined) {
    const locals = target.program.variablesAt(at.frame.lookup, at.shown.depth).map(({ name }) => name);
    items.push(...locals.filter((name) => name.startsWith(prefix)).map((name) => item(name, 'variable')));
  }
  items.push(...[...ofLinux, ...exitNames].map((name) => item(name, 'property')));
  items.push(...target.program.complete(prefix, LIMIT).map((name) => item(name, 'function')));
  const seen = new Set<string>();
  return items.filter(({ label }) => !seen.has(label) && seen.add(label)).slice(0, LIMIT);
}

const registerNames = (target: Debuggee, prefix: string): string[] =>
  Object.values(target.machine.inspect.registers(target.currentCpu).groups)
    .flat()
    .filter((name) => name.startsWith(prefix))
    .slice(0, LIMIT);

function members(
  target: Debuggee,
  [, expression = '', , prefix = '']: RegExpExecArray,
  at: { shown: ShownFrame; frame: CodeFrame },
  end: number,
): Item[] {
  const object = /[\w$.[\]>()*-]+$/.exec(expression)?.[0] ?? expression;
  let names: string[];
  try {
    const node = target.evaluator.node(object, at, () => {});
    names = (node.children?.indexed === undefined ? node.children?.list() : undefined)?.map(({ name }) => name) ?? [];
  } catch {
    return []; // Half an expression: nothing to offer.
  }
  const fitting = names.filter((name) => name.startsWith(prefix) && /^\w/.test(name));
  return fitting.map((label) => ({ label, type: 'field', start: end - prefix.length, length: prefix.length }));
}
