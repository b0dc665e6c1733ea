import assert from 'node:assert/strict';
import '../support/fake-vscode';
import { stateOf } from '../../../extension/views/domains';

type Domain = Parameters<typeof stateOf>[0];

const CASES: [Domain, text: string][] = [
  [{ state: 'running' }, 'running'],
  [{ state: 'blocked' }, 'blocked'],
  [{ state: 'running', held: true, stopped: 'step, at main' }, 'stopped: step, at main'],
  [{ state: 'blocked', held: true, stopped: 'at idle' }, 'blocked, stopped: at idle'],
  // Nobody runs while another is looked at.
  [{ state: 'running', held: true }, 'held, runnable'],
  [{ state: 'blocked', held: true }, 'held, blocked'],
  // What the user has paused stays so when the session goes on.
  [{ state: 'paused', held: true }, 'paused'],
  [{ state: 'paused', held: true, stopped: 'at main' }, 'paused, stopped: at main'],
  [{ state: 'dead', held: true }, 'dead'],
];

describe('view of domains', () => {
  for (const [domain, text] of CASES) it(text, () => assert.equal(stateOf(domain), text));
});
