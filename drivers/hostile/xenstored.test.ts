/** Hostile xenstore daemons: every row of the table in Node and in the guest's engine. */

import { fileURLToPath } from 'node:url'
import { suite } from '@xen-ts/boot/testing'
import test from 'ava'

await suite(test, import.meta.resolve('./xenstored.cases.ts'), { setup: [fileURLToPath(import.meta.resolve('../sim/engine-setup.ts'))] })
