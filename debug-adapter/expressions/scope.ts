/** What expressions see of the world. */
import type { Target, Type, Variable } from '../symbols/api';
import type { Guest } from './values';

/** What the names of an expression mean, and the guest behind them. Lookups happen once, when compiling. */
export interface Scope extends Guest {
  readonly pointerBytes: 4 | 8;
  /** Visible at the place where the expression is evaluated. */
  variable?(name: string): Variable | undefined;
  /** The frame that variables are located in, and its pc: asked at each evaluation. */
  target?(): Target;
  pc?(): bigint;
  /** `struct page`, `u32`, `page`... */
  typeNamed?(name: string): Type | undefined;
  enumerator?(name: string): { value: bigint; type: Type } | undefined;
  /** By name, without `$`: also `cs.base`. `bytes` is its width; 1 for flags. */
  register?(name: string): { bytes: number; read: () => bigint } | undefined;
  symbol?(name: string): bigint | undefined;
  /**
   * `trap.vector`, `hitCount`, `exit.reason`: numbers or text. A name that exists but has no value now reads as
   * undefined, which is unequal to everything.
   */
  special?(name: string): (() => bigint | string | undefined) | undefined;
  /** Texts that mean the same are made equal before they are compared. */
  synonym?(text: string): string;
}
