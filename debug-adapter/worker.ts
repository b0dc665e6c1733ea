/** The debug adapter as a dedicated web worker: one session, DAP messages and questions for files over postMessage. */
import { UserError } from '../emulator/util/assert';
import type { Files } from './files';
import { RingsideSession } from './session';
import type { FromWorker, ToWorker } from './worker-protocol';

const post = (message: FromWorker): void => self.postMessage(message);

interface Waiting {
  resolve(answer: ToWorker): void;
  reject(error: Error): void;
}
const waiting = new Map<number, Waiting>();
let lastId = 0;

const ask = (kind: 'read' | 'exists', path: string): Promise<ToWorker> =>
  new Promise((resolve, reject) => {
    waiting.set(++lastId, { resolve, reject });
    post({ kind, id: lastId, path });
  });

const files: Files = {
  async read(path) {
    const answer = await ask('read', path);
    if (answer.kind !== 'file') throw new UserError(`Cannot read ${path}: the editor gave no content.`);
    return answer.bytes;
  },
  async exists(path) {
    const answer = await ask('exists', path);
    return answer.kind === 'exists' && answer.exists;
  },
  // The extension has made every path of the launch configuration a URI.
  resolve: (path) => path,
};

const session = new RingsideSession(files);
session.onDidSendMessage((message) => post({ kind: 'dap', message }));

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  if (data.kind === 'dap') return session.handleMessage(data.message as Parameters<typeof session.handleMessage>[0]);
  const question = waiting.get(data.id);
  waiting.delete(data.id);
  if (data.kind === 'error') question?.reject(new UserError(data.error));
  else question?.resolve(data);
};
