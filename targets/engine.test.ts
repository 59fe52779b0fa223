/** What passes only on V8 does not count: cases of this package in the engine of the guest. */
import { fileURLToPath } from 'node:url'
import { suite } from '@xen-ts/boot/testing'
import test from 'ava'

await suite(test, import.meta.resolve('./qubes/network.cases.ts'), {
  inject: [fileURLToPath(import.meta.resolve('@xen-ts/runtime/web/inject'))],
})
