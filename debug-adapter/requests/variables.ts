/** variables, setVariable. */
import type { DebugProtocol } from '@vscode/debugprotocol';
import { UserError } from '../../emulator/util/assert';
import { memoryReference } from '../addresses';
import { integer, object, oneOf, optional, string } from '../arguments';
import type { Container, ShownFrame } from '../handles';
import type { Node } from '../scopes/node';
import type { RingsideSession } from '../session';
import { handler } from './handler';

function containerOf(session: RingsideSession, reference: number): Container {
  const container = session.stopped.handles.container(reference);
  if (container === undefined) {
    throw new UserError(`Variables ${reference} are gone: the machine has run since. Ask for the stack again.`);
  }
  return container;
}

/** A node with the references through which a client asks on. */
export function describeNode(session: RingsideSession, node: Node, frame?: ShownFrame): DebugProtocol.Variable {
  const { children } = node;
  const result: DebugProtocol.Variable = {
    name: node.name,
    value: node.value,
    variablesReference:
      children === undefined ? 0 : session.target.handles.addContainer({ children, ...(frame ? { frame } : {}) }),
  };
  if (node.type !== undefined) result.type = node.type;
  if (node.evaluateName !== undefined) result.evaluateName = node.evaluateName;
  if (children?.indexed !== undefined) result.indexedVariables = children.indexed;
  if (node.reference !== undefined) result.memoryReference = memoryReference(node.reference);
  if (node.set === undefined) result.presentationHint = { attributes: ['readOnly'] };
  if (node.kind === 'virtual') result.presentationHint = { kind: 'virtual', attributes: ['readOnly'] };
  return result;
}

const MAX_PAGE = 4096;

export const variables = handler(
  object({
    variablesReference: integer(1),
    filter: optional(oneOf('indexed', 'named')),
    start: optional(integer(0)),
    count: optional(integer(0)),
  }),
  (session, { variablesReference, filter, start = 0, count = 0 }) => {
    const { children, frame } = containerOf(session, variablesReference);
    const wanted = Math.min(MAX_PAGE, count === 0 ? MAX_PAGE : count);
    const isArray = children.indexed !== undefined;
    if (filter !== undefined && isArray !== (filter === 'indexed')) return { variables: [] };
    const nodes = isArray
      ? children.list(start, wanted)
      : children.list().slice(start, count === 0 ? undefined : start + count);
    return { variables: nodes.map((node) => describeNode(session, node, frame)) };
  },
);

/** The node of that name: array elements are found by their index. */
function childNamed(container: Container, name: string): Node {
  const index = /^\[(\d{1,15})\]$/.exec(name);
  const { children } = container;
  const list = index && children.indexed !== undefined ? children.list(Number(index[1]), 1) : children.list();
  const node = list.find((each) => each.name === name);
  if (node === undefined) throw new UserError(`There is no variable '${name}' here.`);
  return node;
}

export const setVariable = handler(
  object({ variablesReference: integer(1), name: string, value: string }),
  (session, { variablesReference, name, value }) => {
    const container = containerOf(session, variablesReference);
    const node = childNamed(container, name);
    if (node.set === undefined) throw new UserError(`${name} cannot be changed.`);
    node.set(value);
    const {
      name: _,
      evaluateName: __,
      ...changed
    } = describeNode(session, childNamed(container, name), container.frame);
    return changed;
  },
);
