/** For tests of the web platform in the guest's engine: the globals that programs have there. */
import type { Abi } from '@xen-ts/boot/abi'
import { AbortController, AbortSignal } from './abort.ts'
import { Crypto } from './crypto.ts'
import { createEncoding } from './encoding.ts'
import './all.ts'
import './symbols.ts'

const { __abi: abi } = globalThis as unknown as { __abi: Abi }
Object.assign(globalThis, createEncoding(abi), { AbortController, AbortSignal, crypto: new Crypto(abi), performance: { now: () => 0 } })
