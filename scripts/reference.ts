/**
 * `npm run reference`: writes docs/reference.md, everything that has a name (attributes, settings, commands, filters, requests), from
 * where it is defined.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { USAGE } from '../debug-adapter/cli/usage';
import { EXCEPTION_FILTERS } from '../debug-adapter/exception-filters';
import { EXIT_REASONS } from '../debug-adapter/exit-text';
import { HELP } from '../debug-adapter/repl-commands';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
export const REFERENCE = join(root, 'docs', 'reference.md');
const read = (...path: string[]): string => readFileSync(join(root, ...path), 'utf8');

interface Attribute {
  type?: string | string[];
  enum?: string[];
  enumDescriptions?: string[];
  description?: string;
  default?: unknown;
  items?: { properties?: Record<string, Attribute> };
}
interface Manifest {
  contributes: {
    debuggers: { configurationAttributes: { launch: { properties: Record<string, Attribute> } } }[];
    commands: { command: string; title: string; category: string }[];
    configuration: { properties: Record<string, Attribute> };
    taskDefinitions: { type: string; properties: Record<string, Attribute> }[];
  };
}

/** A cell must not end where its text has a bar. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replace(/\s+/g, ' ').trim();
const table = (heads: string[], rows: string[][]): string =>
  [heads, heads.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');

export function reference(): string {
  const words = JSON.parse(read('package.nls.json')) as Record<string, string>;
  const said = (text = ''): string => text.replace(/^%(.+)%$/, (_, key: string) => words[key] ?? text);
  const { contributes } = JSON.parse(read('package.json')) as Manifest;
  const attribute = ([name, each]: [string, Attribute]): string[] => {
    const type = [each.type ?? []].flat().join(' or ');
    const values = (each.enum ?? []).map((value, n) => `\`${value}\`${each.enumDescriptions ? `: ${said(each.enumDescriptions[n])}` : ''}`); // prettier-ignore
    // Where a value is an object, what the editor fills in is an example.
    const preset = ['string', 'number', 'boolean'].includes(typeof each.default) ? `\`${JSON.stringify(each.default)}\`` : ''; // prettier-ignore
    return [`\`${name}\``, type, preset, [said(each.description), ...values].join(' ')];
  };
  const attributes = (properties: Record<string, Attribute>): string =>
    table(['name', 'type', 'default', 'what it is'], Object.entries(properties).map(attribute));
  const launch = contributes.debuggers[0]!.configurationAttributes.launch.properties;
  const domain = launch['domains']!.items!.properties!;
  const ofDomains = Object.fromEntries(Object.entries(domain).filter(([name]) => !(name in launch)));
  const commands = contributes.commands.map(({ command, title, category }) => [`${category}: ${said(title)}`, `\`${command}\``]); // prettier-ignore
  const filters = EXCEPTION_FILTERS.map(({ filter, label, description = '' }) => [`\`${filter}\``, label, description]);
  const reasons = Object.entries(EXIT_REASONS).map(([reason, text]) => [`\`vm-exit:${reason}\``, text]);
  const requests = ['protocol.ts', 'protocol-tables.ts', 'protocol-editor.ts'].flatMap((name) => requestsOf(read('debug-adapter', name))); // prettier-ignore
  return `<!-- written by npm run reference -->

# Everything that has a name

## Launch attributes

${attributes(launch)}

Of a domain, besides:

${attributes(ofDomains)}

## Settings

${attributes(contributes.configuration.properties)}

Build tasks of the type \`${contributes.taskDefinitions[0]!.type}\`:

${attributes(contributes.taskDefinitions[0]!.properties)}

## Commands

${table(['in the palette or a menu', 'by name'], commands)}

## Exception filters

In **Breakpoints**; each takes a condition ([seeing.md](seeing.md)).

${table(['filter', 'in the view', 'what it does'], filters)}

Every reason of an exit is a filter, also those that the view does not list:

${table(['filter', 'the guest leaves to its hypervisor at'], reasons)}

## On the debug console

\`\`\`
${HELP}
\`\`\`

## Custom requests

By DAP, for any client; \`debug-adapter/protocol.ts\` has their arguments and answers.

${table(['request', 'what it is'], requests)}

## On the command line

\`\`\`
${USAGE.trim()}
\`\`\`
`;
}

/** With the comment before each, up to the end of its first sentence. */
function requestsOf(source: string): string[][] {
  const inside = source.slice(0, source.indexOf('interface CustomEvents') >>> 0);
  const found = [...inside.matchAll(/(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*)?^ {2}'(ringside\/\w+)': \{/gm)];
  return found.map(([, comment = '', name]) => {
    const text = comment
      .replace(/^\s*\*/gm, '')
      .replace(/\s+/g, ' ')
      .trim();
    return [`\`${name}\``, /^.*?\.(?= |$)/.exec(text)?.[0] ?? text];
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) writeFileSync(REFERENCE, reference());
