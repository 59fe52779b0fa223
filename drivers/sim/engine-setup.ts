/** The globals that tests of drivers use and the bare engine lacks, for running them there. */
import '@xen-ts/runtime/web/symbols'
import { AbortController, AbortSignal } from '@xen-ts/runtime/web'

Object.assign(globalThis, { AbortController, AbortSignal, performance: { now: () => 0 } })
