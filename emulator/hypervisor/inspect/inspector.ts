/** What a debugger sees of a domain from its hypervisor's side. Reads leave no trace: nothing is built, filled or marked. */
import { knownCr4 } from '../../cpu/control';
import { Vmcb } from '../../cpu/svm-state';
import { wordsOf } from '../../cpu/vmcs-region';
import type { SvmHost } from '../../cpu/svm-checks';
import type { HostMode } from '../../cpu/vmx-checks';
import { CR4, RFLAGS } from '../../x86/registers';
import { STATE } from '../../x86/vmcb';
import type { Paging, Translation } from '../../machine/api';
import type {
  AddressView, FrameUse, HypervisorInspector, PhysicalView, ShadowFinding, StructureNode, TableContents, TableKind, TableSpace,
  TranslatedPosition, TranslatedView, TranslationCacheView,
} from '../../machine/inspect-api'; // prettier-ignore
import type { PagingContext } from '../../mmu/guest-paging';
import * as tables from '../../mmu/inspect';
import { PAGE_BYTES } from '../../mmu/physical-memory';
import type { PhysicalMemory } from '../../mmu/physical-memory';
import { walkSecond, walkStages } from '../../mmu/staged-walk';
import type { Looking, Stages } from '../../mmu/staged-walk';
import type { Guest } from '../guest';
import type { Host } from '../host';
import { checkShadow } from '../shadow/check';
import { judgeWalk, viewAddress } from './address';
import type { Judge } from './address';
import type { EngineView } from './engine-view';
import type { Editing } from './nodes';
import { contextOf, ShadowView } from './shadow-view';
import { TranslationsView } from './translations';
import { vmcbNode } from './vmcb-node';
import { vmcsNode } from './vmcs-node';
import { machineFrameOf, typedFrame, xenNodes } from './xen-view';

export class GuestInspector implements HypervisorInspector {
  private readonly shadow?: ShadowView;
  private readonly translations?: TranslationsView;

  constructor(
    private readonly host: Host,
    private readonly guest: Guest,
    private readonly engine: EngineView,
    private readonly paging: Paging,
  ) {
    const { shadow, translations } = engine;
    if (shadow) this.shadow = new ShadowView(shadow, host.physical, guest.physical, translations !== undefined);
    if (translations) this.translations = new TranslationsView(translations, host.physical, guest.physical);
  }

  get tables(): readonly TableKind[] {
    return this.engine.shadow ? ['shadow'] : this.engine.nested ? ['nested'] : [];
  }
  /** What the guest's tables speak of: a paravirtualised guest's, of the host's frames. */
  private get tableMemory(): PhysicalMemory {
    return this.paging === 'direct' ? this.host.physical : this.guest.physical;
  }
  private paged(cpu: number): PagingContext {
    return this.guest.cpus[cpu].mmu.paging;
  }

  walk(cpu: number, gva: bigint, access: Translation['access'], user: boolean): AddressView {
    const { state } = this.guest.cpus[cpu];
    const looking: Looking = { access, user, smapOff: (state.systemFlags & RFLAGS.AC) !== 0 };
    const paging = this.paged(cpu);
    const second = this.engine.nested?.context;
    const direct = this.direct && { direct: (hpa: number) => this.guestAddress(hpa) };
    const stages: Stages = second
      ? { paging, memory: this.host.physical, second }
      : { paging, memory: this.tableMemory, ...direct };
    const space = this.shadow?.space(paging);
    const judge = this.shadow ? this.shadow.judge(space, gva) : this.judgeNested;
    const view = viewAddress(stages, gva, looking, this.paging, judge);
    if (this.shadow && space) view.shadow = this.shadow.walk(space, gva, looking, walkStages(stages, gva, looking));
    return view;
  }
  private readonly judgeNested: Judge = (walk, looking) => {
    const verdict = judgeWalk(walk, looking);
    const device = verdict.exit === 'nested-fault' && walk.gpa !== undefined && !this.guest.physical.isRam(walk.gpa);
    return device ? { ...verdict, exit: 'mmio' } : verdict;
  };

