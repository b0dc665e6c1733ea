/** A view's end of the wire: requests with answers, actions of the editor, and what the host says on its own. */
import type { CustomRequests } from '../../debug-adapter/protocol';
import type { HostMessage, News, PanelAction, Relayed, ViewMessage } from './protocol';

declare function acquireVsCodeApi(): {
  postMessage(message: ViewMessage): void;
  getState(): { address?: string } | undefined;
  setState(state: { address: string }): void;
};

export class Connection {
  private readonly api = acquireVsCodeApi();
  private readonly waiting = new Map<number, { resolve(body: never): void; reject(error: Error): void }>();
  private lastId = 0;
  private onNews: (news: News) => void = () => {};

  constructor() {
    window.addEventListener('message', ({ data }: MessageEvent<HostMessage>) => {
      if (data.kind !== 'response' && data.kind !== 'failure') return this.onNews(data);
      const request = this.waiting.get(data.id);
      this.waiting.delete(data.id);
      if (data.kind === 'response') request?.resolve(data.body as never);
      else request?.reject(new Error(data.error));
    });
  }

  /** Tells the host that there is somebody to hear it; it answers with the state. */
  listen(onNews: (news: News) => void): void {
    this.onNews = onNews;
    this.api.postMessage({ kind: 'ready' });
  }

  /** The address that was looked at last: the editor forgets a view that is hidden, and makes it anew. */
  get remembered(): string {
    return this.api.getState()?.address ?? '';
  }
  remember(address: string): void {
    this.api.setState({ address });
  }

  act(action: PanelAction): void {
    this.api.postMessage({ kind: 'action', action });
  }

  request<C extends Relayed>(command: C, args: CustomRequests[C]['arguments']): Promise<CustomRequests[C]['body']> {
    return new Promise((resolve, reject) => {
      this.waiting.set(++this.lastId, { resolve, reject });
      this.api.postMessage({ kind: 'request', id: this.lastId, command, arguments: args } as ViewMessage);
    });
  }
}
