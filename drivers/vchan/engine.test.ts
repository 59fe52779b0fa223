/** What passes only on V8 does not count: the tests of this folder once more, in the engine of the guest. */
import test from 'ava'
import { fileURLToPath } from 'node:url'
import { engineTests } from '@xen-ts/boot/node/suite.ts'

await engineTests(test, import.meta.url, ['./ring.test.ts', './vchan.test.ts', './turns.test.ts', './suspend.test.ts'], { setup: [fileURLToPath(import.meta.resolve('../sim/engine-setup.ts'))] })
