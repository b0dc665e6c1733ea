/** A hypercall in words, argument by argument, as Xen's public headers (xen/include/public) name them. */
import type { VmExit } from '../emulator/machine/api';
import { hex, shortHex } from './addresses';
import { rightsText } from './trap-explanation';

type Hypercall = NonNullable<VmExit['hypercall']>;
type HypercallSubject = keyof NonNullable<Hypercall['about']>;
type Argument = NonNullable<Hypercall['arguments']>[number];
type Place = (gva: bigint) => string;

/** Reserved domain numbers by the header's names, where a name does not say all. */
const DOMIDS: Readonly<Record<string, string>> = {
  DOMID_SELF: 'the caller',
  DOMID_IO: 'frames of devices',
  DOMID_XEN: 'frames of the hypervisor',
};
/** xen.h, UVMF_*: bits 1:0 what is flushed, bit 2 where, or a pointer to a set of processors. */
const FLUSHED = ['nothing', 'UVMF_TLB_FLUSH: the whole TLB', 'UVMF_INVLPG: this page', 'reserved'];
const MS = 1_000_000n;

/** An x86 page-table entry of 64 bits (SDM vol. 3A table 4-20). */
function entryText(entry: bigint): string {
  const bit = (n: bigint): boolean => ((entry >> n) & 1n) === 1n;
  if (!bit(0n)) return `${shortHex(entry)}: not present`;
  const rights = rightsText({
    name: 'PTE', level: 1, entry, bytes: 8, present: true, writable: bit(1n), user: bit(2n), executable: !bit(63n),
    accessed: bit(5n), dirty: bit(6n), global: bit(8n), leaf: true, reserved: 0n, target: 0,
  }); // prettier-ignore
  return `${shortHex(entry)}: machine frame ${shortHex((entry >> 12n) & ((1n << 40n) - 1n))}, ${rights}`;
}
/** SDM vol. 3A figure 3-8. */
function descriptorText(low: bigint): string {
  const base = ((low >> 16n) & 0xff_ffffn) | ((low >> 32n) & 0xff00_0000n);
  const limit = (low & 0xffffn) | ((low >> 32n) & 0xf_0000n);
  const access = Number((low >> 40n) & 0xffn);
  return `${hex(low)}: base ${shortHex(base)}, limit ${shortHex(limit)}${(low >> 55n) & 1n ? ' pages' : ' bytes'}, DPL ${(access >> 5) & 3}, ${access & 0x80 ? 'present' : 'NOT PRESENT'}`;
} // prettier-ignore

const KINDS: Record<Argument['kind'], (value: bigint, place: Place, named?: string) => string> = {
  number: (value) => `${BigInt.asIntN(32, value)}`,
  gva: (value, place) => place(value),
  pointer: (value, place) => (value === 0n ? 'none' : `at ${place(value)}`),
  frame: (value) => `machine frame ${shortHex(value)}`,
  'machine-address': (value) => `hp:${shortHex(value)}`,
  flush: (value) => {
    const what = `${shortHex(value)}: flushed is ${FLUSHED[Number(value & 3n)]!}`;
    return (value & 3n) === 0n ? what : `${what}, ${value & 4n ? 'on all processors' : value >> 3n ? 'on the processors of the set there' : 'on this processor'}`;
  },
  command: (value, _, named) => `${value}${named === undefined ? ', which Xen’s headers do not name' : ` (${named})`}`,
  domain: (value, _, named) => {
    const id = Number(value & 0xffffn);
    return `${shortHex(id)} (${named === undefined ? `domain ${id}` : [named, DOMIDS[named]].filter(Boolean).join(', ')})`;
  },
  value: (value) => shortHex(value),
  descriptor: descriptorText,
  entry: entryText,
  time: (value) => (value === 0n ? '0: no deadline' : `${value} ns of system time (${value / MS} ms)`),
  assist: (value, _, named = 'unknown') => `${value} (${named})`,
}; // prettier-ignore

const SUBJECTS: Record<HypercallSubject, (value: bigint, place: Place) => string> = {
  frame: (frame) => `machine frame ${shortHex(frame)}`,
  entry: (entry) => `entry ${entry} of it`,
  value: (value) => `becomes ${entryText(value)}`,
  target: (frame) => `leads to machine frame ${shortHex(frame)}`,
  pfn: (pfn) => `is the domain’s own frame ${shortHex(pfn)}`,
  port: (port) => `event channel ${port}`,
  address: (gva, place) => place(gva),
};

/** `grant_table_op`, its arguments below it; what a batch holds below that. */
export function hypercallLines(call: Hypercall, place: Place): string[] {
  const { number, name, args, command, arguments: list, operation, about, batch, result } = call;
  // Before it is done and without a filter nobody has looked: registers alone.
  const known = list?.map(({ name: argument, kind, value, named }) => `  ${argument}: ${KINDS[kind](value, place, named)}`);
  const plain = args.map((arg, i) => `  argument ${i + 1}: ${i === 0 && command !== undefined ? command : shortHex(arg)}`);
  const subjects = Object.entries(about ?? {}) as [HypercallSubject, bigint][];
  const first = [...(operation === undefined ? [] : [operation]), ...subjects.map(([subject, value]) => SUBJECTS[subject](value, place))];
  return [
    `hypercall ${number}: ${name}`,
    ...(known ?? plain),
    ...(first.length === 0 ? [] : [`  first operation: ${first.join(', ')}`]),
    ...(result === undefined ? [] : [`  result: ${BigInt.asIntN(64, result)}`]),
    ...(batch ?? []).flatMap((each) => hypercallLines(each, place).map((line) => `  ${line}`)),
  ];
} // prettier-ignore
