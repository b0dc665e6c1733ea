/** `--script`: a conversation with the guest's console. */
import { UserError } from '../../emulator/util/assert';
import { regex } from './arguments';
import { ConsoleLine, unescape } from './text';

export type ScriptStep = { kind: 'expect'; pattern: RegExp; line: number } | { kind: 'send'; text: string };

/** UserError names the file and the line. */
export const parseScript = (name: string, text: string): ScriptStep[] => {
  const steps: ScriptStep[] = [];
  text.split(/\r?\n/).forEach((raw, i) => {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) return;
    const [, verb, rest] = /^(\S+)\s?(.*)$/.exec(line)!;
    const place = `${name}, line ${i + 1}`;
    if (verb === 'expect' && rest)
      steps.push({ kind: 'expect', pattern: regex(`${place}: ${rest}`, rest)!, line: i + 1 });
    else if (verb === 'send') steps.push({ kind: 'send', text: unescape(rest!) });
    else throw new UserError(`${place}: "${line}" is no step; write "expect REGEX" or "send TEXT".`);
  });
  return steps;
};

export class Script {
  private at = 0;
  private readonly line = new ConsoleLine();

  constructor(private readonly steps: readonly ScriptStep[]) {}

  /** The step that it waits for. */
  get waiting(): ScriptStep | undefined {
    return this.steps[this.at];
  }

  /** What to type now, before the guest writes anything more. */
  due(): string {
    let text = '';
    for (let step = this.waiting; step?.kind === 'send'; step = this.waiting) {
      text += step.text;
      this.at++;
    }
    return text;
  }

  /** The guest wrote a byte. True: that was what it waited for; the next `expect` sees only what comes after it. */
  hear(byte: number): boolean {
    const step = this.waiting;
    if (!this.line.add(byte) || step?.kind !== 'expect' || !step.pattern.test(this.line.current)) return false;
    this.line.clear();
    this.at++;
    return true;
  }
}
