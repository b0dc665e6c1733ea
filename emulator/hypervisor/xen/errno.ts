/** Errors of hypercalls by name. Xen's public errno.h: the numbers are the ABI's for every guest. */
import { HypercallError } from './ports';

export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EIO: 5,
  E2BIG: 7,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EISDIR: 21,
  EINVAL: 22,
  ENOSPC: 28,
  EROFS: 30,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  ETIME: 62,
  EOPNOTSUPP: 95,
  EISCONN: 106,
} as const;
export type Errno = keyof typeof ERRNO;

/** `why`: for people, the rule that was broken. */
export function refuse(error: Errno, why: string): never {
  throw new HypercallError(ERRNO[error], why);
}
