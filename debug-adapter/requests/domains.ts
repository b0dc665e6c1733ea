/** ringside/domains: the domains of a session, and what the user does to them. */
import { UserError } from '../../emulator/util/assert';
import { integer, isObject, maybeObject, oneOf, optional, string } from '../arguments';
import { domainList, domainsChanged } from '../domain-list';
import { checkDomain } from '../launch';
import { launchInto } from '../launching';
import type { Party } from '../party';
import type { RingsideSession } from '../session';
import { handler } from './handler';

const ARGUMENTS = maybeObject({
  action: optional(oneOf('pause', 'resume', 'destroy', 'share', 'create')),
  domain: optional(string),
  weight: optional(integer(1)),
  cap: optional(integer(0, 100)),
  launch: (value: unknown) => value,
});

export const domains = handler(ARGUMENTS, async (session, { action, domain, weight, cap, launch }) => {
  if (action === undefined) return domainList(session);
  const { party } = session;
  if (!party) throw new UserError(`This session has one machine; launch with "domains" to ${action} one of several.`);
  if (action === 'create') await create(session, party, launch);
  else {
    const debuggee = find(party, domain);
    const { id } = debuggee.place!;
    if (action === 'share')
      party.domains.setShare(id, {
        ...(weight === undefined ? {} : { weight }),
        ...(cap === undefined ? {} : { cap }),
      });
    else if (action === 'destroy') destroy(session, party, debuggee);
    else party.domains[action](id);
  }
  party.runner.wake();
  domainsChanged(session);
  return domainList(session);
});

/** By name, or by id in digits. */
function find({ debuggees }: Party, wanted: string | undefined): Party['debuggees'][number] {
  if (wanted === undefined) throw new UserError("'domain' is missing; give the name of one.");
  const found = debuggees.find(({ place }) => place?.name === wanted) ?? debuggees.find(({ place }) => `${place?.id}` === wanted); // prettier-ignore
  if (!found) {
    const names = debuggees.map(({ place }) => `"${place?.name}"`).join(', ');
    throw new UserError(`'domain' is ${JSON.stringify(wanted)}, which there is not; there are ${names || 'none'}.`);
  }
  return found;
}

async function create(session: RingsideSession, party: Party, launch: unknown): Promise<void> {
  if (!isObject(launch)) throw new UserError("'launch' is missing; give the attributes of one domain.");
  // The host's frames are another's when one is destroyed: nobody runs meanwhile.
  if (party.runner.running) throw new UserError('The machine is running; pause it first.');
  await launchInto(session, party, checkDomain(launch, party.debuggees.length));
  for (const thread of party.debuggees.at(-1)!.threads)
    session.event('thread', { reason: 'started', threadId: thread });
}

function destroy(session: RingsideSession, party: Party, debuggee: Party['debuggees'][number]): void {
  if (party.debuggees.length === 1) throw new UserError('This is the last domain; end the session instead.');
  if (party.runner.running) throw new UserError('The machine is running; pause it first.');
  party.domains.destroy(debuggee.place!.id);
  party.remove(debuggee);
  session.remove(debuggee);
  for (const thread of debuggee.threads) session.event('thread', { reason: 'exited', threadId: thread });
}
