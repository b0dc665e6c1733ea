/** Who hears of which changes. A domain's watches are its own; those of back ends are functions. */
import { fail } from './errors';
import { homeOf, isUnder } from './paths';
import type { Change } from './tree';

const MAX_WATCHES = 128;

export interface Watch {
  /** Absolute. */
  path: string;
  token: string;
  /** The path was given relative to the domain's home, and events name it so. */
  relative: boolean;
}

/** Whether a watcher of `watched` hears of it. */
export const concerns = (watched: string, { path, exact }: Change): boolean =>
  exact ? watched === path : isUnder(path, watched);

export class Watches {
  private list: Watch[] = [];

  constructor(private readonly domid: number) {}

  /** StoreError: it is there already, or one too many. */
  add(watch: Watch): void {
    if (this.list.some(({ path, token }) => path === watch.path && token === watch.token)) fail('EEXIST', `${watch.path} is watched with this token`); // prettier-ignore
    if (this.domid !== 0 && this.list.length >= MAX_WATCHES) fail('E2BIG', `domain ${this.domid} has ${MAX_WATCHES} watches`); // prettier-ignore
    this.list.push(watch);
  }
  /** StoreError: there is none such. */
  remove(path: string, token: string): void {
    const at = this.list.findIndex((one) => one.path === path && one.token === token);
    if (at < 0) fail('ENOENT', `${path} is not watched with this token`);
    this.list.splice(at, 1);
  }
  clear(): void {
    this.list = [];
  }
  /** In the order in which they were set. */
  hearing(change: Change): Watch[] {
    return this.list.filter(({ path }) => concerns(path, change));
  }
  /** The payload of an event. */
  event({ relative, token, path: watched }: Watch, path = watched): string {
    const home = `${homeOf(this.domid)}/`;
    const shown = relative && path.startsWith(home) ? path.slice(home.length) : path;
    return `${shown}\0${token}\0`;
  }
  get all(): readonly Watch[] {
    return this.list;
  }
  restore(saved: readonly Watch[]): void {
    this.list = saved.map((watch) => ({ ...watch }));
  }
}
