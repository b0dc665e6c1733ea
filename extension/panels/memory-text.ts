/**
 * Memory of the guest as a text document, for an editor that has no Hex Editor: the page around an address, as of the last stop.
 * With the Hex Editor installed the editor's own memory view is opened instead, in which memory can be changed, too.
 */
import * as vscode from 'vscode';
import type { Sessions } from '../sessions';
import { BYTES_A_LINE, hexDump } from './hex-dump';

const SCHEME = 'ringside-memory';
const HEX_EDITOR = 'ms-vscode.hexeditor';
const PAGE_BYTES = 4096n;
/** Lines above the first byte. */
const HEAD = 2;

interface Place {
  space: string;
  address: bigint;
}
function placeOf(reference: string): Place {
  const [, space = 'gv', digits] = /^(?:(gv|gp|hp):)?(0x[0-9a-f]+)$/i.exec(reference) ?? [];
  if (digits === undefined)
    throw new Error(vscode.l10n.t('"{0}" is no address; write for example gv:0x1000.', reference));
  return { space: space.toLowerCase(), address: BigInt(digits) };
}

export class MemoryText implements vscode.TextDocumentContentProvider {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event;

  constructor(private readonly sessions: Sessions) {}

  register(): vscode.Disposable {
    return vscode.Disposable.from(
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      this.sessions.onDidChange((state) => {
        if (state !== 'stopped') return;
        for (const { uri } of vscode.workspace.textDocuments) if (uri.scheme === SCHEME) this.changed.fire(uri);
      }),
      this.changed,
    );
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    try {
      const { space, address } = placeOf(uri.path.slice(1));
      const reference = `${space}:0x${address.toString(16)}`;
      const { data = '' } = await this.sessions.request<{ data?: string }>('readMemory', {
        memoryReference: reference,
        count: Number(PAGE_BYTES),
      });
      const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
      const head = vscode.l10n.t('Memory at {0}. Once the extension Hex Editor ({1}) is installed, that opens here, and can change it.', reference, HEX_EDITOR); // prettier-ignore
      const end =
        bytes.length < Number(PAGE_BYTES) ? [vscode.l10n.t('What follows is no memory, or is not mapped.')] : [];
      return [head, '', ...hexDump(space, address, bytes), ...end, ''].join('\n');
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}

/** Of the active session. */
export async function showMemory({ active }: Sessions, reference: string, name: string): Promise<void> {
  if (vscode.extensions.getExtension(HEX_EDITOR) !== undefined) {
    const variable = { name, value: reference, variablesReference: 0, memoryReference: reference };
    await vscode.commands.executeCommand('workbench.debug.viewlet.action.viewMemory', { sessionId: active?.id, variable }); // prettier-ignore
    return;
  }
  const { space, address } = placeOf(reference);
  const page = address - (address % PAGE_BYTES);
  const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${space}:0x${page.toString(16)}` });
  const line = HEAD + Number(address - page) / BYTES_A_LINE;
  const at = new vscode.Position(Math.floor(line), 0);
  await vscode.window.showTextDocument(uri, { selection: new vscode.Range(at, at), preview: true });
}
