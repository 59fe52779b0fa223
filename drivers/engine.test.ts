/** What passes only on V8 does not count: the tests of this folder once more, in the engine of the guest. */

import { fileURLToPath } from 'node:url'
import { engineTests } from '@xen-ts/boot/testing'
import test from 'ava'

await engineTests(
  test,
  import.meta.url,
  [
    './event-channel.test.ts',
    './grant-table.test.ts',
    './parse.test.ts',
    './xenstore/xenstore.test.ts',
    './control.test.ts',
    './suspend.test.ts',
    './netfront/suspend.test.ts',
    './netfront/netfront.test.ts',
    './netfront/rx.test.ts',
    './netfront/tx.test.ts',
    './netfront/offload.test.ts',
    './netfront/frames.test.ts',
    './netfront/channels.test.ts',
    './netfront/short.test.ts',
    './sim/memory.test.ts',
  ],
  { setup: [fileURLToPath(import.meta.resolve('./sim/engine-setup.ts'))] },
)
