import { fileURLToPath } from 'node:url'
import { engineTests } from '@xen-ts/boot/testing'
import test from 'ava'

const file = (url: string): string => fileURLToPath(import.meta.resolve(url))
await engineTests(
  test,
  import.meta.url,
  [
    './tcp/parts.test.ts',
    './tcp/opening.test.ts',
    './http/server/server.test.ts',
    './http/server/smuggling.test.ts',
    './http/server/parsing.test.ts',
    './http/server/hono.test.ts',
    './http/server/misuse.test.ts',
  ],
  { setup: [file('./testing/engine-setup.ts')], inject: [file('@xen-ts/runtime/web/inject'), file('./testing/engine-buffer.ts')] },
)
