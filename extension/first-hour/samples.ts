/** `Ringside: Open Sample…`: copies a sample, sources and built kernel, into a folder that the user picks, and opens it. */
import * as vscode from 'vscode';

type Source = 'sample' | 'porting';
interface Sample {
  /** Folder of its own files (README, launch.json) in guests/samples. */
  id: string;
  /** Folder in guests whose kernel it is. */
  source: Source;
  title: string;
  detail: string;
}

/** In the order in which one learns. */
export const samples = (): Sample[] => [
  { id: 'bare-kernel', source: 'sample', title: vscode.l10n.t('Bare kernel'), detail: vscode.l10n.t('A small 64-bit kernel on the bare machine: breakpoints, page faults, page tables') },
  { id: 'trap-and-emulate-hole', source: 'sample', title: vscode.l10n.t('Trap-and-emulate hole'), detail: vscode.l10n.t('The same kernel in ring 1: what traps, and what silently does not') },
  { id: 'shadow-paging', source: 'sample', title: vscode.l10n.t('Shadow paging'), detail: vscode.l10n.t('Guest tables and the hypervisor’s shadow of them, beside each other') },
  { id: 'xen-domain', source: 'porting', title: vscode.l10n.t('Xen domain'), detail: vscode.l10n.t('A kernel ported to Xen’s ABI: hypercalls instead of traps') },
  { id: 'nested-paging', source: 'sample', title: vscode.l10n.t('Nested paging'), detail: vscode.l10n.t('EPT and NPT: two stages that the processor walks, and few exits') },
]; // prettier-ignore

/** Every sample's own. */
const OWN = ['README.md', '.vscode/launch.json'];

export const registerSamples = (extension: vscode.Uri): vscode.Disposable =>
  vscode.commands.registerCommand('ringside.openSample', (id?: unknown, target?: unknown) =>
    open(extension, typeof id === 'string' ? id : undefined, target instanceof vscode.Uri ? target : undefined),
  );

/** The new folder. */
async function open(extension: vscode.Uri, id?: string, target?: vscode.Uri): Promise<vscode.Uri | undefined> {
  const sample = samples().find((each) => each.id === id) ?? (await pickSample());
  const parent = sample && (target ?? (await pickFolder()));
  if (!sample || !parent) return undefined;
  try {
    const folder = await freeFolder(parent, sample.id);
    await copySample(extension, sample, folder);
    // Whoever called need not wait until the user has chosen.
    void offerToOpen(sample, folder);
    return folder;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    void vscode.window.showErrorMessage(vscode.l10n.t('The sample could not be copied to {0}: {1}', parent.toString(true), why)); // prettier-ignore
    return undefined;
  }
}

async function pickSample(): Promise<Sample | undefined> {
  const items = samples().map((sample) => ({ label: sample.title, detail: sample.detail, sample }));
  const title = vscode.l10n.t('Ringside samples');
  // The walkthrough takes the focus back when it ticks the step off.
  const picked = await vscode.window.showQuickPick(items, { title, placeHolder: vscode.l10n.t('Sample to copy and open'), ignoreFocusOut: true });
  return picked?.sample;
} // prettier-ignore

async function pickFolder(): Promise<vscode.Uri | undefined> {
  const here = vscode.workspace.workspaceFolders?.[0]?.uri;
  const picked = await vscode.window.showOpenDialog({
    canSelectFiles: false,
    canSelectFolders: true,
    canSelectMany: false,
    title: vscode.l10n.t('Folder into which the sample is copied'),
    openLabel: vscode.l10n.t('Copy Sample Here'),
    ...(here ? { defaultUri: here } : {}),
  });
  return picked?.[0];
}

/** Nothing that is there is written over. */
async function freeFolder(parent: vscode.Uri, name: string): Promise<vscode.Uri> {
  for (let n = 1; ; n++) {
    const folder = vscode.Uri.joinPath(parent, n === 1 ? name : `${name}-${n}`);
    const taken = await Promise.resolve(vscode.workspace.fs.stat(folder)).then(() => true, () => false); // prettier-ignore
    if (!taken) return folder;
  }
}

/** By the list in index.json: an extension that was loaded from the web cannot list its folders. */
export async function copySample(extension: vscode.Uri, { id, source }: Sample, folder: vscode.Uri): Promise<void> {
  const guests = vscode.Uri.joinPath(extension, 'guests');
  const { fs } = vscode.workspace;
  const index = await fs.readFile(vscode.Uri.joinPath(guests, 'samples', 'index.json'));
  const lists = JSON.parse(new TextDecoder().decode(index)) as Record<Source, string[]>;
  const files = [
    ...lists[source].map((name) => ({ name, from: vscode.Uri.joinPath(guests, source, name) })),
    ...OWN.map((name) => ({ name, from: vscode.Uri.joinPath(guests, 'samples', id, name) })),
  ];
  const folders = new Set(['', ...files.flatMap(({ name }) => (name.includes('/') ? [name.slice(0, name.lastIndexOf('/'))] : []))]); // prettier-ignore
  for (const each of folders) await fs.createDirectory(vscode.Uri.joinPath(folder, each));
  for (const { name, from } of files) await fs.writeFile(vscode.Uri.joinPath(folder, name), await fs.readFile(from));
}

async function offerToOpen({ title }: Sample, folder: vscode.Uri): Promise<void> {
  const inside = vscode.workspace.getWorkspaceFolder(folder) !== undefined;
  const here = vscode.l10n.t('Open Folder');
  const beside = vscode.l10n.t('Open in New Window');
  const debug = vscode.l10n.t('Debug It Here');
  const message = vscode.l10n.t('The sample "{0}" is in {1}.', title, folder.scheme === 'file' ? folder.fsPath : folder.path);
  // Within the folder that is open it can be debugged at once; a file system in memory would not outlive another window.
  const answer = await vscode.window.showInformationMessage(message, ...(inside ? [debug] : []), here, beside);
  if (answer === here || answer === beside) await vscode.commands.executeCommand('vscode.openFolder', folder, { forceNewWindow: answer === beside });
  if (answer === debug) await debugHere(folder);
} // prettier-ignore

/** The first configuration of the sample's launch.json, which is not the workspace's. */
async function debugHere(folder: vscode.Uri): Promise<void> {
  const launch = await vscode.workspace.fs.readFile(vscode.Uri.joinPath(folder, '.vscode', 'launch.json'));
  const root = folder.scheme === 'file' ? folder.fsPath : folder.toString(true);
  const text = new TextDecoder().decode(launch).replaceAll('${workspaceFolder}', root.replaceAll('\\', '/'));
  const { configurations } = JSON.parse(text) as { configurations: vscode.DebugConfiguration[] };
  await vscode.commands.executeCommand('markdown.showPreview', vscode.Uri.joinPath(folder, 'README.md'));
  await vscode.debug.startDebugging(vscode.workspace.getWorkspaceFolder(folder), configurations[0]!);
}
