/** A paravirtualised domain's share in Xen's interfaces, for people: ports, grants, mappings, disks, its part of xenstore. */
import type { ChannelsView } from './events/channels';
import type { GrantView } from './grants/table';
import type { DomainParts } from './parts';
import { homeOf } from './store/paths';
import { formatPermission } from './store/permissions';

type Texts = Record<string, string>;

/** One line each, by name. Nothing is changed by looking. */
export function describeParts({ domain, channels, grants, mappings, console, store, disks, directory }: DomainParts): Texts {
  const { abi, upcalls, ports } = channels.inspect();
  const texts: Texts = { 'event channels': `${abi}, ${ports.length} ports` };
  for (const upcall of upcalls) texts[`upcall of vcpu ${upcall.vcpu}`] = flags(upcall) || 'none';
  for (const port of ports) texts[`port ${port.port}`] = [port.connected, `vcpu ${port.vcpu}`, flags(port)].filter((part) => part !== '').join('; ');
  const table = grants.inspect();
  texts['grant table'] = `version ${table.version}, frames ${table.frames.map(hex).join(' ') || 'none'}`;
  for (const grant of table.grants) texts[`grant ${grant.ref}`] = grantText(grant);
  for (const { handle, domain: owner, ref, frame, writable } of mappings.inspect())
    texts[`mapping ${handle}`] = `grant ${ref} of domain ${owner}, frame ${hex(frame)}${writable ? '' : ', to read'}`;
  texts.console = registers(console.inspect());
  texts.xenstore = registers(store.inspect());
  for (const [name, device] of Object.entries(disks.inspect())) texts[`disk ${name}`] = registers(device);
  const home = homeOf(domain.id);
  if (directory.tree.get(home))
    for (const [path, { value, permissions }] of directory.tree.all(home))
      if (value !== '') texts[path] = `${JSON.stringify(value)} (${permissions.map(formatPermission).join(' ')})`;
  return texts;
} // prettier-ignore

const hex = (value: number): string => `0x${value.toString(16)}`;
const flags = ({ pending, masked }: Pick<ChannelsView['ports'][number], 'pending' | 'masked'>): string =>
  [pending ? 'pending' : '', masked ? 'masked' : ''].filter((flag) => flag !== '').join(', ');
const registers = (of: Record<string, number | string | boolean>): string =>
  Object.entries(of)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');

function grantText({ what, grantee, frame, uses }: GrantView): string {
  const users = uses.map(({ domain, how, writable }) => `${how} by domain ${domain}${writable ? '' : ', to read'}`);
  return `${what}, frame ${hex(frame)}, for domain ${grantee}${users.length > 0 ? `; in use: ${users.join(', ')}` : ''}`;
}
