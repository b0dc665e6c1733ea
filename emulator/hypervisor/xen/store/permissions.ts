/** Who may read and write a node: its owner everything, others by the owner's entry unless they have one of their own. */
import { fail } from './errors';

export interface Permission {
  domid: number;
  read: boolean;
  write: boolean;
}
/** The first is the owner's: its rights are everybody else's. */
export type Permissions = readonly Permission[];

const LETTERS: Record<string, { read: boolean; write: boolean }> = {
  n: { read: false, write: false },
  r: { read: true, write: false },
  w: { read: false, write: true },
  b: { read: true, write: true },
};

/** `domid` 0 is the toolstack's domain and may everything. */
export function allows(permissions: Permissions, domid: number, what: 'read' | 'write'): boolean {
  const [owner, ...others] = permissions;
  if (domid === 0 || owner!.domid === domid) return true;
  return (others.find((one) => one.domid === domid) ?? owner!)[what];
}

export function formatPermission({ domid, read, write }: Permission): string {
  const letter = read ? (write ? 'b' : 'r') : write ? 'w' : 'n';
  return `${letter}${domid}`;
}
/** StoreError: not one. */
export function parsePermission(text: string): Permission {
  const match = /^([nrwb])(\d{1,5})$/.exec(text);
  if (!match) fail('EINVAL', `${JSON.stringify(text.slice(0, 20))} is not a permission`);
  return { domid: Number(match[2]), ...LETTERS[match[1]!]! };
}
