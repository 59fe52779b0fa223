/** The globals that the guest's runtime gives to programs, for tests in the guest's engine. */
import type { Abi } from '@xen-ts/boot/abi/abi.ts'
import { AbortController, AbortSignal } from '@xen-ts/runtime/web/abort.ts'
import { createEncoding } from '@xen-ts/runtime/web/encoding.ts'
import '@xen-ts/runtime/web/symbols.ts'

const { __abi: abi } = globalThis as unknown as { __abi: Abi }
const performance = { now: () => abi.clockMonotonic() }
Object.assign(globalThis, createEncoding(abi), { AbortController, AbortSignal, performance })
