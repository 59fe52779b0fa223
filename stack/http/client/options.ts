/** What a program may say about its HTTP client, and the defaults. Times in seconds (kept to a second), sizes in bytes. */
export interface HttpClientLimits {
  /** For a connection, from the wait for a free one over the question for the name to the handshake. */
  readonly connectTimeout: number
  /** How long a server may take nothing of a request's body. */
  readonly writeTimeout: number
  /** From the end of the request to the end of the response's head, informational responses included. */
  readonly headTimeout: number
  /** Longest pause within the body of a response while somebody waits for more of it. */
  readonly bodyTimeout: number
  /** How long a connection stays open without a request; a server that says so in Keep-Alive gets less. */
  readonly idleTimeout: number
  /** Connections to one origin, and to all of them. Who wants more waits. */
  readonly connectionsPerOrigin: number
  readonly connections: number
  /** Longest body of a response. */
  readonly body: number
  /** Redirects that are followed (Fetch: 20). */
  readonly redirects: number
}

export const defaultClientLimits: HttpClientLimits = {
  connectTimeout: 10,
  writeTimeout: 60,
  headTimeout: 60,
  bodyTimeout: 60,
  idleTimeout: 15,
  connectionsPerOrigin: 8,
  connections: 64,
  body: Infinity,
  redirects: 20,
}

/** @throws RangeError for what is no limit */
export function clientLimits(given: Partial<HttpClientLimits> = {}): HttpClientLimits {
  const limits = { ...defaultClientLimits, ...given }
  for (const [name, value] of Object.entries(limits)) {
    if (!Object.hasOwn(defaultClientLimits, name)) {
      throw new RangeError(`http client: there is no limit ${name}: use ${Object.keys(defaultClientLimits).join(', ')}`)
    }
    const least = name.startsWith('connections') || name.endsWith('Timeout') ? 1 : 0
    if (typeof value !== 'number' || !(value >= least)) {
      throw new RangeError(`http client: limits.${name} is ${value}: it must be a number from ${least} on`)
    }
  }
  return limits
}
