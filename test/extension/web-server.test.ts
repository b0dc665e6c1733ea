import assert from 'node:assert/strict';
import { request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve } from '../../scripts/web-server';

/** Status of a request, sent as it is written: `fetch` would tidy the path up. */
const status = (server: Server, path: string, headers: Record<string, string> = {}): Promise<number> =>
  new Promise((resolve, reject) => {
    const { port } = server.address() as AddressInfo;
    request({ host: '127.0.0.1', port, path, headers }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    })
      .on('error', reject)
      .end();
  });

describe('npm start: what is served', () => {
  let server: Server;
  before(async () => {
    ({ server } = await serve({ port: 0, workspace: 'guests/sample' }));
  });
  after(() => server.close());

  const CASES: [path: string, status: number][] = [
    ['/', 200],
    ['/editor/out/vs/loader.js', 200],
    ['/editor/out/vs/workbench/contrib/webview/browser/pre/index.html', 200],
    ['/ringside/package.json', 200],
    ['/workspace-files/sample/kernel.c?read', 200],
    ['/workspace-files/sample?list', 200],
    ['/workspace-files/sample/kernel.c?stat', 200],
    ['/workspace-files/sample/none?read', 404],
    ['/workspace-files/sample/../../package.json?read', 404],
    ['/workspace-files/sample/..%2f..%2fpackage.json?read', 404],
    ['/workspace-files/sample/%2e%2e/%2e%2e/package.json?stat', 404],
    ['/editor/..%2fpackage.json', 404],
    ['/ringside/.git/config', 404],
    ['/ringside/dist/..%2fpackage-lock.json', 404],
    ['/%E0%A4%A', 404],
    ['/none', 404],
  ];
  for (const [path, wanted] of CASES) {
    it(`${path} gives ${wanted}`, async () => assert.equal(await status(server, path), wanted));
  }

  it('answers to no other host name', async () => {
    assert.equal(await status(server, '/', { host: 'example.org' }), 404);
    assert.equal(await status(server, '/', { host: 'localhost:80' }), 200);
  });
});
