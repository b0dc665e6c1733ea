/** What lies where and may import what, from the bottom up; the reasons are in ARCHITECTURE.md. Data for test/tidy.test.ts. */

export interface Layer {
  name: string;
  files: RegExp;
  /** Files besides the layer's own. */
  imports: RegExp[];
  /** Files whose types may be imported, and nothing that is left when compiled. */
  types: RegExp[];
  packages: (string | RegExp)[];
  /** For the finding: the rule that was broken. */
  rule: string;
}

const UTIL = /^emulator\/util\//;
const X86 = /^emulator\/x86\//;
/** What instructions' meanings are written in, and the interfaces across which they act. */
const GROUND = /^emulator\/(execution\/(layout|(wasm|builder)(-[a-z]+)?)|cpu\/(state|ports|exit-cause))\.ts$/;
const ISA = /^emulator\/isa\//;
const MMU = /^emulator\/mmu\//;
const EXECUTION = /^emulator\/execution\//;
const CPU = /^emulator\/cpu\//;
const HYPERVISOR = /^emulator\/hypervisor\//;
const DEVICES = /^emulator\/devices\//;
/** The machine as others see it: types alone. */
const MACHINE_API = /^emulator\/machine\/(api|inspect-api)\.ts$/;
const MACHINE = /^emulator\/machine\//;
/** The door into the emulator; beside it what has no behaviour or knows no machine: constants, `util`, the ELF reader. */
const EMULATOR = /^emulator\/(index\.ts|x86\/|util\/|machine\/elf\.ts)/;
const ADAPTER = /^debug-adapter\//;
const NODE = /^node:/;

const layer = (
  name: string,
  files: RegExp,
  rule: string,
  { imports = [], types = [], packages = [] }: Partial<Pick<Layer, 'imports' | 'types' | 'packages'>> = {},
): Layer => ({ name, files, rule, imports, types, packages });

