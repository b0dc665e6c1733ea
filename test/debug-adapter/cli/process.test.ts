/** The program as people and scripts call it: output, exit status, report. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from '../../../debug-adapter/cli/main';

const root = join(__dirname, '../../..');
const sample = join(root, 'guests/sample/sample.elf');

interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

const cli = (args: string[], during?: (stdout: string, kill: () => void) => void): Promise<Ended> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'debug-adapter/cli.ts', ...args], { cwd: root });
    const ended: Ended = { status: null, stdout: '', stderr: '' };
    child.stdout.on('data', (data: Buffer) => {
      ended.stdout += data.toString('latin1').replaceAll('\r', '');
      during?.(ended.stdout, () => child.kill('SIGINT'));
    });
    child.stderr.on('data', (data: Buffer) => (ended.stderr += data.toString()));
    child.on('close', (status) => resolve({ ...ended, status }));
  });

/** The same without a process of its own, which would have to be compiled each time. */
const inProcess = async (args: string[]): Promise<Ended> => {
  const ended: Ended = { status: null, stdout: '', stderr: '' };
  const { stdout, stderr } = process;
  const write = { stdout: stdout.write.bind(stdout), stderr: stderr.write.bind(stderr) };
  const text = (data: string | Uint8Array): string => Buffer.from(data as Uint8Array).toString('latin1');
  stdout.write = (data: string | Uint8Array) => ((ended.stdout += text(data).replaceAll('\r', '')), true);
  stderr.write = (data: string | Uint8Array) => ((ended.stderr += text(data)), true);
  try {
    ended.status = await main(args);
  } finally {
    Object.assign(stdout, { write: write.stdout });
    Object.assign(stderr, { write: write.stderr });
  }
  return ended;
};

describe('cli: the program', () => {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'ringside-'))));
  after(() => rmSync(folder, { recursive: true }));
  const file = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };

  it('runs the sample kernel to its end, twice the same', async () => {
    const reports = [join(folder, 'a.json'), join(folder, 'b.json')];
    for (const [i, report] of reports.entries()) {
      const ran = await [cli, inProcess][i]!(['run', sample, '--append', 'exit', '--memory', '64M', '--json', report]);
      assert.deepEqual([ran.status, ran.stderr], [0, '']);
      assert.match(ran.stdout, /^Ringside sample kernel\n(.*\n)*all tasks have exited: 7 page faults, 27 system calls/);
    }
    const [a, b] = reports.map((report) => JSON.parse(readFileSync(report, 'utf8')) as Record<string, unknown>);
    assert.deepEqual(Object.keys(a!), ['instructions', 'seconds', 'stop', 'technique', 'paging', 'exits', 'stateHash']);
    assert.deepEqual({ ...a, seconds: 0 }, { ...b, seconds: 0 });
    assert.match(a!.stateHash as string, /^[0-9a-f]{16}$/);
    assert.deepEqual([a!.stop, a!.technique, a!.exits], ['debug-exit', 'none', {}]);
  });

  it('stops at --until with status 0, at --fail with 1, at a limit with 3', async () => {
    const until = await inProcess(['run', sample, '--until', 'round 2']);
    assert.equal(until.status, 0);
    assert.match(until.stdout, /walker: round 2$/);
    const fail = await inProcess(['run', sample, '--fail', 'timer']);
    assert.equal(fail.status, 1);
    assert.match(fail.stderr, /^ringside: the console matched --fail \(\d+ instructions\)\.\n$/);
    const limit = await inProcess(['run', sample, '--max-instructions', '12345', '--json', '-']);
    assert.equal(limit.status, 3);
    assert.match(limit.stderr, /"instructions":12345,.*"stop":"limit"/);
  });

  it('ends with a report when it is interrupted', async () => {
    let killed = false;
    const ran = await cli(['run', sample, '--json', '-'], (text, kill) => {
      if (killed || !text.includes('round 3')) return;
      killed = true; // a second signal would end the process at once
      kill();
    });
    assert.equal(ran.status, 130);
    assert.match(ran.stderr, /"stop":"interrupted".*\n.*interrupted/);
  });

  it('says in one line what is wrong, with status 2', async () => {
    const rows: [string[], RegExp][] = [
      [['run', join(folder, 'none')], /none: there is no such file; check the path\.$/],
      [['run', folder], /this is a folder/],
      [['run', file('text', 'not a kernel\n')], /the file is text; give an ELF kernel/],
      [['run', sample, '--script', file('script', 'expect x\nshout y\n')], /script, line 2: "shout y"/],
      [['run', sample, '--json', join(folder, 'no/where.json')], /--json cannot be written/],
      [['run', sample, '--technique', 'paravirtual'], /no notes of owner Xen/],
    ];
    for (const [args, message] of rows) {
      const ran = await inProcess(args);
      assert.deepEqual([ran.status, ran.stdout], [2, ''], args.join(' '));
      assert.match(ran.stderr.trimEnd(), message);
      assert.equal(ran.stderr.trimEnd().split('\n').length, 1);
    }
    const help = await inProcess(['--help']);
    assert.equal(help.status, 0);
    assert.match(help.stdout, /^Usage: ringside run KERNEL/);
  });
}).timeout(120_000);
