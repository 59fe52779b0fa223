/** The globals that programs in the guest's engine always have: what the other web APIs are made of finds them. For tests. */
import type { Abi } from '@xen-ts/boot/abi'
import { AbortController, AbortSignal } from './abort.ts'
import { Crypto } from './crypto.ts'
import { createEncoding } from './encoding.ts'

const { __abi: abi } = globalThis as unknown as { __abi: Abi }
Object.assign(globalThis, createEncoding(abi), { AbortController, AbortSignal, crypto: new Crypto(abi), performance: { now: () => 0 } })
