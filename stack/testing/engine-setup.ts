/** The globals that the guest's runtime gives to programs, for tests in the guest's engine. */
import type { Abi } from '@xen-ts/boot/abi'
import { AbortController, AbortSignal, createEncoding } from '@xen-ts/runtime/web'
import '@xen-ts/runtime/web/symbols'

const { __abi: abi } = globalThis as unknown as { __abi: Abi }
const performance = { now: () => abi.clockMonotonic() }
Object.assign(globalThis, createEncoding(abi), { AbortController, AbortSignal, performance })
