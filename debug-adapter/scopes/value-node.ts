/** A value of the guest's program as a node of the tree: its parts on demand, editable where it lies somewhere. */
import { UserError } from '../../emulator/util/assert';
import { bare } from '../expressions/c-types';
import { compile, type Scope } from '../expressions/evaluate';
import { childCounts, children, formatValue, type FormatOptions } from '../expressions/format';
import { convertTo, storeScalar, type Value } from '../expressions/values';
import type { Node } from './node';

/** `path` is an expression that yields the value, when there is one. `scope` reads and writes the guest. */
export function valueNode(name: string, value: Value, scope: Scope, options: FormatOptions, path?: string): Node {
  const node: Node = { name, type: value.type.name, value: formatValue(value, scope, options) };
  if (path !== undefined) node.evaluateName = path;
  const { named, indexed } = childCounts(value);
  if (named + indexed > 0) {
    const list = (start?: number, count?: number): Node[] =>
      children(value, scope, path, start, count).map((child) =>
        valueNode(child.name, child.value, scope, options, child.evaluateName),
      );
    node.children = indexed > 0 ? { indexed, list } : { list };
  }
  places(node, value);
  const { location } = value;
  if (location !== undefined && /^(base|pointer|enum)$/.test(bare(value.type).kind)) {
    node.set = (text) => storeScalar(scope, value.type, location, convertTo(value.type, numberOf(text, scope)));
  }
  return node;
}

/** What memory views and data breakpoints open. */
function places(node: Node, { type, value, location }: Value): void {
  const inner = bare(type);
  if (location?.kind === 'memory' && location.space !== 'hp') {
    const { bits } = location;
    const bytes = bits ? Math.ceil((bits.offset + bits.size) / 8) : type.bytes;
    if (location.space === 'gv') node.memory = { gva: location.address, bytes };
    node.reference = { space: location.space, value: location.address };
  }
  if (inner.kind === 'pointer' && typeof value === 'bigint') node.reference = { space: 'gv', value };
}

/** What the user typed, evaluated where the value is: a number, an enumeration constant, `old + 1`. */
function numberOf(text: string, scope: Scope): bigint | number {
  const { value, type } = compile(
    text.trim().replace(/^(true|false)$/, (word) => (word === 'true' ? '1' : '0')),
    scope,
  )();
  if (typeof value !== 'bigint' && typeof value !== 'number') {
    throw new UserError(`'${text}' is of type ${type.name}; give a number.`);
  }
  return value;
}
