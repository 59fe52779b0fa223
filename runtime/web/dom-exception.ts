/** https://webidl.spec.whatwg.org/#idl-DOMException : an Error with the legacy code of its name. */

/** Codes from 1 on, as the constants have them, each with the name of its errors, which four have no more. */
const legacy: readonly (readonly [constant: string, name?: string])[] = [
  ['INDEX_SIZE', 'IndexSizeError'],
  ['DOMSTRING_SIZE'],
  ['HIERARCHY_REQUEST', 'HierarchyRequestError'],
  ['WRONG_DOCUMENT', 'WrongDocumentError'],
  ['INVALID_CHARACTER', 'InvalidCharacterError'],
  ['NO_DATA_ALLOWED'],
  ['NO_MODIFICATION_ALLOWED', 'NoModificationAllowedError'],
  ['NOT_FOUND', 'NotFoundError'],
  ['NOT_SUPPORTED', 'NotSupportedError'],
  ['INUSE_ATTRIBUTE', 'InUseAttributeError'],
  ['INVALID_STATE', 'InvalidStateError'],
  ['SYNTAX', 'SyntaxError'],
  ['INVALID_MODIFICATION', 'InvalidModificationError'],
  ['NAMESPACE', 'NamespaceError'],
  ['INVALID_ACCESS', 'InvalidAccessError'],
  ['VALIDATION'],
  ['TYPE_MISMATCH', 'TypeMismatchError'],
  ['SECURITY', 'SecurityError'],
  ['NETWORK', 'NetworkError'],
  ['ABORT', 'AbortError'],
  ['URL_MISMATCH', 'URLMismatchError'],
  ['QUOTA_EXCEEDED', 'QuotaExceededError'],
  ['TIMEOUT', 'TimeoutError'],
  ['INVALID_NODE_TYPE', 'InvalidNodeTypeError'],
  ['DATA_CLONE', 'DataCloneError'],
]

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
    return legacy.findIndex(([, name]) => name === this.#name) + 1
  }
}

for (const [i, [constant]] of legacy.entries()) {
  for (const holder of [DOMException, DOMException.prototype])
    Object.defineProperty(holder, `${constant}_ERR`, { value: i + 1, enumerable: true })
}
