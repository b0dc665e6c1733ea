/** Messages in webviews: looked up in what the host has put into the page, `{0}` and on replaced. English where there is no translation. */
const strings = (): Record<string, string> => {
  // What panels compute is tested without a page.
  const given = typeof document === 'undefined' ? undefined : document.getElementById('root')?.dataset['strings'];
  return JSON.parse(given ?? '{}') as Record<string, string>;
};

let known: Record<string, string> | undefined;

/** Like `vscode.l10n.t`; the first argument is a literal, or translators do not see it. */
export function translate(text: string, ...values: (string | number)[]): string {
  known ??= strings();
  return (known[text] ?? text).replace(/\{(\d+)\}/g, (place, n: string) => String(values[Number(n)] ?? place));
}
