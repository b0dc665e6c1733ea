/** From an image to a domain whose first virtual processor stands before its first instruction (xen.h, "Domain start"). */
import type { Cpu } from '../../cpu/cpu';
import { nullSegment } from '../../cpu/segments';
import { GPR, RFLAGS, SEG } from '../../x86/registers';
import { FLAT } from './abi';
import { codeSegment, stackSegment } from './bounce';
import { DomainBuilder } from './builder';
import type { BuildInput, Built } from './builder';
import { CONSOLE_SERVICE } from './io/console';
import { ACTIVITY } from '../../cpu/turns';
import type { DomainParts } from './parts';
import { STORE_SERVICE } from './store/connection';
import { furnish } from './store/home';
import { TYPE } from './typed-pages';

/** Back ends speak as domain 0. */
const BACKEND = 0;

export function startDomain(parts: DomainParts, input: Omit<BuildInput, 'ports'>): Built {
  const store = parts.channels.openService(STORE_SERVICE, BACKEND);
  const console = parts.channels.openService(CONSOLE_SERVICE, BACKEND);
  const { history } = parts.domain;
  const built = history.during('the domain builder', () => new DomainBuilder(parts.domain, { ...input, ports: { store, console } }).build()); // prettier-ignore
  history.during('the domain builder (console and xenstore rings)', () => {
    parts.console.connect(built.consoleMfn, console);
    parts.store.connect(built.storeMfn, store);
  });
  const { domain } = parts;
  furnish(parts.directory, {
    domid: domain.id,
    name: `domain-${domain.id}`,
    memoryKiB: input.frames.length * 4,
    vcpus: domain.vcpus,
    console: { mfn: built.consoleMfn, port: console },
    store: { mfn: built.storeMfn, port: store },
  });
  parts.disks.announce();
  return built;
}

/** All of them are in the guests' mode, with the hypervisor's tables, and wait. */
export function layOut(parts: DomainParts, cpus: readonly Cpu[]): void {
  for (const cpu of cpus) {
    parts.reserve(cpu.apicId);
    parts.prepare(cpu);
    cpu.state.setSystem('activity', ACTIVITY.waitForSipi);
  }
}
/** The first runs. */
export function enterDomain(parts: DomainParts, cpus: readonly Cpu[], { entry, stack, startInfo, root }: Built): void {
  const { domain } = parts;
  const { word } = domain;
  layOut(parts, cpus);
  const [cpu] = cpus;
  const [vcpu] = domain.vcpuStates;
  domain.pages.getAs(root, word === 8 ? TYPE.l4 : TYPE.l3);
  vcpu.kernelRoot = root;
  vcpu.kernelSp = stack;
  vcpu.up = true;
  const { state } = cpu;
  for (let i = 0; i < 16; i++) state.setGpr(i, 0n);
  state.setGpr(GPR.RSP, stack);
  state.setGpr(GPR.RSI, startInfo);
  state.rip = entry;
  state.rflags = RFLAGS.FIXED | RFLAGS.IF;
  domain.loadRoot(cpu);
  const flat = FLAT[word];
  const ring = flat.kernelCs & 3;
  state.setSegment(SEG.CS, codeSegment(cpu, flat.kernelCs, ring));
  state.setSegment(SEG.SS, stackSegment(cpu, flat.kernelSs, ring));
  for (const segment of [SEG.ES, SEG.DS, SEG.FS, SEG.GS])
    state.setSegment(segment, flat.kernelDs === 0 ? nullSegment(0) : stackSegment(cpu, flat.kernelDs, ring));
  state.setSystem('activity', 0n);
  cpu.modeChanged();
  parts.trapsChanged(cpu);
}
