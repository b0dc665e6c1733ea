/** GNTST_*: what an operation on a grant answers, in its own structure. */
export const GNTST = {
  okay: 0, general_error: -1, bad_domain: -2, bad_gntref: -3, bad_handle: -4, bad_virt_addr: -5, bad_dev_addr: -6,
  no_device_space: -7, permission_denied: -8, bad_page: -9, bad_copy_arg: -10, address_too_big: -11, eagain: -12, no_space: -13,
} as const; // prettier-ignore
export type GrantStatus = keyof typeof GNTST;

/** A guest was refused one grant of perhaps many: the status, and why, for people. A value, as HypercallError is. */
export class GrantError {
  constructor(
    readonly status: GrantStatus,
    readonly message: string,
  ) {}
}

export function deny(status: GrantStatus, why: string): never {
  throw new GrantError(status, why);
}
