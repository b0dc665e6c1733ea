/** What a panel's two halves say to each other: the host in the extension and the view in its webview. */
import type { CustomEvents, CustomRequests } from '../../debug-adapter/protocol';

/** `none`: no session of ours; `running`: it cannot be asked about its state; `stopped`: it can, and everything may have changed. */
export type GuestState = 'none' | 'running' | 'stopped';

/** Custom requests that a view may send through its host. */
// prettier-ignore
export type Relayed =
  | 'ringside/checkShadow' | 'ringside/exits' | 'ringside/keys' | 'ringside/pageTables' | 'ringside/screen' | 'ringside/setEntry' | 'ringside/translate'
  | 'ringside/translated';

/** What only the editor can do for a view. */
export type PanelAction =
  | { do: 'copy'; text: string }
  /** Asks where to. */
  | { do: 'save'; name: string; text: string }
  /** The memory editor at a place: `gv:0x1000`, `gp:0x1000`, `hp:0x1000`. */
  | { do: 'memory'; reference: string; name: string }
  /** A breakpoint on events of this kind, shown among the function breakpoints: `vm-exit:io`, `write gp:0x1000,8`; and a condition. */
  | { do: 'break'; on: string; condition?: string }
  /** Walks an address in the page-table panel. */
  | { do: 'walk'; address: string }
  /** A line of a source, by the path that the adapter gives it. */
  | { do: 'source'; path: string; line: number }
  /** The editor's own disassembly, around the frame that the user looks at. */
  | { do: 'disassembly' }
  /** On the processor that the user looks at: an instruction of the guest, or a step in what is executed for it. */
  | { do: 'step'; in: 'guest' | 'translation' };

export type ViewMessage =
  /** The view has loaded and wants to hear the state. */
  | { kind: 'ready' }
  | { kind: 'action'; action: PanelAction }
  | { [C in Relayed]: { kind: 'request'; id: number; command: C; arguments: CustomRequests[C]['arguments'] } }[Relayed];

/** What the host says on its own. */
export type News =
  | { kind: 'state'; state: GuestState }
  | { [E in keyof CustomEvents]: { kind: 'event'; event: E; body: CustomEvents[E] } }[keyof CustomEvents]
  /** Walk this address: the user chose it elsewhere. */
  | { kind: 'walk'; address: string }
  /** Show the translation of this. */
  | { kind: 'translated'; address: string };

export type HostMessage =
  | News
  | { kind: 'response'; id: number; body: CustomRequests[Relayed]['body'] }
  | { kind: 'failure'; id: number; error: string };
