/** What the connections of a server share. */

import type { HostFunctions } from '@xen-ts/runtime/machine'
import type { LimitedLog } from '../../limited.ts'
import type { Answer } from './answer.ts'
import type { HttpConnection } from './connection.ts'
import type { HttpCounters } from './counters.ts'
import type { Gathering } from './gathering.ts'
import type { HeadCache } from './head-cache.ts'
import type { HttpLimits } from './options.ts'

export interface Service {
  readonly abi: HostFunctions
  /** For what clients can cause. */
  readonly limited: LimitedLog
  readonly limits: HttpLimits
  readonly heads: HeadCache
  readonly counters: HttpCounters
  readonly handler: (request: Request) => Response | Promise<Response>
  readonly connections: Set<HttpConnection>
  readonly gathering: Gathering
  readonly answer: Answer
  /** The Date line of this second, and a number that is another with each. */
  readonly date: string
  readonly second: number
  /** No request is taken any more but those under way. */
  readonly stopping: boolean
  /** Why, as the signal says. */
  readonly stopReason: unknown
  /** A connection is gone. */
  closed(): void
}
