/** https://webidl.spec.whatwg.org/#idl-DOMException : an Error with the legacy code of its name. */
const codes: Record<string, number> = {
  IndexSizeError: 1,
  NotFoundError: 8,
  NotSupportedError: 9,
  InvalidStateError: 11,
  SyntaxError: 12,
  InvalidAccessError: 15,
  NetworkError: 19,
  AbortError: 20,
  URLMismatchError: 21,
  QuotaExceededError: 22,
  TimeoutError: 23,
  DataCloneError: 25,
  InvalidCharacterError: 5,
}

export class DOMException extends Error {
  override readonly name: string
  readonly code: number

  constructor(message = '', options: string | { name?: string; cause?: unknown } = 'Error') {
    const { name = 'Error', cause } = typeof options === 'string' ? { name: options } : options
    super(message, cause === undefined ? undefined : { cause })
    this.name = name
    this.code = codes[name] ?? 0
  }
}
