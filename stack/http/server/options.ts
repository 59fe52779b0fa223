/** What a program may say about its server, and the defaults. Times in seconds, sizes in bytes. */
export interface HttpLimits {
  /** Longest body of a request; it is gathered in memory before the handler runs. */
  readonly body: number
  /** From the first byte of a head to its end, and the longest pause within a body. */
  readonly headTimeout: number
  readonly bodyTimeout: number
  /** How long a connection may stay without a request, and how long a client may take nothing of a response. */
  readonly idleTimeout: number
  readonly writeTimeout: number
  /** How long running requests may take once the server is to stop. */
  readonly drainTimeout: number
}

export const defaultHttpLimits: HttpLimits = {
  body: 1024 * 1024,
  headTimeout: 10,
  bodyTimeout: 30,
  idleTimeout: 60,
  writeTimeout: 60,
  drainTimeout: 10,
}

/** How long a client may take to close after the last response, before it is reset. */
export const LINGER = 5
