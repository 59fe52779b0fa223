/** https://webidl.spec.whatwg.org/#idl-DOMException : an Error with the legacy code of its name. */

/** By code, from 1 on, without the `Error` at their ends. Four codes have a constant, but no errors. */
const names = `IndexSize - HierarchyRequest WrongDocument InvalidCharacter - NoModificationAllowed NotFound NotSupported InUseAttribute
InvalidState Syntax InvalidModification Namespace InvalidAccess - TypeMismatch Security Network Abort URLMismatch QuotaExceeded Timeout
InvalidNodeType DataClone`
const constants = `INDEX_SIZE DOMSTRING_SIZE HIERARCHY_REQUEST WRONG_DOCUMENT INVALID_CHARACTER NO_DATA_ALLOWED NO_MODIFICATION_ALLOWED NOT_FOUND
NOT_SUPPORTED INUSE_ATTRIBUTE INVALID_STATE SYNTAX INVALID_MODIFICATION NAMESPACE INVALID_ACCESS VALIDATION TYPE_MISMATCH SECURITY NETWORK ABORT
URL_MISMATCH QUOTA_EXCEEDED TIMEOUT INVALID_NODE_TYPE DATA_CLONE`

export class DOMException extends Error {
  readonly #message: string
  readonly #name: string

  constructor(message = '', options: string | { name?: string; cause?: unknown } = 'Error') {
    const { name = 'Error', cause } = typeof options === 'object' && options !== null ? options : { name: options }
    super(undefined, cause === undefined ? undefined : { cause })
    this.#message = String(message)
    this.#name = String(name)
    // What the constructor of Error could not know.
    ;(Error as { captureStackTrace?: typeof Error.captureStackTrace }).captureStackTrace?.(this, DOMException)
  }

  override get name(): string {
    return this.#name
  }
  override get message(): string {
    return this.#message
  }
  get code(): number {
    return this.#name.endsWith('Error') ? names.split(/\s/).indexOf(this.#name.slice(0, -'Error'.length)) + 1 : 0
  }
}

for (const [i, constant] of constants.split(/\s/).entries()) {
  for (const holder of [DOMException, DOMException.prototype])
    Object.defineProperty(holder, `${constant}_ERR`, { value: i + 1, enumerable: true })
}
