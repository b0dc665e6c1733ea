/**
 * Every bundle of the package. Node programs and the desktop extension on one side, the same for a browser on the other,
 * and the scripts that run inside webviews.
 */
import { copyFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const root = dirname(fileURLToPath(import.meta.url));
const dist = resolve(root, 'dist');
const shims = resolve(root, 'scripts', 'browser-shims');

/** The disassembler's code; its Node flavour reads this file from beside the bundle. */
const icedWasm = join(dirname(require.resolve('iced-x86')), 'iced_x86_bg.wasm');

class CopyBeside {
  constructor(file) {
    this.file = file;
  }
  apply(compiler) {
    compiler.hooks.afterEmit.tap('CopyBeside', ({ outputOptions }) =>
      copyFileSync(this.file, join(outputOptions.path, this.file.split(/[\\/]/).pop())),
    );
  }
}

const common = {
  mode: 'production',
  context: root,
  devtool: 'source-map',
  resolve: { extensions: ['.ts', '.tsx', '.js'] },
  module: {
    rules: [
      {
        test: /\.tsx?$/,
        loader: 'ts-loader',
        // Types are checked by `npm run typecheck`, once for all bundles.
        options: { transpileOnly: true, compilerOptions: { noEmit: false, sourceMap: true } },
      },
    ],
  },
  externals: { vscode: 'commonjs vscode' },
  performance: { hints: false },
  stats: 'errors-warnings',
  infrastructureLogging: { level: 'error' },
};

const css = { test: /\.css$/, type: 'asset/resource', generator: { filename: '[name][ext]' } };

const node = {
  ...common,
  name: 'node',
  target: 'node20',
  // iced-x86 looks for its .wasm in __dirname, which has to be the bundle's folder.
  node: { __dirname: false, __filename: false },
  output: { path: dist, filename: '[name].js', library: { type: 'commonjs2' } },
  plugins: [new CopyBeside(icedWasm)],
};

const web = {
  ...common,
  name: 'web',
  target: 'webworker',
  output: { path: join(dist, 'web'), filename: '[name].js' },
  resolve: {
    ...common.resolve,
    mainFields: ['browser', 'module', 'main'],
    // What @vscode/debugadapter and iced-x86 ask of Node, as far as a worker can have it.
    alias: {
      events: require.resolve('events/'),
      url: require.resolve('url/'),
      path: require.resolve('path-browserify'),
      util: join(shims, 'util.js'),
      fs: join(shims, 'fs.js'),
      net: join(shims, 'net.js'),
      'iced_x86_bg.wasm': icedWasm,
    },
  },
  module: {
    rules: [
      ...common.module.rules,
      // Inlined, so that a worker needs neither a second file nor a synchronous request for it.
      { test: /\.wasm$/, type: 'asset/inline' },
    ],
  },
};

export default [
  { ...node, name: 'extension', entry: { extension: './extension/extension.ts' }, plugins: [] },
  { ...node, entry: { 'debug-adapter': './debug-adapter/main.ts', cli: './debug-adapter/cli.ts' } },
  {
    ...web,
    name: 'web-extension',
    entry: { extension: './extension/extension.web.ts' },
    output: { ...web.output, library: { type: 'commonjs2' } },
  },
  { ...web, entry: { 'debug-adapter': './debug-adapter/worker.ts' } },
  {
    ...common,
    name: 'views',
    target: 'web',
    entry: { 'page-table': './extension/panels/page-table.view.tsx' },
    module: { rules: [...common.module.rules, css] },
    output: { path: join(dist, 'views'), filename: '[name].js' },
  },
];
