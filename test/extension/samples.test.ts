/** What `Ringside: Open Sample…` copies: the list of files is complete, and the launch configurations are right. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import './support/fake-vscode';
import { checkLaunch } from '../../debug-adapter/launch';
import { samples } from '../../extension/first-hour/samples';

const INDEX = 'guests/samples/index.json';
const index = JSON.parse(readFileSync(INDEX, 'utf8')) as Record<string, string[]>;

/** Sources and kernels; no products of a build, and nothing that a sample has of its own. */
const LEFT_OUT = /\.(o|program)$|^README\.md$|^\.|\/\./;

describe('samples', () => {
  for (const source of Object.keys(index))
    it(`${INDEX} lists every file of guests/${source}`, () => {
      const found = readdirSync(join('guests', source), { recursive: true, encoding: 'utf8' });
      const files = found.filter((name) => !LEFT_OUT.test(name) && statSync(join('guests', source, name)).isFile());
      assert.deepEqual(index[source], files.sort());
    });

  for (const { id, source } of samples())
    it(`the configurations of ${id} are right and name kernels of it`, () => {
      const launch = readFileSync(join('guests', 'samples', id, '.vscode', 'launch.json'), 'utf8');
      const { configurations } = JSON.parse(launch) as { configurations: Record<string, string>[] };
      assert(configurations.length >= 2);
      for (const { type, request, name, ...attributes } of configurations) {
        assert.deepEqual([type, request, typeof name], ['ringside', 'launch', 'string']);
        checkLaunch(attributes);
        assert(index[source]!.includes(attributes['kernel']!.replace('${workspaceFolder}/', '')));
      }
    });
});
