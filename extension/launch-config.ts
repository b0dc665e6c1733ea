/** Launch configurations: one for a folder that has none, defaults, and checks before a session starts. */
import * as vscode from 'vscode';
import { splitDisk } from '../debug-adapter/disk-option';
import { splitModule } from '../debug-adapter/module-option';
import { checkLaunch } from '../debug-adapter/launch';
import { reasonOf, resolvePath, toUri } from './files';
import { findBootables, type Bootable } from './kernel-image';
import { noFile, noKernel, refuse, type Refused } from './launch-repair';

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
  return configOf(known ?? { path: given(file), kind: 'elf' });
}

function attributesOf({ path, kind, initrd, firmware, vgaRom, symbols }: Bootable): Record<string, unknown> {
  switch (kind) {
    case 'linux':
      return { kernel: path, ...(initrd ? { initrd } : {}), append: 'console=ttyS0', memory: '512M' };
    case 'xen':
      return { kernel: path, technique: 'paravirtual' };
    case 'disk':
      return { firmware, ...(vgaRom ? { vgaRom } : {}), disk: path };
    default:
      return { kernel: path, ...(symbols ? { symbols } : {}) };
  }
}

/** F5 without a launch.json gives an empty configuration: take the folder's kernel, or ask which. */
export async function resolveLaunchConfiguration(folder: Folder, config: Config): Promise<Config | undefined | null> {
  if (config.type || config.request || config.name) return config;
  const found = await provideLaunchConfigurations(folder);
  if (found.length === 0) {
    const named = await noKernel(folder?.uri);
    return named ? configurationFor(folder, named) : named;
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
  const root = folder?.uri ?? vscode.workspace.workspaceFolders?.[0]?.uri;
  return withFiles(absolute(config, root), root);
}

/** Every file can be read, or what the user chose instead of one. */
async function withFiles(config: Config, root: vscode.Uri | undefined): Promise<Config | Refused> {
  for (const { attribute, path } of filesOf(config)) {
    try {
      const { type } = await vscode.workspace.fs.stat(toUri(path));
      if (type & vscode.FileType.Directory) throw vscode.FileSystemError.FileIsADirectory(path);
    } catch (error) {
      const message = vscode.l10n.t(`Launch attribute '{0}': cannot read {1}: {2}.`, attribute, path, reasonOf(error));
      // One of a list, or of a domain, has no name of its own that could be replaced.
      if (typeof config[attribute] !== 'string') return refuse(message);
      const instead = await noFile(message, root);
      if (instead === undefined || instead === null) return instead;
      if (instead === 'built') return withFiles(config, root);
      return withFiles(
        { ...config, [attribute]: given(instead) + splitOptions(attribute, config[attribute])[1] },
        root,
      );
    }
  }
  return config;
}

/** As the adapter is told of a file. */
const given = (uri: vscode.Uri): string => (uri.scheme === 'file' ? uri.fsPath : uri.toString(true));

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
