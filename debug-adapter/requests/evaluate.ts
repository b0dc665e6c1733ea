/** evaluate, setExpression, completions. */
import { UserError } from '../../emulator/util/assert';
import { integer, object, optional, string } from '../arguments';
import { completionsAt } from '../completions';
import { runCommand } from '../repl-commands';
import { handler } from './handler';
import { describeNode } from './variables';

export const evaluate = handler(
  object({
    expression: string,
    frameId: optional(integer(0)),
    context: optional(string),
  }),
  (session, { expression, frameId, context }) => {
    const target = session.target;
    const text = expression.trim();
    if (text === '') throw new UserError('The expression is empty; write one, or `help`.');
    if (context === 'repl') {
      const printed = runCommand(target, text, frameId);
      const answer = (result: string): object => ({ result, variablesReference: 0 });
      if (printed !== undefined) return typeof printed === 'string' ? answer(printed) : printed.then(answer);
    }
    // Values change under a running machine; only the console, where the user asks now, may look.
    if (context !== 'repl') target.mustStand();
    const at = target.codeFrameOf(frameId);
    const node = target.evaluator.node(text, at, () => session.edited(['all']), context === 'repl');
    const { name: _, value, evaluateName: __, ...rest } = describeNode(session, node, at.shown);
    return { result: value, ...rest };
  },
);

export const setExpression = handler(
  object({ expression: string, value: string, frameId: optional(integer(0)) }),
  (session, { expression, value, frameId }) => {
    const target = session.stopped;
    const at = target.codeFrameOf(frameId);
    const edited = (): void => session.edited(['all']);
    const node = target.evaluator.assign(expression, value, at, edited);
    const { name: _, evaluateName: __, ...rest } = describeNode(session, node, at.shown);
    return rest;
  },
);

export const completions = handler(
  object({ text: string, column: integer(), line: optional(integer()), frameId: optional(integer(0)) }),
  (session, { text, column, frameId }) => {
    const target = session.target;
    const at = target.running ? undefined : target.codeFrameOf(frameId);
    return { targets: completionsAt(target, text, column - session.client.firstColumn, at) };
  },
);
