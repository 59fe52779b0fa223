/** Why a name was not resolved; the letters are those of Node's `dns`. */
export type DnsErrorCode =
  /** There is no such name. */
  | 'ENOTFOUND'
  /** The name exists, but has no record of that type. */
  | 'ENODATA'
  /** The servers failed, or said what cannot be. */
  | 'ESERVFAIL'
  /** The servers refused to answer. */
  | 'EREFUSED'
  /** No server answered in time. */
  | 'ETIMEOUT'
  /** It is not a name. */
  | 'EBADNAME'
  /** There is no server to ask. */
  | 'ENOSERVER'
  /** The client was closed. */
  | 'ECANCELLED'

export class DnsError extends Error {
  override name = 'DnsError'
  readonly code: DnsErrorCode
  /** The name that was asked for. */
  readonly hostname: string
  /** The addresses of the servers that were asked, or none. */
  readonly servers: readonly string[]

  constructor(code: DnsErrorCode, hostname: string, message: string, servers: readonly string[] = []) {
    super(message)
    this.code = code
    this.hostname = hostname
    this.servers = servers
  }
}
