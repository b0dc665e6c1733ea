/** From checked launch attributes to debuggees: files read, machines made, symbols loaded. */
import { Domains } from '../emulator/index';
import type {
  BootInput,
  DomainConfig,
  FirmwareInput,
  Machine,
  MachineConfig,
  Stop,
  Technique,
} from '../emulator/machine/api';
import { UserError } from '../emulator/util/assert';
import { readBootInput } from './boot-input';
import { Debuggee, type DebuggeeEvents } from './debuggee';
import { domainsChanged } from './domain-list';
import { directoryOf } from './files';
import { MEMORY_MIB, startedFile, type DomainLaunch, type LaunchConfig } from './launch';
import { loadSymbols } from './load-symbols';
import { Party, type DomainPlace } from './party';
import { Program } from './program';
import { reportRebound } from './requests/breakpoints';
import { describeModule } from './requests/sources';
import type { RingsideSession } from './session';
import { SourcePaths } from './source-paths';
import { explainEnd, reportStop, sourceOf } from './stops';

export const machineConfig = (config: LaunchConfig): MachineConfig => ({
  memory: config.memory ?? MEMORY_MIB.default << 20,
  cpus: config.cpus ?? 1,
  ...(config.tier === undefined ? {} : { tier: config.tier }),
  ...(config.technique === undefined ? {} : { technique: config.technique as Technique }),
  ...(config.paging === undefined ? {} : { paging: config.paging }),
  ...(config.cpu === undefined ? {} : { cpu: config.cpu }),
});
const domainConfig = (config: DomainLaunch): DomainConfig => ({
  ...machineConfig(config),
  name: config.name,
  ...(config.weight === undefined ? {} : { weight: config.weight }),
  ...(config.cap === undefined ? {} : { cap: config.cap }),
});

/** The one machine of a session. */
export async function launchAlone(session: RingsideSession, config: LaunchConfig): Promise<void> {
  const boot = await readBootInput(session.files, config);
  const machine = await session.parts.createMachine(machineConfig(config));
  session.add(await debuggeeOf(session, config, { machine, boot }));
}

/** Host memory kept for domains that the user creates later; nothing is spent on it before. */
const SPARE = Array.from({ length: 4 }, () => ({ memory: MEMORY_MIB.default << 20, cpus: 2 }));

/** UserError names the domain. */
export async function launchDomains(session: RingsideSession, launches: readonly DomainLaunch[]): Promise<void> {
  const boots: (BootInput | FirmwareInput)[] = [];
  for (const each of launches) boots.push(await about(each, () => readBootInput(session.files, each)));
  const domains = new Domains(launches.map(domainConfig), { spare: SPARE });
  const party = new Party(domains, {
    afterAnswer: (work) => session.afterAnswer(work),
    failed: (error) => fail(session, error),
    ended: (debuggee, stop) => ended(session, debuggee, stop),
  });
  session.party = party;
  for (const [i, { id, machine }] of domains.all.entries())
    await joinParty(session, party, launches[i]!, { id, machine, boot: boots[i]! });
}

/** While the others are there already. UserError: a bad launch, or the host has no room. */
export async function launchInto(session: RingsideSession, party: Party, launch: DomainLaunch): Promise<void> {
  const boot = await about(launch, () => readBootInput(session.files, launch));
  const { id, machine } = party.domains.create(domainConfig(launch));
  try {
    await joinParty(session, party, launch, { id, machine, boot });
  } catch (error) {
    party.domains.destroy(id);
    throw error;
  }
}

async function joinParty(
  session: RingsideSession,
  party: Party,
  launch: DomainLaunch,
  { id, machine, boot }: { id: number; machine: Machine; boot: BootInput | FirmwareInput },
): Promise<void> {
  const place = party.place(id, launch.name, machine.config.cpus);
  const debuggee = await about(launch, () => debuggeeOf(session, launch, { machine, boot, place }));
  party.debuggees.push(debuggee);
  session.add(debuggee);
}

async function about<T>({ name }: DomainLaunch, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof UserError ? new UserError(`Domain "${name}": ${error.message}`) : error;
  }
}

async function debuggeeOf(
  session: RingsideSession,
  config: LaunchConfig,
  parts: { machine: Machine; boot: BootInput | FirmwareInput; place?: DomainPlace },
): Promise<Debuggee> {
  const program = new Program();
  const kernel = session.files.resolve(startedFile(config));
  const paths = new SourcePaths(session.files, () => program.sources(), config.sourceMap ?? {}, directoryOf(kernel));
  const { boot, place } = parts;
  const made: { debuggee?: Debuggee } = {};
  const debuggee = new Debuggee({ config, program, paths, ...parts }, eventsOf(session, made, place));
  made.debuggee = debuggee;
  if (config.noDebug !== true) await loadSymbols(session, config, 'kernel' in boot ? boot.kernel : undefined, program);
  return debuggee;
}

/** What a debuggee has to tell; one of several says who it is. */
function eventsOf(session: RingsideSession, made: { debuggee?: Debuggee }, place: DomainPlace | undefined): DebuggeeEvents {
  const named = (text: string): string => (place ? `${place.name}: ${text}` : text);
  return {
    afterAnswer: (work) => session.afterAnswer(work),
    output: (category, text, at) => void outputAt(session, made.debuggee, category, named(text), at),
    guestConsole: (text, attached) => {
      if (attached) session.event('ringside/console', place ? { text, domain: place.name } : { text });
      else session.output('stdout', place ? session.consoles.add(place.name, text) : text);
    },
    exits: (rates) => session.event('ringside/exits', rates),
    stopped: (stop) => {
      session.debuggee = made.debuggee ?? session.debuggee;
      reportStop(session, stop);
    },
    failed: (error) => fail(session, error),
    rebound: (breakpoints) => void reportRebound(session, made.debuggee ?? session.target, breakpoints),
    module: (reason, module) => session.event('module', { reason, module: describeModule(module) }),
  };
} // prettier-ignore

async function outputAt(
  session: RingsideSession,
  target: Debuggee | undefined,
  category: string,
  text: string,
  at: bigint | undefined,
): Promise<void> {
  const line = at === undefined || target === undefined ? undefined : target.program.lineAt(at);
  if (line === undefined || target === undefined) return session.output(category, text);
  const source = await sourceOf(session, line.path, target);
  session.output(category, text, { source, line: line.line - 1 + session.client.firstLine });
}

/** One of several is dead; the others go on. */
function ended(session: RingsideSession, debuggee: Debuggee, stop: Stop): void {
  debuggee.console.flush();
  session.output('important', `${debuggee.place!.name}: ${explainEnd(debuggee, stop)}\n`);
  domainsChanged(session);
}

/** The machine itself failed: no more than a message and the end of the run, the session stays to look around. */
function fail(session: RingsideSession, error: unknown): void {
  const text = error instanceof Error ? error.message : String(error);
  session.output('important', `${text}\n`);
  reportStop(session, { kind: 'requested' }, text);
}
