import assert from 'node:assert/strict';
import { SaidOnce } from '../../../emulator/util/said-once';

describe('what a guest makes us say', () => {
  it('is said once, and has an end', () => {
    const heard: string[] = [];
    const said = new SaidOnce((what) => heard.push(what));
    for (let i = 0; i < 3000; i++) said.say(`MSR ${i >> 1}`);
    assert.deepEqual([heard.length, heard[999], heard[1000]], [1001, 'MSR 999', 'more than 1000 different things: those that follow are not told']); // prettier-ignore
  });
});
