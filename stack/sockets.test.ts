/** What programs may rely on, on our stack: in Node and in the guest's engine. */
import { fileURLToPath } from 'node:url'
import { suite } from '@xen-ts/boot/testing'
import test from 'ava'

const file = (url: string): string => fileURLToPath(import.meta.resolve(url))

await suite(test, import.meta.resolve('./sockets.cases.ts'), {
  setup: [file('./testing/engine-setup.ts')],
  inject: [file('@xen-ts/runtime/web/inject'), file('./testing/engine-buffer.ts')],
})
