/** What an engine lets a debugger look at. */
import type { Vmcb } from '../../cpu/svm-state';
import type { Vmcs } from '../../cpu/vmcs-region';
import type { NestedPaging } from '../nested-paging';
import type { ShadowPaging } from '../shadow/shadow-paging';
import type { TranslationCache } from '../translation/cache';

export interface EngineView {
  shadow?: ShadowPaging;
  nested?: NestedPaging;
  /** Of a virtual processor. */
  control?(vcpu: number): Vmcs | Vmcb;
  /** `region`: gva at which a guest of that width has the cache mapped. */
  translations?: { cache: TranslationCache; hpa: number; region(wide: boolean): bigint };
}
export interface Viewed {
  readonly view: EngineView;
}
