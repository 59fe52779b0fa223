/** Names for Xen's error numbers (xen/include/public/errno.h), as far as the operations used here return them. */
const errnoNames: Readonly<Record<number, string>> = {
  1: 'EPERM',
  2: 'ENOENT',
  3: 'ESRCH',
  5: 'EIO',
  7: 'E2BIG',
  11: 'EAGAIN',
  12: 'ENOMEM',
  13: 'EACCES',
  14: 'EFAULT',
  16: 'EBUSY',
  17: 'EEXIST',
  19: 'ENODEV',
  22: 'EINVAL',
  28: 'ENOSPC',
  38: 'ENOSYS',
}

/** Names for the negative status of grant operations (GNTST_*, xen/include/public/grant_table.h). */
const grantStatusNames: Readonly<Record<number, string>> = {
  1: 'general_error',
  2: 'bad_domain',
  3: 'bad_gntref',
  4: 'bad_handle',
  5: 'bad_virt_addr',
  6: 'bad_dev_addr',
  7: 'no_device_space',
  8: 'permission_denied',
  9: 'bad_page',
  10: 'bad_copy_arg',
  11: 'address_too_big',
  12: 'eagain',
  13: 'no_space',
}

/** A hypervisor call failed. The message says what was tried, the name Xen gave the failure, and what usually helps. */
export class XenError extends Error {
  override name = 'XenError'
  /** Such as `EINVAL` or `bad_gntref`. */
  readonly code: string

  constructor(what: string, code: string, hint: string) {
    super(`${what}: ${code}. ${hint}`)
    this.code = code
  }
}

/** `result` is -errno, as event channel calls return it. */
export const errnoName = (result: number): string => errnoNames[-result] ?? `errno ${-result}`

/** `result` is a negative GNTST_* status, as grant calls return it. */
export const grantStatusName = (result: number): string => grantStatusNames[-result] ?? `grant status ${result}`
