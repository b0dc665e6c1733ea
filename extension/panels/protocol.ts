/** What a panel's two halves say to each other: the host in the extension and the view in its webview. */
import type { CustomRequests } from '../../debug-adapter/protocol';

/** Custom requests that a view may send through its host. */
export type Relayed = 'ringside/pageTables' | 'ringside/translate';

export type ViewMessage =
  /** The view has loaded and wants to hear the state. */
  | { kind: 'ready' }
  | { [C in Relayed]: { kind: 'request'; id: number; command: C; arguments: CustomRequests[C]['arguments'] } }[Relayed];

/** `none`: no session of ours; `running`: it cannot be asked; `stopped`: it can, and everything may have changed. */
export type GuestState = 'none' | 'running' | 'stopped';

export type HostMessage =
  | { kind: 'state'; state: GuestState }
  /** Walk this address: the user chose it elsewhere. */
  | { kind: 'walk'; address: string }
  | { kind: 'response'; id: number; body: CustomRequests[Relayed]['body'] }
  | { kind: 'failure'; id: number; error: string };
