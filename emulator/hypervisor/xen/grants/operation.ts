/** grant_table_op: arrays of the structures of grant_table.h, in the layouts of both widths. Each answers for itself. */
import { PAGE_BYTES } from '../../../mmu/physical-memory';
import { domainNumber, otherDomain } from '../authority';
import { refuse } from '../errno';
import type { Caller, XenDomain } from '../ports';
import { copyGrant } from './copy';
import type { GrantMappings } from './mappings';
import { deny, GNTST, GrantError } from './status';
import type { GrantTable } from './table';
import { MAX_FRAMES } from './table';

/** Structures in one call: no guest of ours asks for more, and the hypervisor does not take breaks. */
const MAX_COUNT = 4096;

export interface GrantContext {
  domain: XenDomain;
  table: GrantTable;
  mappings: GrantMappings;
  /** Of a domain that is there. */
  tableOf(domid: number): GrantTable | undefined;
  /** Why one of an array was refused: for the trace. */
  refused(why: string): void;
}

interface Row {
  name: string;
  /** Of one structure, by the guest's word. */
  bytes: Record<4 | 8, number>;
  /** Offset of its status; absent: errors are the hypercall's. */
  status?: Record<4 | 8, bigint>;
  run(context: GrantContext, caller: Caller, at: bigint): void;
}
const both = <T>(value: T): Record<4 | 8, T> => ({ 4: value, 8: value });

/** Index is GNTTABOP_*. */
const OPERATIONS: readonly (Row | undefined)[] = [
  { name: 'map_grant_ref', bytes: both(32), status: both(18n), run: map },
  { name: 'unmap_grant_ref', bytes: both(24), status: both(20n), run: unmap },
  { name: 'setup_table', bytes: { 4: 16, 8: 24 }, status: both(8n), run: setupTable },
  undefined, // dump_table: for people at Xen's own console
  { name: 'transfer', bytes: { 4: 16, 8: 24 }, status: { 4: 12n, 8: 16n }, run: transfer },
  { name: 'copy', bytes: { 4: 24, 8: 40 }, status: { 4: 20n, 8: 36n }, run: copy },
  { name: 'query_size', bytes: both(16), status: both(12n), run: querySize },
  undefined, // unmap_and_replace
  { name: 'set_version', bytes: both(4), run: setVersion },
  { name: 'get_status_frames', bytes: { 4: 12, 8: 16 }, status: both(6n), run: statusFrames },
  { name: 'get_version', bytes: both(8), run: getVersion },
  { name: 'swap_grant_ref', bytes: both(12), status: both(8n), run: swap },
  undefined, // cache_flush
];

/** For the trace. */
export const grantOperationName = (command: number): string | undefined => OPERATIONS[command]?.name;

/** HypercallError: the call as a whole; what is wrong with one structure is its status. */
export function grantTableOp(context: GrantContext, caller: Caller, command: number, at: bigint, count: number): number {
  const operation = OPERATIONS[command] ?? refuse('ENOSYS', `GNTTABOP ${command} is not implemented`);
  if (count > MAX_COUNT) refuse('EINVAL', `${count} structures in one call; at most ${MAX_COUNT}`);
  const { word } = caller.domain;
  for (let i = 0; i < count; i++) {
    const structure = at + BigInt(i * operation.bytes[word]);
    let status: number = GNTST.okay;
    try {
      operation.run(context, caller, structure);
    } catch (error) {
      if (!(error instanceof GrantError)) throw error;
      if (!operation.status) refuse('EINVAL', error.message);
      status = GNTST[error.status];
      context.refused(`${operation.name}: ${error.message}`);
    }
    if (operation.status) caller.write(structure + operation.status[word], 2, status & 0xffff);
  }
  return 0;
} // prettier-ignore

