/** A tree of values as people see it. Knows no DAP handles: requests/variables.ts gives references to containers. */

import type { Address } from '../addresses';

export interface Node {
  name: string;
  value: string;
  type?: string;
  /** An expression that yields this value again. */
  evaluateName?: string;
  /** Where its bytes are, for memory views and data breakpoints. */
  memory?: { gva: bigint; bytes: number };
  /** What a memory view should open: the pointed-to address for pointers. */
  reference?: Address;
  /** Absent: a leaf. */
  children?: Children;
  /** Takes what the user typed; UserError when it does not fit. */
  set?: (text: string) => void;
  kind?: 'property' | 'data' | 'virtual';
}

export interface Children {
  /** Array elements, which come in pages; absent: all are named. */
  indexed?: number;
  /** `start` and `count` are given for arrays only. */
  list(start?: number, count?: number): Node[];
}

export const group = (name: string, value: string, list: () => Node[]): Node => ({
  name,
  value,
  children: { list },
  kind: 'virtual',
});
