/** What is done for a request of a block device: data between a disk and pages that the guest grants. io/blkif.h. */
import { GrantError } from '../grants/status';
import type { GrantTable } from '../grants/table';
import type { MachineFrames } from '../ports';
import { MAX_SEGMENTS } from './block-ring';
import type { BlockRequest, Segment } from './block-ring';

export const SECTOR_BYTES = 512;
const LAST_SECTOR_OF_PAGE = 7;
const OPERATION = { READ: 0, WRITE: 1, WRITE_BARRIER: 2, FLUSH: 3 } as const;
const STATUS = { OKAY: 0, ERROR: -1, NOT_SUPPORTED: -2 } as const;

/** A disk. Offsets and lengths are in bytes, within it. */
export interface BlockMedium {
  readonly name: string;
  readonly sectors: number;
  readonly readOnly: boolean;
  read(offset: number, bytes: number): Uint8Array;
  write(offset: number, data: Uint8Array): void;
}

export interface BlockContext {
  medium: BlockMedium;
  grants: GrantTable;
  memory: MachineFrames;
  /** As whom the back end uses grants, and what for. */
  user: { domain: number; how: string };
}

/** The status of the response; `why`: for people, where it is an error. */
export function perform(context: BlockContext, request: BlockRequest, why: (reason: string) => void): number {
  switch (request.operation) {
    case OPERATION.READ:
    case OPERATION.WRITE:
    case OPERATION.WRITE_BARRIER: // requests are done one after the other: each is a barrier
    case OPERATION.FLUSH: {
      const wrong = checked(context.medium, request);
      if (wrong !== undefined) {
        why(wrong);
        return STATUS.ERROR;
      }
      return transfer(context, request, why);
    }
    default:
      return STATUS.NOT_SUPPORTED;
  }
}

const sectorsOf = (segments: readonly Segment[]): number =>
  segments.reduce((sum, { first, last }) => sum + last - first + 1, 0);

/** What is wrong with it. */
function checked(medium: BlockMedium, { operation, count, sector, segments }: BlockRequest): string | undefined {
  if (count > MAX_SEGMENTS) return `a request of ${count} segments; at most ${MAX_SEGMENTS}`;
  if (count === 0 && (operation === OPERATION.READ || operation === OPERATION.WRITE)) return 'a request for nothing';
  const bad = segments.find(({ first, last }) => first > last || last > LAST_SECTOR_OF_PAGE);
  if (bad) return `a segment from sector ${bad.first} to ${bad.last} of a page`;
  if (operation !== OPERATION.READ && count > 0 && medium.readOnly) return `${medium.name} is read-only`;
  const sectors = sectorsOf(segments);
  if (sectors > 0 && sector + BigInt(sectors) > BigInt(medium.sectors)) return `sectors ${sector} and on are beyond the end of ${medium.name}`; // prettier-ignore
  return undefined;
}

function transfer(context: BlockContext, request: BlockRequest, why: (reason: string) => void): number {
  const { medium, grants, memory, user } = context;
  const toGuest = request.operation === OPERATION.READ;
  let at = Number(request.sector) * SECTOR_BYTES;
  for (const { ref, first, last } of request.segments) {
    const bytes = (last - first + 1) * SECTOR_BYTES;
    try {
      const { mfn, release } = grants.acquire(ref, { ...user, writable: toGuest });
      if (toGuest) memory.writeBytes(mfn, first * SECTOR_BYTES, medium.read(at, bytes));
      else medium.write(at, memory.readBytes(mfn, first * SECTOR_BYTES, bytes));
      release();
    } catch (error) {
      if (!(error instanceof GrantError)) throw error;
      why(error.message);
      return STATUS.ERROR;
    }
    at += bytes;
  }
  return STATUS.OKAY;
}
