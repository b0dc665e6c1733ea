import assert from 'node:assert/strict';
import { nearest } from '../../../emulator/util/nearest';

const NAMES = ['memory', 'cpus', 'cpu', 'technique', 'paging', 'max-instructions', 'disk', 'initrd'];

describe('what was meant', () => {
  const ROWS: [typed: string, meant: string | undefined][] = [
    ['memroy', 'memory'],
    ['Memory', 'memory'],
    ['tecnique', 'technique'],
    ['disks', 'disk'],
    ['initramfs', undefined],
    ['max', undefined],
    ['max-instruction', 'max-instructions'],
    ['cpuss', 'cpus'],
    ['x', undefined],
    ['kernel', undefined],
  ];
  for (const [typed, meant] of ROWS) it(`${typed}: ${meant ?? 'nobody knows'}`, () => assert.equal(nearest(typed, NAMES), meant)); // prettier-ignore
});
