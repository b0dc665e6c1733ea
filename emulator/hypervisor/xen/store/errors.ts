/** A request to xenstore that failed: the name goes over the wire (xs_wire.h, xsd_errors), the reason is for people. */
export type StoreErrno = 'EINVAL' | 'EACCES' | 'EEXIST' | 'ENOENT' | 'ENOSPC' | 'ENOSYS' | 'EBUSY' | 'EAGAIN' | 'E2BIG' | 'EPERM'; // prettier-ignore

export class StoreError extends Error {
  constructor(
    readonly errno: StoreErrno,
    why: string,
  ) {
    super(why);
  }
}

export function fail(errno: StoreErrno, why: string): never {
  throw new StoreError(errno, why);
}
