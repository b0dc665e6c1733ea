import assert from 'node:assert/strict';
import { parseModule } from '../../debug-adapter/module-option';

describe('modules as users write them', () => {
  for (const [text, expected] of [
    ['a/b', { path: 'a/b' }],
    ['my file, too', { path: 'my file, too' }],
    ['exec,args=$(task-create) x,args=y', { path: 'exec', args: '$(task-create) x,args=y' }],
    ['exec,args=', { path: 'exec', args: '' }],
  ] as const)
    it(text, () => assert.deepEqual(parseModule(text), expected));
});
