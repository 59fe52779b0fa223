/** What a program may say about its server, and the defaults. Times in seconds, sizes in bytes. */
export interface HttpLimits {
  /** Longest body of a request that is read at once, by text(), json(), bytes() or arrayBuffer(): it is gathered in memory. */
  readonly body: number
  /** Longest body of a request that is read as a stream: what is not read waits with the client. */
  readonly streamedBody: number
  /** So much of a body that the handler has not read is thrown away before the next request; of a longer one the connection is closed. */
  readonly unreadBody: number
  /** From the first byte of a head to its end, and the longest pause within a body. */
  readonly headTimeout: number
  readonly bodyTimeout: number
  /** A whole body, however fast it comes in. */
  readonly requestTimeout: number
  /** How long a connection may stay without a request, and how long a client may take nothing of a response. */
  readonly idleTimeout: number
  readonly writeTimeout: number
  /** How long running requests may take once the server is to stop. A program is left behind 5 s after a shutdown request. */
  readonly drainTimeout: number
}

export const defaultHttpLimits: HttpLimits = {
  body: 1024 * 1024,
  streamedBody: 1024 * 1024 * 1024,
  unreadBody: 256 * 1024,
  headTimeout: 10,
  bodyTimeout: 30,
  requestTimeout: 300,
  idleTimeout: 60,
  writeTimeout: 60,
  drainTimeout: 4,
}

/** Seconds that a client may take to close after it has taken the last response, before it is reset. */
export const LINGER = 5

/**
 * A client that has ended its side may still read: TCP knows no difference between that (`nc -N`) and one that is gone. So it gets its
 * answer as long as there is something to send. Seconds until it is taken for gone when there is not: while its handler runs, and
 * while a stream says nothing. A client that left in the middle of a stream has nearly always gone.
 */
export const HANDLER_ALONE = 10
export const STREAM_ALONE = 1

/** Milliseconds of silence after which a client is asked whether it lives, while it waits for the program. */
export const KEEP_ALIVE = 30_000
