/** The store refused a request, or cannot be reached. */
export class XenstoreError extends Error {
  override name = 'XenstoreError'
  /** The name of an errno: `ENOENT`, `EACCES`, `EAGAIN`, `E2BIG`, ... */
  readonly code: string
  readonly path: string

  constructor(operation: string, path: string, code: string) {
    super(`xenstore: ${operation} ${path}: ${code}. ${hints[code] ?? 'See the log of xenstored in dom0.'}`)
    this.code = code
    this.path = path
  }
}

export const isCode = (error: unknown, code: string): boolean => error instanceof XenstoreError && error.code === code

const hints: Readonly<Record<string, string>> = {
  ENOENT: 'There is no such key; perhaps whoever writes it has not started yet, or has gone.',
  EACCES: 'This domain has no right to it; only dom0 or the owner of the key can change its permissions.',
  EAGAIN: 'The transaction collided with others again and again; something writes these keys all the time.',
  E2BIG: 'A limit of the store is reached: too long a value, or too many watches or transactions of this domain.',
  ENOSPC:
    'This domain owns as many keys as the store allows (usually 1,000): remove some. Or one key is larger than it may be (usually 2,048 bytes, ' +
    'the names of the keys below it included): spread them over several.',
  EQUOTA: 'This domain uses as much of the store as it may; remove some keys.',
  EINVAL: 'The path or the value is not one the store takes.',
  EBUSY: 'Too many transactions of this domain are open.',
  EIO: 'The connection to the store is broken; only a restart of the domain brings it back.',
}
