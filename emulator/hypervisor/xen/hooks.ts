/** What a paravirtualised domain asks of those around it. */
import type { Stop } from '../../machine/api';
import type { BlockMedium } from './io/block-requests';

/** What the machine does for the domain. */
export interface MachineHooks {
  stop(stop: Stop): void;
  output(bytes: Uint8Array): void;
  report(what: string): void;
  giveWay(): void;
  /** What is on its disks. */
  disks(): readonly BlockMedium[];
}
/** What whoever made a domain can do with it. */
export interface Maker {
  /** Empty, with another width, in its place. */
  remake(word: 4 | 8): void;
}
