/** Launch configurations: one for a folder that has none, defaults, and checks before a session starts. */
import * as vscode from 'vscode';
import { splitDisk } from '../debug-adapter/disk-option';
import { splitModule } from '../debug-adapter/module-option';
import { checkLaunch } from '../debug-adapter/launch';
import { reasonOf, resolvePath, toUri } from './files';
import { findBootables, type Bootable } from './kernel-image';

type Config = vscode.DebugConfiguration;
type Folder = vscode.WorkspaceFolder | undefined;

/** One configuration for each thing that boots in the folder: what the Run view offers without a launch.json. */
export async function provideLaunchConfigurations(folder: Folder): Promise<Config[]> {
  if (folder === undefined) return [];
  return (await findBootables(folder.uri)).map(configOf);
}

const configOf = (found: Bootable): Config => {
  return { type: 'ringside', request: 'launch', name: vscode.l10n.t('Debug {0}', found.path), ...attributesOf(found) };
};

/** For a file that the user named: as it was found in its folder, else as a kernel, and the machine says what it is instead. */
export async function configurationFor(folder: Folder, file: vscode.Uri): Promise<Config> {
  const found = folder === undefined ? [] : await findBootables(folder.uri);
  const uri = file.toString();
  const known = found.find(({ path }) => folder && vscode.Uri.joinPath(folder.uri, path).toString() === uri);
  return configOf(known ?? { path: file.scheme === 'file' ? file.fsPath : file.toString(true), kind: 'elf' });
}

function attributesOf({ path, kind, initrd, firmware, vgaRom }: Bootable): Record<string, unknown> {
  switch (kind) {
    case 'linux':
      return { kernel: path, ...(initrd ? { initrd } : {}), append: 'console=ttyS0', memory: '512M' };
    case 'xen':
      return { kernel: path, technique: 'paravirtual' };
    case 'disk':
      return { firmware, ...(vgaRom ? { vgaRom } : {}), disk: path };
    default:
      return { kernel: path };
  }
}

/** F5 without a launch.json gives an empty configuration: take the folder's kernel, or ask which. */
export async function resolveLaunchConfiguration(folder: Folder, config: Config): Promise<Config | undefined | null> {
  if (config.type || config.request || config.name) return config;
  const found = await provideLaunchConfigurations(folder);
  if (found.length === 0) {
    return refuse(vscode.l10n.t('No kernel was found in this folder: name one as "kernel" in launch.json.'));
  }
  if (found.length === 1) return found[0];
  const items = found.map((each) => ({
    label: (each['kernel'] ?? each['disk']) as string,
    description: descriptionOf(each),
    config: each,
  }));
  const picked = await vscode.window.showQuickPick(items, { placeHolder: vscode.l10n.t('Kernel to debug') });
  return picked?.config;
}

/** What there is beside the kernel, for the choice. */
const descriptionOf = ({ initrd, technique, firmware }: Config): string =>
  [initrd, technique, firmware].filter((each) => each !== undefined).join(', ');

/**
 * Checks a configuration whose variables have been replaced and makes its paths absolute. On a mistake: a message that
 * names the attribute, and undefined (no session) or null (open launch.json).
 */
export async function checkLaunchConfiguration(folder: Folder, config: Config): Promise<Config | undefined | null> {
  if (config.request !== 'launch') {
    return refuse(vscode.l10n.t(`Launch attribute 'request' is "{0}"; give "launch".`, String(config.request)));
  }
  try {
    checkLaunch(config);
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error));
  }
  const resolved = absolute(config, folder?.uri ?? vscode.workspace.workspaceFolders?.[0]?.uri);
  for (const { attribute, path } of filesOf(resolved)) {
    try {
      const { type } = await vscode.workspace.fs.stat(toUri(path));
      if (type & vscode.FileType.Directory) throw vscode.FileSystemError.FileIsADirectory(path);
    } catch (error) {
      return refuse(vscode.l10n.t(`Launch attribute '{0}': cannot read {1}: {2}.`, attribute, path, reasonOf(error)));
    }
  }
  return resolved;
}

/** Attributes that name files, as a string or a list. Of a disk and a module, options follow the path. */
const FILES = ['kernel', 'firmware', 'vgaRom', 'initrd', 'module', 'disk', 'symbols'] as const;

const splitOptions = (attribute: string, text: string): [path: string, options: string] =>
  attribute === 'disk' ? splitDisk(text) : attribute === 'module' ? splitModule(text) : [text, ''];

/** Every file that a configuration names, with the attribute for messages. */
function filesOf(config: Attributes, place = ''): { attribute: string; path: string }[] {
  const own = FILES.flatMap((attribute) => {
    const value: unknown = config[attribute];
    const plain = (text: string): string => splitOptions(attribute, text)[0];
    if (Array.isArray(value))
      return value.map((text: string, i) => ({ attribute: `${place}${attribute}[${i}]`, path: plain(text) }));
    return typeof value === 'string' ? [{ attribute: place + attribute, path: plain(value) }] : [];
  });
  return [...own, ...domainsOf(config).flatMap((each, i) => filesOf(each, `${place}domains[${i}].`))];
}

type Attributes = Record<string, unknown>;
/** Several machines are a list, each with attributes like those of one. */
const domainsOf = ({ domains }: Attributes): Attributes[] => (Array.isArray(domains) ? (domains as Attributes[]) : []);

function absolute<C extends Attributes>(config: C, folder: vscode.Uri | undefined): C {
  const path = (value: string): string => resolvePath(value, folder);
  const resolved = (attribute: string) => (value: string) => {
    const [file, options] = splitOptions(attribute, value);
    return path(file) + options;
  };
  const each = (value: unknown, change: (text: string) => string): unknown =>
    Array.isArray(value) ? value.map((part) => each(part, change)) : typeof value === 'string' ? change(value) : value;
  const named = FILES.filter((attribute) => config[attribute] !== undefined);
  const { sourceMap } = config;
  return {
    ...config,
    ...(config.domains === undefined ? {} : { domains: domainsOf(config).map((each) => absolute(each, folder)) }),
    ...Object.fromEntries(named.map((name) => [name, each(config[name], resolved(name))])),
    ...(sourceMap
      ? {
          sourceMap: Object.fromEntries(
            Object.entries(sourceMap as object).map(([from, to]) => [from, path(to as string)]),
          ),
        }
      : {}),
  };
}

async function refuse(message: string): Promise<undefined | null> {
  const open = vscode.l10n.t('Open launch.json');
  const answer = await vscode.window.showErrorMessage(message, { modal: true }, open);
  return answer === open ? null : undefined;
}