  walkPhysical(gpa: number): PhysicalView {
    const second = this.engine.nested?.context;
    const { physical } = this.guest;
    const domain = this.engine.paravirtual?.()?.domain;
    if (domain) {
      const mfn = machineFrameOf(domain, Math.floor(gpa / PAGE_BYTES));
      return { references: [], ...(mfn === undefined ? {} : { hpa: mfn * PAGE_BYTES + (gpa % PAGE_BYTES) }) };
    }
    if (!second) return { references: [], ...(physical.isRam(gpa) ? { hpa: physical.hpa(gpa) } : {}) };
    const { references, hpa, fault } = walkSecond({ paging: second, memory: this.host.physical, second }, gpa, 'read');
    return { references, ...(hpa === undefined ? {} : { hpa }), ...(fault ? { reason: fault.reason } : {}) };
  }
  use(hpa: number): FrameUse {
    const { physical } = this.host;
    const at = physical.base + hpa;
    const own = this.ownUse(hpa);
    if (own) return own;
    for (const { domain, physical: ram } of this.host.owners)
      if (physical.isRam(hpa) && ram.holds(at)) return { kind: 'guest', domain, gpa: ram.gpaOf(at) };
    for (const { domain, tables: own } of this.host.owners)
      if (own?.holds(Math.floor(hpa / PAGE_BYTES))) return { kind: 'hypervisor', domain, what: this.whatIs(domain, hpa) };
    return { kind: 'free' };
  } // prettier-ignore
  get direct(): boolean {
    return this.paging === 'direct';
  }
  guestAddress(hpa: number): number | undefined {
    const pfn = this.engine.paravirtual?.()?.domain.space.guestFrame(Math.floor(hpa / PAGE_BYTES));
    return pfn === undefined ? undefined : Number(pfn) * PAGE_BYTES + (hpa % PAGE_BYTES);
  }
  runsPortedKernel(cpu: number): boolean {
    return this.engine.paravirtual?.()?.inKernel(this.guest.cpus[cpu]) ?? false;
  }
  structures(): StructureNode[] {
    const parts = this.engine.paravirtual?.();
    return parts ? xenNodes(parts) : [];
  }
  /** Of a paravirtualised domain that knows its frames. */
  private ownUse(hpa: number): FrameUse | undefined {
    const domain = this.engine.paravirtual?.()?.domain;
    const mfn = Math.floor(hpa / PAGE_BYTES);
    if (!domain?.owns(mfn)) return undefined;
    const typed = typedFrame(domain, mfn);
    const gpa = this.guestAddress(hpa);
    if (gpa !== undefined) return { kind: 'guest', domain: domain.id, gpa, typed };
    return domain.space.has(mfn) ? { kind: 'hypervisor', domain: domain.id, what: 'shared with the guest', typed } : undefined;
  } // prettier-ignore
  /** Of another domain's frames no more is known than that they are its hypervisor's. */
  private whatIs(domain: number, hpa: number): string {
    const { shadow, nested, control } = this.engine;
    const frame = Math.floor(hpa / PAGE_BYTES);
    if (domain !== this.guest.index) return 'its hypervisor\'s own'; // prettier-ignore
    if (this.direct) return 'its part of the address space: the m2p table, descriptor tables';
    if (nested?.holds(frame)) return 'a table of the second stage';
    if (shadow?.all.some((space) => space.tables.holds(frame))) return 'a shadow table';
    if (this.translations?.holds(hpa)) return 'the translation cache';
    for (let vcpu = 0; control && vcpu < this.guest.cpus.length; vcpu++) {
      const block = control(vcpu);
      if (block instanceof Vmcb ? block.hpa === frame * PAGE_BYTES : block.gpa === frame * PAGE_BYTES)
        return `the ${block instanceof Vmcb ? 'VMCB' : 'VMCS'} of virtual processor ${vcpu}`;
    }
    return 'a map of intercepts, or kept for later';
  }

