/** What an engine lets a debugger look at. */
import type { Cpu } from '../../cpu/cpu';
import type { Vmcb } from '../../cpu/svm-state';
import type { Vmcs } from '../../cpu/vmcs-region';
import type { NestedPaging } from '../nested-paging';
import type { ShadowPaging } from '../shadow/shadow-paging';
import type { TranslationCache } from '../translation/cache';
import type { Standings } from '../translation/standing';
import type { GuestCode } from '../translation/translation';
import type { DomainParts } from '../xen/parts';

export interface EngineView {
  /** A domain whose own tables hold machine frames; undefined: it has not been built. */
  paravirtual?(): DomainParts | undefined;
  shadow?: ShadowPaging;
  nested?: NestedPaging;
  /** Of a virtual processor. */
  control?(vcpu: number): Vmcs | Vmcb;
  translations?: {
    cache: TranslationCache;
    hpa: number;
    /** gva at which a guest of that width has the cache mapped. */
    region(wide: boolean): bigint;
    standings: Standings;
    /** Its next instruction is executed in translation. */
    translated(cpu: Cpu): boolean;
    /** Its code, for translating while it stands. */
    look(cpu: Cpu): GuestCode;
  };
}
export interface Viewed {
  readonly view: EngineView;
}
