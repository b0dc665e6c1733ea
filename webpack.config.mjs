/**
 * Every bundle of the package. Node programs and the desktop extension on one side, the same for a browser on the other,
 * and the scripts that run inside webviews.
 */
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import webpack from 'webpack';
import { Notices } from './scripts/notices.mjs';

const require = createRequire(import.meta.url);
const root = dirname(fileURLToPath(import.meta.url));
const dist = resolve(root, 'dist');

const notices = new Notices(join(dist, 'ThirdPartyNotices.txt'));

const common = {
  mode: 'production',
  context: root,
  devtool: 'source-map',
  resolve: { extensions: ['.ts', '.tsx', '.js'] },
  module: {
    parser: { javascript: { exportsPresence: 'error' } },
    rules: [
      {
        test: /\.tsx?$/,
        loader: 'ts-loader',
        // Types are checked by `npm run typecheck`, once for all bundles.
        options: { transpileOnly: true, compilerOptions: { noEmit: false, sourceMap: true } },
      },
    ],
  },
  plugins: [notices],
  externals: { vscode: 'commonjs vscode' },
  // A stack trace that a user reports has to be readable; the package is compressed anyway.
  // What is imported late is one file, too.
  optimization: { minimize: false, splitChunks: false },
  performance: { hints: false },
  stats: 'errors-warnings',
  infrastructureLogging: { level: 'error' },
};

const css = { test: /\.css$/, type: 'asset/resource', generator: { filename: '[name][ext]' } };

const node = {
  ...common,
  name: 'node',
  target: 'node20',
  output: { path: dist, filename: '[name].js', library: { type: 'commonjs2' } },
};

const web = {
  ...common,
  name: 'web',
  target: 'webworker',
  output: { path: join(dist, 'web'), filename: '[name].js' },
  resolve: {
    ...common.resolve,
    mainFields: ['browser', 'module', 'main'],
    // @vscode/debugadapter asks for Node's; the package of the same name is the same for browsers.
    alias: { events: require.resolve('events/') },
  },
};

export default [
  { ...node, name: 'extension', entry: { extension: './extension/extension.ts' } },
  { ...node, entry: { 'debug-adapter': './debug-adapter/main.ts', cli: './debug-adapter/cli.ts' } },
  { ...node, entry: { 'language-server': './extension/language/server-node.ts' } },
  {
    ...web,
    name: 'web-extension',
    entry: { extension: './extension/extension.web.ts' },
    output: { ...web.output, library: { type: 'commonjs2' } },
    // An extension for browsers is one file.
    plugins: [notices, new webpack.optimize.LimitChunkCountPlugin({ maxChunks: 1 })],
  },
  { ...web, entry: { 'debug-adapter': './debug-adapter/worker.ts' } },
  { ...web, entry: { 'language-server': './extension/language/server-web.ts' } },
  {
    ...common,
    name: 'views',
    target: 'web',
    entry: {
      'page-table': './extension/panels/page-table.view.tsx',
      exits: './extension/panels/exits.view.tsx',
      translated: './extension/panels/translated.view.tsx',
      screen: './extension/panels/screen.view.tsx',
    },
    optimization: { minimize: true, splitChunks: false },
    module: { ...common.module, rules: [...common.module.rules, css] },
    output: { path: join(dist, 'views'), filename: '[name].js' },
  },
];