/** The first whose pattern matches is a file's layer. */
export const LAYERS: readonly Layer[] = [
  layer(
    'unpacking',
    /^emulator\/util\/unpack\.ts$/,
    'unpacking is left to libraries, which know nothing of the emulator',
    {
      imports: [UTIL],
      packages: ['fflate', 'fzstd'],
    },
  ),
  layer('util', UTIL, 'util knows nothing else'),
  layer('x86', X86, 'x86 holds what the manuals define and imports util only', { imports: [UTIL] }),
  layer('ground', GROUND, 'layout, builder, state and ports know no instruction and no processor', {
    imports: [UTIL, X86],
    types: [/^emulator\/isa\/instruction\.ts$/],
  }),
  layer('isa', ISA, 'instructions know ports, not who answers', { imports: [UTIL, X86, GROUND] }),
  layer('mmu', MMU, 'memory management knows no processor and no device', {
    imports: [UTIL, X86, GROUND],
    types: [MACHINE_API],
  }),
  layer('execution', EXECUTION, 'execution does not know the processor around it', {
    imports: [UTIL, X86, GROUND, ISA, MMU],
  }),
  layer('cpu', CPU, 'the processor knows no device', {
    imports: [UTIL, X86, GROUND, ISA, MMU, EXECUTION],
    types: [MACHINE_API],
  }),
  layer('hypervisor', HYPERVISOR, 'the hypervisor knows processors and memory, not devices or the machine', {
    imports: [UTIL, X86, GROUND, ISA, MMU, EXECUTION, CPU],
    types: [MACHINE_API],
  }),
  layer('devices', DEVICES, 'a device knows its bus, not the processor', { imports: [UTIL], types: [MACHINE_API] }),
  layer('machine', MACHINE, 'the machine wires emulator parts', {
    imports: [UTIL, X86, GROUND, ISA, MMU, EXECUTION, CPU, DEVICES, HYPERVISOR],
  }),
  layer('emulator/index', /^emulator\/index\.ts$/, 'the door shows the machine', { imports: [MACHINE, UTIL] }),

  layer('symbols', /^debug-adapter\/symbols\//, 'debug information knows no machine and no DAP', {
    imports: [EMULATOR],
  }),
  layer('worker entry', /^debug-adapter\/(worker|worker-protocol)\.ts$/, 'a worker has no Node', {
    imports: [ADAPTER, EMULATOR],
  }),
  layer(
    'Node side of the debug adapter',
    /^debug-adapter\/(main|server|transport|files-node|disk-files|cli)(\.ts|\/)/,
    'the debug adapter enters the emulator by index.ts',
    { imports: [ADAPTER, EMULATOR], types: [MACHINE_API], packages: [NODE, /^@vscode\/debug/] },
  ),
  layer('debug adapter', ADAPTER, 'the debug adapter enters the emulator by index.ts, and runs without Node', {
    imports: [EMULATOR, /^debug-adapter\/symbols\//],
    types: [MACHINE_API],
    packages: [/^@vscode\/debug/],
  }),

  layer(
    'view',
    /^extension\/panels\/.*(\.view\.tsx|\.tsx|\.d\.ts|connection\.ts|l10n\.ts|model\.ts)$/,
    'views know messages, no editor',
    {
      imports: [/^extension\/panels\//],
      types: [/^debug-adapter\/protocol\.ts$/],
      packages: ['preact', '@vscode-elements/elements', 'uplot'],
    },
  ),
  layer('panel messages', /^extension\/panels\/protocol\.ts$/, 'messages are types', {
    types: [/^debug-adapter\/protocol\.ts$/],
  }),
  layer(
    'language',
    /^extension\/language\/(syntax|isa|workspace|features)\//,
    'language features know instructions, no editor and no transport',
    {
      imports: [
        /^extension\/language\/(syntax|isa|workspace|features)\//,
        UTIL,
        X86,
        /^emulator\/isa\/(opcodes|encoding|manual\/.*)\.ts$/,
      ],
      types: [/^emulator\/isa\/instruction\.ts$/, /^emulator\/cpu\/exit-cause\.ts$/],
      packages: ['vscode-languageserver-types'],
    },
  ),
  layer(
    'language server',
    /^extension\/language\/(server(-node|-web)?|lsp)\.ts$/,
    'the server knows features and the protocol, no editor',
    {
      imports: [/^extension\/language\/(features|workspace|protocol)/],
      packages: [/^vscode-languageserver/],
    },
  ),
  layer(
    'language client',
    /^extension\/language\/client(-node|-web)?\.ts$|^extension\/language\/(exit-counts|inline-registers)\.ts$/,
    'the client knows the editor, and the server by its messages',
    {
      imports: [/^extension\/(language\/[^/]+|sessions|folder-walk)\.ts$/],
      types: [/^debug-adapter\/protocol\.ts$/],
      packages: ['vscode', /^vscode-languageclient/],
    },
  ),
  layer('extension', /^extension\//, 'the extension knows the debug adapter by its messages', {
    // What a launch attribute may be is said once: launch.ts reads no file and knows no session.
    imports: [
      /^extension\//,
      /^emulator\/machine\/loaders\/kind\.ts$/,
      /^debug-adapter\/(launch|disk-option|module-option|condition-names|expressions\/(parser|errors))\.ts$/,
    ],
    types: [/^debug-adapter\/(protocol|worker-protocol)\.ts$/],
    packages: ['vscode'],
  }),

  layer('pictures', /^scripts\/(screenshots|icon)\.ts$/, 'pictures are taken as tests drive the editor', {
    imports: [/^scripts\/png\.ts$/, /^test\/extension\/support\//],
    packages: [NODE, 'playwright-core'],
  }),
  layer('reference', /^scripts\/reference\.ts$/, 'what has a name is listed from where it is defined', {
    imports: [/^debug-adapter\/(exception-filters|exit-text|repl-commands|cli\/usage)\.ts$/],
    packages: [NODE],
  }),
  layer('scripts', /^scripts\//, 'scripts build, serve and package', { packages: [NODE] }),
  layer('bench', /^bench\//, 'benchmarks run what is shipped', { imports: [/./], packages: [/./] }),
  layer('test', /^test\//, 'tests see everything', { imports: [/./], packages: [/./] }),
];

export const MAX_LINES = 300;

/** Larger files, each with what keeps it in one piece. The limit is for that file: it may shrink, not grow. */
export const LARGE_FILES: Readonly<Record<string, { lines: number; why: string }>> = {
  'emulator/cpu/cpu.ts': {
    lines: 340,
    why: 'half of it are doors of one line, which the Processor interface asks of one object',
  },
  'emulator/execution/compiler.ts': {
    lines: 325,
    why: 'blocks, branches and faults of a region are emitted in one recursion that shares where it stands',
  },
};
