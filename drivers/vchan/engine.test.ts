/** What passes only on V8 does not count: the tests of this folder once more, in the engine of the guest. */

import { fileURLToPath } from 'node:url'
import { engineTests } from '@xen-ts/boot/testing'
import test from 'ava'

const path = (file: string): string => fileURLToPath(import.meta.resolve(file))
const files = ['ring', 'vchan', 'turn', 'streams', 'suspend', 'dead-server', 'short', 'try'].map(name => `./${name}.test.ts`)
await engineTests(test, import.meta.url, files, {
  setup: [path('@xen-ts/drivers/sim/engine-setup')],
  inject: [path('@xen-ts/runtime/web/inject')],
})
