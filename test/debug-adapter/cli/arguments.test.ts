import assert from 'node:assert/strict';
import { parseCommand } from '../../../debug-adapter/cli/arguments';
import type { RunOptions } from '../../../debug-adapter/cli/arguments';
import { UserError } from '../../../emulator/util/assert';

const parse = (line: string[]): RunOptions => {
  const command = parseCommand(line);
  assert.equal(command.kind, 'run');
  return (command as { options: RunOptions }).options;
};

const DISK = { interface: 'ide', media: 'disk', readOnly: false, writeback: false } as const;

describe('cli: arguments', () => {
  const rows: [string[], Partial<RunOptions>][] = [
    [[], { kernel: 'k', memory: 256 << 20, cpus: 1, modules: [], maxInstructions: Infinity, json: undefined }],
    [['--memory', '64M'], { memory: 64 << 20 }],
    [['--cpu', 'haswell,-avx2'], { cpu: 'haswell,-avx2' }],
    [['--memory', '1GiB'], { memory: 1 << 30 }],
    [['--memory', '65536K'], { memory: 64 << 20 }],
    [['--memory=4194304'], { memory: 4 << 20 }],
    [['--append', 'console=ttyS0 quiet'], { append: 'console=ttyS0 quiet' }],
    [['--append', '-v --json'], { append: '-v --json' }],
    [['--append', '--json'], { append: '--json' }],
    [['--module', 'a', '--module', 'b'], { modules: ['a', 'b'] }],
    [['--initrd', 'i', '--script', 's', '--json', '-'], { initrd: 'i', script: 's', json: '-' }],
    [['--input', 'a\\r\\x1b[A\\q'], { input: 'a\r\x1b[A\\q' }],
    [['--max-instructions', '1_000_000'], { maxInstructions: 1e6 }],
    [['--until', 'a+', '--fail', 'b$'], { until: /a+/, fail: /b$/ }],
    [['--disk', 'd'], { disks: [{ path: 'd', ...DISK }] }],
    [
      ['--disk', 'a,if=virtio,writeback', '--disk', 'b,media=cdrom', '--disk', 'c,ro,if=ide'],
      {
        disks: [
          { path: 'a', ...DISK, interface: 'virtio', writeback: true },
          { path: 'b', ...DISK, media: 'cdrom' },
          { path: 'c', ...DISK, readOnly: true },
        ],
      },
    ],
    [['--console', 'virtio'], { console: 'virtio' }],
    [['--technique', 'none', '--tier', 'interpreter', '--cpus', '4'], { cpus: 4, tier: 'interpreter' }],
  ];
  for (const [args, expected] of rows)
    it(args.join(' ') || '(none)', () => {
      for (const order of [['run', 'k', ...args], ['run', ...args, 'k']]) {
        const options = parse(order);
        for (const [key, value] of Object.entries(expected)) assert.deepEqual(options[key as keyof RunOptions], value, key);
      }
    }); // prettier-ignore

  const refused: [string[], RegExp][] = [
    [[], /no command/],
    [['boot', 'k'], /"boot" is not a command/],
    [['run'], /needs a kernel/],
    [['run', 'k', 'quiet'], /"quiet" is one name too many.*--append/],
    [['run', 'k', '--bogus'], /--bogus is not an option; see --help/],
    [['run', 'k', '--memroy', '64M'], /--memroy is not an option; did you mean --memory\? see --help/],
    [['rum', 'k'], /"rum" is not a command; try: run, or/],
    [['vmlinuz'], /"vmlinuz" is not a command; try: run vmlinuz, or/],
    [['run', 'k', '-z'], /-z is not an option/],
    [['run', 'k', '--append'], /--append needs a value/],
    [['run', 'k', '--help=yes'], /--help/],
    [['run', 'k', '--memory', 'lots'], /--memory is "lots"/],
    [['run', 'k', '--memory', '1M'], /from 2M/],
    [['run', 'k', '--memory', '64.5M'], /--memory/],
    [['run', 'k', '--memory', '4G'], /to 3072M/],
    [['run', 'k', '--memory', '1025K'], /whole MiB/],
    [['run', 'k', '--cpus', '0'], /--cpus is "0"/],
    [['run', 'k', '--cpus', '9'], /--cpus is "9"; give a whole number from 1 to 8\./],
    [['run', 'k', '--max-instructions', '-1'], /--max-instructions is "-1"/],
    [['run', 'k', '--max-instructions', '1e9'], /whole number/],
    [['run', 'k', '--until', '('], /--until is no regular expression/],
    [['run', 'k', '--technique', 'magic'], /--technique is "magic"; give one of none, trap/],
    [['run', 'k', '--paging', 'shadow'], /--paging shadow needs a technique/],
    [['run', 'k', '--paging', 'x'], /--paging is "x"/],
    [['run', 'k', '--tier', 'jit'], /--tier/],
    [['run', 'k', '--disk', ',ro'], /--disk is ",ro", which names no file/],
    [['run', 'k', '--disk', 'd,if=scsi'], /"if=scsi" is no option of a disk; give one of if=ide, if=virtio/],
    [['run', 'k', '--disk', 'd,media=cdrom,if=virtio'], /a CD-ROM is on IDE/],
    [['run', 'k', '--disk', 'd,ro,writeback'], /leave out ro or writeback/],
    [['run', 'k', '--console', 'vga'], /--console is "vga"; give one of serial, virtio/],
    [['run', 'k', '--firmware', 'b'], /--firmware starts what is on a disk, not "k"/],
    [['run', '--firmware', 'b', '--append', 'quiet'], /--append goes with a kernel/],
    [['run', 'k', '--vga-rom', 'v'], /give --firmware, too/],
    [['compare', 'k', '--techniques', 'none/twice'], /--techniques is "twice"/],
    [['compare', 'k', '--technique', 'none'], /--technique belongs to run/],
    [['run', 'k', '--techniques', 'none'], /--techniques belongs to compare/],
  ];
  for (const [args, message] of refused)
    it(`refuses ${args.join(' ') || 'nothing'}`, () => {
      assert.throws(
        () => parseCommand(args),
        (error) => {
          assert.ok(error instanceof UserError);
          assert.match(error.message, message);
          assert.match(error.message, /; .*\.$/, 'says what to do');
          return true;
        },
      );
    });

  it('needs no kernel where firmware starts a disk', () => {
    const options = parse(['run', '--firmware', 'bios', '--vga-rom', 'vga', '--disk', 'd']);
    assert.deepEqual([options.kernel, options.firmware, options.vgaRom], [undefined, 'bios', 'vga']);
  });
  it('knows --help wherever it stands', () => {
    for (const args of [['--help'], ['-h'], ['help'], ['run', '--help'], ['run', 'k', '-h']])
      assert.equal(parseCommand(args).kind, 'help');
  });
});
