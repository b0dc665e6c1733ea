/** Names of nodes: `/a/b`, or relative to the home of the domain that uses them. Bounds of xs_wire.h. */
import { fail } from './errors';

const ABSOLUTE_MAX = 3072;
const RELATIVE_MAX = 2048;
const VALID = /^\/(?:[A-Za-z0-9_@-]+(?:\/[A-Za-z0-9_@-]+)*)?$/;
/** Not nodes: watched to hear of domains that come and go. */
const SPECIAL = new Set(['@introduceDomain', '@releaseDomain']);

export const homeOf = (domid: number): string => `/local/domain/${domid}`;

/** The absolute path. StoreError: not one. */
export function absolute(domid: number, path: string): string {
  const relative = !path.startsWith('/');
  if (path.length > (relative ? RELATIVE_MAX : ABSOLUTE_MAX)) fail('E2BIG', `a path of ${path.length} characters`);
  const whole = relative ? `${homeOf(domid)}/${path}` : path;
  if (!VALID.test(whole)) fail('EINVAL', `${JSON.stringify(path.slice(0, 100))} is not a path`);
  return whole;
}
/** The same for watches. */
export function watchable(domid: number, path: string): string {
  return SPECIAL.has(path) ? path : absolute(domid, path);
}

/** Of all but the root. */
export function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/')) || '/';
}
export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
export const childOf = (parent: string, name: string): string => `${parent === '/' ? '' : parent}/${name}`;
/** The node itself counts. */
export const isUnder = (path: string, ancestor: string): boolean =>
  path === ancestor || ancestor === '/' || path.startsWith(`${ancestor}/`);
