/** What a toolstack puts into xenstore for a new domain: its home, mostly to be read, and the places where it may write. */
import { childOf, homeOf } from './paths';
import type { Permissions } from './permissions';
import type { XenStore } from './store';

export interface Home {
  domid: number;
  name: string;
  memoryKiB: number;
  vcpus: number;
  /** Of the console and of xenstore, as start_info names them. */
  console: { mfn: number; port: number };
  store: { mfn: number; port: number };
}

/** Where kernels report what they are and can. */
const WRITABLE = ['data', 'drivers', 'feature', 'attr', 'error', 'control/shutdown', 'control/feature-poweroff', 'control/feature-reboot', 'control/feature-halt', 'control/feature-suspend', 'control/sysrq', 'device/suspend/event-channel']; // prettier-ignore

export const readableBy = (domid: number): Permissions => [
  { domid: 0, read: false, write: false },
  { domid, read: true, write: false },
];
/** The domain's own: nobody else's but domain 0's. */
export const ownedBy = (domid: number): Permissions => [{ domid, read: false, write: false }];

export function furnish(store: XenStore, { domid, name, memoryKiB, vcpus, console, store: line }: Home): void {
  const home = homeOf(domid);
  const write = (path: string, value: string, permissions = readableBy(domid)): void =>
    store.write(path === '' ? home : childOf(home, path), value, permissions);
  write('', '');
  for (const directory of ['cpu', 'memory', 'device', 'control', 'console', 'store']) write(directory, '');
  for (const path of WRITABLE) write(path, '', ownedBy(domid));
  write('name', name);
  write('domid', `${domid}`);
  write('memory/target', `${memoryKiB}`);
  write('memory/static-max', `${memoryKiB}`);
  for (let vcpu = 0; vcpu < vcpus; vcpu++) write(`cpu/${vcpu}/availability`, 'online');
  write('console/ring-ref', `${console.mfn}`);
  write('console/port', `${console.port}`);
  write('console/type', 'xenconsoled');
  write('store/ring-ref', `${line.mfn}`);
  write('store/port', `${line.port}`);
}
