/** Joins a debug adapter in a worker to the editor: passes DAP messages on and reads the files that the worker asks for. */
import * as vscode from 'vscode';
import type { FromWorker, ToWorker } from '../debug-adapter/worker-protocol';
import { reasonOf, toUri } from './files';

export class WorkerAdapter implements vscode.DebugAdapter {
  private readonly sent = new vscode.EventEmitter<vscode.DebugProtocolMessage>();
  readonly onDidSendMessage = this.sent.event;

  constructor(
    private readonly worker: Worker,
    private readonly fs: Pick<vscode.FileSystem, 'readFile' | 'stat'>,
  ) {
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => void this.receive(data);
    worker.onerror = (event) => this.died(event.message);
  }

  handleMessage(message: vscode.DebugProtocolMessage): void {
    this.post({ kind: 'dap', message });
  }

  dispose(): void {
    this.worker.terminate();
    this.sent.dispose();
  }

  private post(message: ToWorker): void {
    this.worker.postMessage(message);
  }

  private async receive(message: FromWorker): Promise<void> {
    switch (message.kind) {
      case 'dap':
        return this.sent.fire(message.message as vscode.DebugProtocolMessage);
      case 'read':
        return this.read(message.id, message.path);
      case 'exists':
        return this.exists(message.id, message.path);
    }
  }

  private async read(id: number, path: string): Promise<void> {
    try {
      this.post({ kind: 'file', id, bytes: await this.fs.readFile(toUri(path)) });
    } catch (error) {
      this.post({ kind: 'error', id, error: vscode.l10n.t('Cannot read {0}: {1}.', path, reasonOf(error)) });
    }
  }

  private async exists(id: number, path: string): Promise<void> {
    const stat = await Promise.resolve(this.fs.stat(toUri(path))).catch(() => undefined);
    this.post({ kind: 'exists', id, exists: stat !== undefined });
  }

  /** A worker that cannot start or that died answers nothing: say so and end the session. */
  private died(reason: string): void {
    const output = vscode.l10n.t('The debug adapter has failed: {0}', reason);
    this.sent.fire({
      type: 'event',
      seq: 0,
      event: 'output',
      body: { category: 'important', output: `${output}\n` },
    } as never);
    this.sent.fire({ type: 'event', seq: 0, event: 'terminated' } as never);
  }
}
