/** Where the extension runs while it is tested: in a worker of the browser, or in Node. The editor is in the browser both times. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { packageExtension } from '../../../scripts/vsix';
import { HOW_TO_INSTALL, hostIsInstalled, serveHost, type HostOptions } from '../../../scripts/vscode-host';
import { serve } from '../../../scripts/web-server';
import { browserIsHere, CHROMIUM } from './workbench';

export interface Host {
  /** Why it cannot be had on this machine. */
  missing(): string | undefined;
  /** `url` opens the editor with the folder. */
  start(): Promise<{ url: string; stop(): Promise<void> | void }>;
}

/** Says why, and skips, which CI counts as a failure. */
export function skipUnlessHere(context: Mocha.Context, host: Host): void {
  const missing = browserIsHere() ? host.missing() : `no browser at ${CHROMIUM}`;
  if (missing === undefined) return;
  console.log(missing);
  context.skip();
}

export const webHost = (folder: string): Host => ({
  missing: () => undefined,
  async start() {
    const { server, url } = await serve({ port: 0, workspace: folder });
    return {
      url,
      stop() {
        server.closeAllConnections();
        server.close();
      },
    };
  },
});

export interface NodeHostOptions extends Pick<HostOptions, 'settings' | 'drivable' | 'trust' | 'environment'> {
  /** Opened in the editor; none: an empty window. A function: made when the host starts. */
  folder?: string | (() => string);
  /** A package of what is built now is installed in the clean profile. */
  packaged?: boolean;
  /** Added to the address. */
  query?: (authority: string) => Record<string, string>;
}

export const nodeHost = ({ folder, packaged = false, query, ...options }: NodeHostOptions): Host => ({
  missing: () => (hostIsInstalled() ? undefined : `no VS Code with Node: ${HOW_TO_INSTALL}`),
  async start() {
    const state = mkdtempSync(join(tmpdir(), 'ringside-vscode-'));
    const vsix = join(state, 'ringside.vsix');
    if (packaged) packageExtension(vsix);
    const host = await serveHost({ ...options, state, ...(packaged ? { vsix } : {}) });
    const url = new URL(host.url);
    const path = typeof folder === 'function' ? folder() : folder;
    if (path !== undefined) url.searchParams.set('folder', resolve(path));
    else url.searchParams.set('ew', 'true');
    for (const [name, value] of Object.entries(query?.(url.host) ?? {})) url.searchParams.set(name, value);
    return {
      url: url.href,
      async stop() {
        await host.stop();
        rmSync(state, { recursive: true, force: true, maxRetries: 5 });
      },
    };
  },
});
