/** The agents with a peer that is played by hand, in Node and in the engine of the guest. */
import { memoryAbi } from '@xen-ts/boot/memory'
import { suite } from '@xen-ts/boot/testing'
import test from 'ava'

Object.assign(globalThis, { __abi: memoryAbi }) // for Node; the engine has its own
await suite(test, import.meta.resolve('./agents.cases.ts'))