function map({ mappings, domain }: GrantContext, caller: Caller, at: bigint): void {
  const { handle, mfn } = mappings.map({
    address: caller.read64(at),
    flags: caller.read(at + 8n, 4),
    ref: caller.read(at + 12n, 4),
    domain: domainNumber(domain, caller.read(at + 16n, 2)),
  });
  caller.write(at + 20n, 4, handle);
  caller.write64(at + 24n, BigInt(mfn * PAGE_BYTES));
}

function unmap({ mappings }: GrantContext, caller: Caller, at: bigint): void {
  mappings.unmap({
    address: caller.read64(at),
    deviceAddress: caller.read64(at + 8n),
    handle: caller.read(at + 16n, 4),
  });
}

/** The table that an operation is about: the caller's own, or for domain 0 another's. */
const target = ({ domain, table, tableOf }: GrantContext, domid: number): GrantTable =>
  otherDomain(domain, domid, tableOf, (why, text) => deny(why === 'absent' ? 'bad_domain' : 'permission_denied', text)) ?? table; // prettier-ignore

function setupTable(context: GrantContext, caller: Caller, at: bigint): void {
  const { word } = caller.domain;
  const count = caller.read(at + 4n, 4);
  const frames = target(context, caller.read(at, 2)).grow(count);
  writeList(caller, pointer(caller, at + (word === 8 ? 16n : 12n)), frames.slice(0, count), word);
}

function statusFrames(context: GrantContext, caller: Caller, at: bigint): void {
  const count = caller.read(at, 4);
  const { status } = target(context, caller.read(at + 4n, 2));
  if (count > status.length) deny('general_error', `there are ${status.length} status frames, not ${count}`);
  writeList(caller, pointer(caller, at + 8n), status.slice(0, count), 8);
}

function querySize(context: GrantContext, caller: Caller, at: bigint): void {
  caller.write(at + 4n, 4, target(context, caller.read(at, 2)).size);
  caller.write(at + 8n, 4, MAX_FRAMES);
}

function setVersion({ table }: GrantContext, caller: Caller, at: bigint): void {
  const version = caller.read(at, 4);
  if (version !== 1 && version !== 2) refuse('EINVAL', `grant tables have versions 1 and 2, not ${version}`);
  table.setVersion(version);
  caller.write(at, 4, version);
}

function getVersion(context: GrantContext, caller: Caller, at: bigint): void {
  caller.write(at + 4n, 4, target(context, caller.read(at, 2)).version);
}

function swap({ table }: GrantContext, caller: Caller, at: bigint): void {
  table.swap(caller.read(at, 4), caller.read(at + 4n, 4));
}

/** Pages of a static reservation stay with their domain. */
function transfer(_context: GrantContext, _caller: Caller, _at: bigint): never {
  return deny('general_error', 'pages do not change their domain: reservations are static');
}

function copy({ domain, tableOf }: GrantContext, caller: Caller, at: bigint): void {
  const { word } = caller.domain;
  const end = BigInt(2 * word);
  const flags = caller.read(at + 2n * end + 2n, 2);
  const read = (from: bigint, grant: boolean): Parameters<typeof copyGrant>[3] => ({
    grant,
    number: word === 8 && !grant ? Number(caller.read64(from)) : caller.read(from, 4),
    domain: caller.read(from + BigInt(word), 2),
    offset: caller.read(from + BigInt(word) + 2n, 2),
  });
  const own = (domid: number): boolean => domainNumber(domain, domid) === domain.id;
  const bytes = caller.read(at + 2n * end, 2);
  copyGrant(domain, tableOf, own, read(at, (flags & 1) !== 0), read(at + end, (flags & 2) !== 0), bytes);
}

/** A handle of the ABI: a pointer of the guest's width. */
function pointer(caller: Caller, at: bigint): bigint {
  return caller.domain.word === 8 ? caller.read64(at) : BigInt(caller.read(at, 4));
}
function writeList(caller: Caller, at: bigint, values: readonly number[], bytes: 4 | 8): void {
  values.forEach((value, i) => {
    const place = at + BigInt(i * bytes);
    if (bytes === 8) caller.write64(place, BigInt(value));
    else caller.write(place, 4, value);
  });
}
