/** What a user writes for a module: `FILE[,args=TEXT]`; the kernel finds TEXT behind the file's name, as boot loaders pass it. */

const MARK = ',args=';

/** The file's path, and what follows it from the comma on. */
export function splitModule(text: string): [path: string, options: string] {
  const at = text.indexOf(MARK);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at)];
}
export function parseModule(text: string): { path: string; args?: string } {
  const [path, options] = splitModule(text);
  return options === '' ? { path } : { path, args: options.slice(MARK.length) };
}
