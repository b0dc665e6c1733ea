import assert from 'node:assert/strict';
import { readElf } from '../../../emulator/machine/elf';
import { type RegisterRule, rulesAt } from '../../../debug-adapter/symbols/frame-rules';
import { FrameTable } from '../../../debug-adapter/symbols/frame-tables';
import { toAddress } from '../../../debug-adapter/symbols/reader';
import { debugSections } from '../../../debug-adapter/symbols/sections';
import { Slices } from '../../../debug-adapter/symbols/slices';
import { build, bytesOf, hasGcc, run } from './support/toolchain';

const NAMES64 = [
  'rax',
  'rdx',
  'rcx',
  'rbx',
  'rsi',
  'rdi',
  'rbp',
  'rsp',
  'r8',
  'r9',
  'r10',
  'r11',
  'r12',
  'r13',
  'r14',
  'r15',
  'ra',
];
const NAMES32 = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi', 'ra'];
const signed = (n: number): string => (n >= 0 ? `+${n}` : `${n}`);

const ruleText = (rule: RegisterRule | undefined, names: string[]): string => {
  switch (rule?.kind) {
    case undefined:
    case 'undefined':
      return 'u';
    case 'same':
      return 's';
    case 'offset':
      return `c${signed(rule.offset)}`;
    case 'value-offset':
      return `v${signed(rule.offset)}`;
    case 'register':
      return names[rule.number]!;
    case 'expression':
      return 'exp';
    case 'value-expression':
      return 'vexp';
  }
};

const check = async (path: string, section: 'frame' | 'eh'): Promise<number> => {
  const elf = readElf(path, bytesOf(path));
  const sections = await debugSections(elf, assert.fail, () => {});
  const slices = new Slices();
  const address = elf.class === 64 ? 8 : 4;
  const names = elf.class === 64 ? NAMES64 : NAMES32;
  const table =
    section === 'eh'
      ? new FrameTable(sections.ehFrame!.bytes, toAddress(sections.ehFrame!.gva), address, () => true, assert.fail)
      : new FrameTable(sections.frame, undefined, address, () => true, assert.fail);
  await table.index(slices);
  slices.close();
  let [columns, rows, inSection] = [[] as string[], 0, false];
  let end = 0;
  for (const line of run('readelf', '-W', '--debug-dump=frames-interp', path).split('\n')) {
    if (line.startsWith('Contents of')) inSection = line.includes(section === 'eh' ? '.eh_frame' : '.debug_frame');
    if (!inSection) continue;
    // A row that begins where its function ends is beyond it.
    if (/ (FDE|CIE|ZERO) ?/.test(line)) end = toAddress(BigInt(`0x${/\.\.([\da-f]+)/.exec(line)?.[1] ?? '0'}`));
    if (/^\s+LOC\s/.test(line)) columns = line.trim().split(/\s+/);
    const cells = line.trim().split(/\s+/);
    if (end === 0 || / (FDE|CIE) /.test(line) || !/^[\da-f]{8,16}$/.test(cells[0]!) || cells.length !== columns.length)
      continue;
    const pc = toAddress(BigInt(`0x${cells[0]}`));
    if (pc >= end) continue;
    const found = table.find(pc);
    assert.ok(found, `no FDE at ${cells[0]}`);
    const rules = rulesAt(found, pc);
    const { cfa } = rules;
    assert.equal(
      cfa?.kind === 'register' ? `${names[cfa.number]}${signed(cfa.offset)}` : 'exp',
      cells[1],
      `CFA at ${cells[0]}`,
    );
    columns
      .slice(2)
      .forEach((name, i) =>
        assert.equal(ruleText(rules.registers.get(names.indexOf(name)), names), cells[i + 2], `${name} at ${cells[0]}`),
      );
    rows++;
  }
  return rows;
};

describe('symbols: call-frame information', function () {
  this.timeout(60_000);
  for (const flags of [['-O0'], ['-O2'], ['-O2', '-m32'], ['-O2', '-fomit-frame-pointer', '-m32'], ['-O2', '-static']])
    it(`.eh_frame as readelf reads it: ${flags.join(' ')}`, async function () {
      if (!hasGcc) return this.skip();
      assert.ok((await check(build(flags), 'eh')) > 10);
    });
  for (const flags of [['-O2'], ['-O2', '-m32'], ['-O1', '-gdwarf64']])
    it(`.debug_frame as readelf reads it: ${flags.join(' ')}`, async function () {
      if (!hasGcc) return this.skip();
      assert.ok(
        (await check(
          build([
            ...flags,
            '-fno-asynchronous-unwind-tables',
            '-fno-exceptions',
            '-fno-pic',
            '-no-pie',
            '-fno-unwind-tables',
          ]),
          'frame',
        )) > 3,
      );
    });
});
