/** How patient the server is, when the program does not say. */
import type { HttpLimits } from '@xen-ts/runtime'

export type { HttpLimits }

export const defaultHttpLimits: HttpLimits = {
  body: 1024 * 1024,
  bodies: 8 * 1024 * 1024,
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