  context(cpu: number, kind: TableKind): PagingContext | undefined {
    if (kind === 'guest') return this.paged(cpu);
    if (kind === 'nested') return this.engine.nested?.context;
    const space = this.shadow?.space(this.paged(cpu));
    return space && contextOf(space.tables);
  }
  table(cpu: number, kind: TableKind, at?: { hpa: number; level: number }): TableContents | undefined {
    const context = this.context(cpu, kind);
    if (!context || kind === 'guest') return undefined;
    const found = tables.table(context, this.host.physical, at && { gpa: at.hpa, level: at.level });
    const space = this.shadow?.space(this.paged(cpu));
    const base = space && this.shadow!.base(space, found.gpa);
    const entries = found.entries.map(({ gpa: hpa, gva, ...entry }) => {
      const address = base === undefined || !at ? gva : BigInt.asUintN(64, base + gva);
      const broken = space && base !== undefined && entry.leaf ? this.shadow!.broken(space, address, hpa) : undefined;
      return { ...entry, hpa, gva, targetSpace: 'hp' as const, ...broken };
    });
    return { tables: kind, format: found.format, level: found.level, hpa: found.gpa, entries };
  }
  tableSpace(cpu: number, kind: TableKind): TableSpace | undefined {
    const context = this.context(cpu, kind);
    if (!context) return undefined;
    const memory = kind === 'guest' ? this.tableMemory : this.host.physical;
    return { context, memory, targetSpace: kind === 'guest' && this.paging !== 'direct' ? 'gp' : 'hp' };
  }

  checkShadow(limit: number): ShadowFinding[] {
    const { shadow } = this.engine;
    return shadow ? checkShadow(shadow, this.host.physical, this.guest.physical, limit) : [];
  }

  readHost(hpa: number, bytes: number): Uint8Array {
    return this.host.physical.readBytes(hpa, bytes);
  }
  writeHost(hpa: number, bytes: Uint8Array): number {
    let done = 0;
    while (done < bytes.length) {
      const at = hpa + done;
      const part = bytes.subarray(done, done + Math.min(bytes.length - done, PAGE_BYTES - (at % PAGE_BYTES)));
      const written = this.writePage(at, part);
      done += written;
      if (written < part.length) break;
    }
    this.edited();
    return done;
  }
  /** What a guest's memory is followed for is known to its owner. */
  private writePage(hpa: number, bytes: Uint8Array): number {
    const { physical, owners } = this.host;
    const at = physical.base + hpa;
    const owner = physical.isRam(hpa) ? owners.find((each) => each.physical.holds(at)) : undefined;
    return owner ? owner.physical.writeBytes(owner.physical.gpaOf(at), bytes, true) : physical.writeBytes(hpa, bytes, true);
  } // prettier-ignore
  edited(): void {
    this.host.processor.flushTlb('all');
  }

  controlBlock(cpu: number): StructureNode | undefined {
    const block = this.engine.control?.(cpu);
    if (!block) return undefined;
    return block instanceof Vmcb
      ? vmcbNode(block, this.svmHost, this.registersOf(block.read(STATE.EFER) !== 0n))
      : vmcsNode(block, this.hostMode, this.registersOf(block.launched));
  }
  /**
   * The guest's registers, which the block shows, are changed as registers. Those that the engine makes itself of what the guest
   * believes are not, nor what it asks for: that is the engine's own. `entered`: the block has had a guest's registers.
   */
  private registersOf(entered: boolean): Editing<unknown> {
    const own = this.engine.shadow ? /^(cr[034]|efer|pdpte\d)$/ : /^(cr[04]|efer)$/;
    return (_, register) => (!entered || register === undefined || own.test(register) ? undefined : `$${register}`);
  }

  private get hostMode(): HostMode {
    const { physical } = this.host;
    return { cr4: knownCr4(this.host.processor) | CR4.VMXE, wide: true, peek: wordsOf(physical) };
  }
  private get svmHost(): SvmHost {
    return { cr4: knownCr4(this.host.processor), paging: true };
  }

  get cache(): TranslationCacheView | undefined {
    return this.translations?.cache;
  }
  translated(gva: bigint): TranslatedView[] {
    return this.translations?.blocksOf(gva, this.wide) ?? [];
  }
  gvaOfTranslation(hpa: number): bigint | undefined {
    return this.translations?.gvaOf(hpa);
  }
  translatedPosition(cpu: number): TranslatedPosition | undefined {
    return this.translations?.position(this.guest.cpus[cpu]);
  }
  private get wide(): boolean {
    return this.guest.cpus[0].ia32e;
  }
}
