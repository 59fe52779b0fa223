/** Why a server's answer is none, or did not come. What TCP and DNS say is told by their own errors. */
export type HttpErrorCode =
  /** What the server sent is no HTTP/1.1 response, or one that could be understood in two ways. */
  | 'EPROTO'
  /** A time-out of the client's limits. */
  | 'ETIMEDOUT'
  /** The server closed the connection before the response was whole. */
  | 'ECONNRESET'
  /** Larger than a limit. */
  | 'EMSGSIZE'
  /** Too many redirects. */
  | 'ELOOP'
  /** It is not there: TLS. */
  | 'EPROTONOSUPPORT'
  /** The client was closed. */
  | 'ECANCELED'

export class HttpError extends Error {
  override name = 'HttpError'
  readonly code: HttpErrorCode

  constructor(code: HttpErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

/** What `fetch` rejects with (https://fetch.spec.whatwg.org/#concept-network-error): where it was, what happened; `cause` has the code. */
export function fetchError(url: string, cause: unknown): TypeError {
  return new TypeError(`fetch of ${shown(url)} failed: ${messageOf(cause)}`, { cause })
}

/** What reading the body rejects with. */
export function bodyError(url: string, cause: unknown): TypeError {
  return new TypeError(`the response of ${shown(url)} is not whole: ${messageOf(cause)}`, { cause })
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

/** Without its query, which may be secret and long. */
const shown = (url: string): string => url.replace(/[?#][^]*$/, '').slice(0, 200)
