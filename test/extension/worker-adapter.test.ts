import assert from 'node:assert/strict';
import { fake, files, reset } from './support/fake-vscode';
import { WorkerAdapter } from '../../extension/worker-adapter';

/** A worker that records what it is sent. */
class FakeWorker {
  readonly received: unknown[] = [];
  onmessage?: (event: { data: unknown }) => void;
  onerror?: (event: { message: string }) => void;
  postMessage(message: unknown): void {
    this.received.push(message);
  }
  terminate(): void {}
}

function start(): { worker: FakeWorker; sent: { event?: string; body?: unknown }[]; adapter: WorkerAdapter } {
  const worker = new FakeWorker();
  const adapter = new WorkerAdapter(worker as unknown as Worker, fake.workspace.fs as never);
  const sent: { event?: string }[] = [];
  adapter.onDidSendMessage((message) => sent.push(message as { event?: string }));
  return { worker, sent, adapter };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('debug adapter in a worker', () => {
  beforeEach(reset);

  it('passes DAP messages both ways', () => {
    const { worker, sent, adapter } = start();
    adapter.handleMessage({ command: 'initialize' } as never);
    assert.deepEqual(worker.received, [{ kind: 'dap', message: { command: 'initialize' } }]);
    worker.onmessage!({ data: { kind: 'dap', message: { event: 'initialized' } } });
    assert.deepEqual(sent, [{ event: 'initialized' }]);
  });

  it('reads files for the worker', async () => {
    const { worker } = start();
    files.set('workspace:/sample/k.elf', new Uint8Array([1, 2]));
    worker.onmessage!({ data: { kind: 'read', id: 7, path: 'workspace:/sample/k.elf' } });
    worker.onmessage!({ data: { kind: 'exists', id: 8, path: 'workspace:/sample/no' } });
    worker.onmessage!({ data: { kind: 'read', id: 9, path: 'workspace:/sample/no' } });
    await turn();
    const byId = (worker.received as { id: number }[]).sort((a, b) => a.id - b.id);
    assert.deepEqual(byId, [
      { kind: 'file', id: 7, bytes: new Uint8Array([1, 2]) },
      { kind: 'exists', id: 8, exists: false },
      { kind: 'error', id: 9, error: 'Cannot read workspace:/sample/no: there is no such file.' },
    ]);
  });

  it('a dead worker ends the session with a message', () => {
    const { worker, sent } = start();
    worker.onerror!({ message: 'out of memory' });
    assert.deepEqual(sent.map(({ event }) => event), ['output', 'terminated']); // prettier-ignore
    assert.match(JSON.stringify(sent[0]), /The debug adapter has failed: out of memory/);
  });
});
