import assert from 'node:assert/strict';
import { Run } from '../../../debug-adapter/cli/run';
import { parseScript } from '../../../debug-adapter/cli/script';
import { ConsoleLine } from '../../../debug-adapter/cli/text';
import type { Machine, Stop } from '../../../emulator/machine/api';
import { UserError } from '../../../emulator/util/assert';

/** A guest that writes one character an instruction, says `name?`, and echoes what is typed in capitals. */
class FakeMachine {
  instructions = 0;
  onConsole?: (bytes: Uint8Array) => void;
  typed: [instructions: number, text: string][] = [];
  private requested = false;
  private text: string;

  constructor(
    output: string,
    private readonly end: Stop,
  ) {
    this.text = output;
  }
  requestStop(): void {
    this.requested = true;
  }
  typeConsole(bytes: Uint8Array): void {
    const text = Buffer.from(bytes).toString('latin1');
    this.typed.push([this.instructions, text]);
    this.text = text.toUpperCase() + this.text;
  }
  run(instructions: number): Stop {
    for (let i = 0; i < instructions; i++) {
      if (this.requested) {
        this.requested = false;
        return { kind: 'requested' };
      }
      const char = this.text[0];
      if (char === undefined) return this.end;
      this.text = this.text.slice(1);
      this.instructions++;
      this.onConsole?.(Uint8Array.of(char.charCodeAt(0)));
    }
    return { kind: 'limit' };
  }
}

interface Case {
  output: string;
  end?: Stop;
  until?: RegExp;
  fail?: RegExp;
  input?: string;
  script?: string;
  maxInstructions?: number;
  interrupt?: boolean;
}

const check = async ({ output, end = { kind: 'power-off' }, script = '', interrupt, ...options }: Case) => {
  const machine = new FakeMachine(output, end);
  let text = '';
  const host = { write: (bytes: Uint8Array) => void (text += Buffer.from(bytes).toString('latin1')), warn: () => {}, interrupted: () => interrupt ?? false }; // prettier-ignore
  const limits = { until: undefined, fail: undefined, input: undefined, maxInstructions: Infinity, ...options };
  const run = new Run(machine as unknown as Machine, limits, parseScript('s', script), host);
  const outcome = await run.toTheEnd();
  return { stop: outcome.stop, status: outcome.status, text, machine };
};

const event = { vector: 14, source: 'exception', rip: 0x10n, cpl: 0 } as const;

describe('cli: how a run ends', () => {
  const rows: [string, Case, string, number][] = [
    ['power-off', { output: 'x' }, 'power-off', 0],
    ['until', { output: 'boot\nlogin: root\n', until: /login:/ }, 'until', 0],
    ['until at the start of a line', { output: 'a\r\nlogin', until: /^login$/ }, 'until', 0],
    ['until through colours and cursor moves', { output: '\x1b[3;1HTe\x1b[31mst', until: /^Test$/ }, 'until', 0],
    ['until never comes', { output: 'abc', until: /z/ }, 'power-off', 0],
    ['fail', { output: 'Kernel panic', fail: /panic/ }, 'fail', 1],
    ['fail before until', { output: 'panic', fail: /panic/, until: /panic/ }, 'fail', 1],
    ['limit', { output: 'x'.repeat(50), maxInstructions: 10 }, 'limit', 3],
    ['limit just at the end', { output: 'x'.repeat(10), maxInstructions: 10 }, 'limit', 3],
    ['triple fault', { output: '', end: { kind: 'triple-fault', cpu: 0, event } }, 'triple-fault', 1],
    ['dead halt', { output: '', end: { kind: 'dead-halt' } }, 'dead-halt', 1],
    ['reset', { output: '', end: { kind: 'reset' } }, 'reset', 1],
    ['idle', { output: '', end: { kind: 'idle' } }, 'idle', 3],
    ['debug exit 0', { output: '', end: { kind: 'debug-exit', code: 1 } }, 'debug-exit', 0],
    ['debug exit 3', { output: '', end: { kind: 'debug-exit', code: 7 } }, 'debug-exit', 1],
    ['interrupted', { output: '', end: { kind: 'limit' }, interrupt: true }, 'interrupted', 130],
  ];
  for (const [what, options, stop, status] of rows)
    it(what, async () => {
      const ran = await check(options);
      assert.deepEqual([ran.stop, ran.status], [stop, status]);
    });

  it('stops at the very character', async () => {
    const { text, machine } = await check({ output: 'abcdef', until: /c/ });
    assert.deepEqual([text, machine.instructions], ['abc', 3]);
  });
});

describe('cli: input and script', () => {
  it('types --input at the start', async () => {
    const { text, machine } = await check({ output: '!', input: 'hi\r' });
    assert.deepEqual([text, machine.typed], ['HI\r!', [[0, 'hi\r']]]);
  });

  it('answers each expectation once, at the instruction that met it', async () => {
    const script = '# a conversation\nexpect name\\?\nsend me\\r\nexpect age\\?\nsend 4\nsend 2\n';
    const { text, machine } = await check({ output: 'name? age? bye', script });
    assert.equal(text, 'name?ME\r age?42 bye');
    assert.deepEqual(machine.typed, [[5, 'me\r'], [13, '42']]); // prettier-ignore
  });

  it('does not meet an expectation with what came before', async () => {
    const { machine } = await check({ output: 'aa', script: 'expect a\nsend 1\nexpect aa\nsend 2' });
    assert.deepEqual(machine.typed, [[1, '1']]);
  });

  const bad: [string, RegExp][] = [
    ['expect a\nwait 5', /^s, line 2: "wait 5" is no step; write/],
    ['expect', /line 1/],
    ['expect (', /^s, line 1: .*no regular expression/],
  ];
  for (const [script, message] of bad)
    it(`refuses ${JSON.stringify(script)}`, () => {
      assert.throws(() => parseScript('s', script), (error) => error instanceof UserError && message.test(error.message)); // prettier-ignore
    });
});

describe('cli: the line that the guest is writing', () => {
  const rows: [string, string][] = [
    ['a\nb', 'b'],
    ['ab\bc', 'ac'],
    ['\x1b[1;31mred\x1b[0m', 'red'],
    ['left\x1b[10;20Hright', 'right'],
    ['a\x1bcb', 'ab'],
    ['\x1b[?25lx', 'x'],
    ['x'.repeat(5000) + 'y', 'x'.repeat(1023) + 'y'],
  ];
  for (const [written, seen] of rows)
    it(JSON.stringify(written.slice(0, 40)), () => {
      const line = new ConsoleLine();
      for (const char of written) line.add(char.charCodeAt(0));
      assert.equal(line.current, seen);
    });
});
