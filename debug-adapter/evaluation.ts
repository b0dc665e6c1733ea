/** TEMPORARY until expressions land. */
import { UserError } from '../emulator/util/assert';
import type { ConditionPlace } from './breakpoints';
import type { Debuggee } from './debuggee';
import type { ShownFrame } from './handles';
import { accessOf, variableNode } from './scopes/frame';
import type { Node } from './scopes/node';
import { topFrame, type CodeFrame } from './unwind';

export class Evaluator {
  constructor(private readonly target: Debuggee) {}

  private scalar(text: string, frame: CodeFrame): bigint {
    const { inspect } = this.target.machine;
    if (/^(0x[0-9a-f]+|\d+)$/i.test(text)) return BigInt(text);
    const register = inspect.registers(frame.cpu).get(text.replace(/^\$/, ''));
    if (register !== undefined) return register;
    const symbol = this.target.program.symbol(text);
    if (symbol !== undefined) return symbol;
    throw new UserError(`'${text}' is not known here.`);
  }

  private top(cpu: number): CodeFrame {
    return topFrame(this.target.unwinding, cpu);
  }

  condition(text: string, _place: ConditionPlace): (cpu: number) => boolean {
    const match = /^(.+?)\s*(==|!=|<|>|>=|<=)\s*(.+)$/.exec(text);
    if (!match) throw new UserError(`Cannot understand ${text}`);
    return (cpu) => {
      const frame = this.top(cpu);
      const a = match[1]!.startsWith('trap.')
        ? BigInt((_place.trap!() as never)[match[1]!.slice(5)])
        : this.scalar(match[1]!, frame);
      const b = this.scalar(match[3]!, frame);
      return match[2] === '==' ? a === b : match[2] === '!=' ? a !== b : match[2] === '<' ? a < b : a > b;
    };
  }
  text(text: string, _place: ConditionPlace): (cpu: number) => string {
    return (cpu) => `${this.scalar(text, this.top(cpu))}`;
  }
  address(text: string, frameId?: number): bigint {
    return this.scalar(text, this.target.codeFrameOf(frameId).frame);
  }
  locate(text: string, at: { shown: ShownFrame; frame: CodeFrame }): { gva: bigint; bytes: number } | undefined {
    return this.node(text, at, () => {}).memory;
  }
  node(text: string, at: { shown: ShownFrame; frame: CodeFrame }, edited: () => void): Node {
    const { program } = this.target;
    const access = accessOf(this.target, at.frame, edited);
    const variable =
      program.variablesAt(at.frame.lookup, at.shown.depth).find((each) => each.name === text) ?? program.global(text);
    if (variable) return variableNode(this.target, variable, at.frame, access);
    return { name: text, value: `0x${this.scalar(text, at.frame).toString(16)}` };
  }
  amount(text: string, _frame: ShownFrame | undefined): string {
    return text;
  }
}
