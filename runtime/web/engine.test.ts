/** What needs no judge but itself, once more in the guest's engine. */
import { fileURLToPath } from 'node:url'
import { engineTests } from '@xen-ts/boot/testing'
import test from 'ava'

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

await engineTests(test, import.meta.url, ['./mime.test.ts', './form/multipart.test.ts'], {
  setup: [file('./engine-setup.ts')],
  inject: [file('./inject.ts')],
})
