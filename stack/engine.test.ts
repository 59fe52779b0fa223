/** What passes only on V8 does not count: the tests of this package once more, in the engine of the guest. */

import { fileURLToPath } from 'node:url'
import { engineTests } from '@xen-ts/boot/testing'
import test from 'ava'

const file = (url: string): string => fileURLToPath(import.meta.resolve(url))

await engineTests(
  test,
  import.meta.url,
  [
    './config.test.ts',
    './counters.test.ts',
    './names.test.ts',
    './udp/udp.test.ts',
    './readdress.test.ts',
    './wire/wire.test.ts',
    './ip/ip.test.ts',
    './ip/broadcast.test.ts',
    './ip/defence.test.ts',
    './ip/errors.test.ts',
    './ip/fragments.test.ts',
    './ip/loopback.test.ts',
    './ip/path-mtu.test.ts',
    './ip/reassembly.test.ts',
    './ip/routing.test.ts',
    './tcp/parts.test.ts',
    './tcp/rules.test.ts',
    './tcp/opening.test.ts',
    './tcp/closing.test.ts',
    './tcp/family.test.ts',
    './ip/ipv6.test.ts',
    './ip/autoconfiguration.test.ts',
    './wire/ipv6.test.ts',
    './tcp/keep-alive.test.ts',
    './tcp/windows.test.ts',
    './tcp/transfer.test.ts',
    './tcp/stream.test.ts',
    './tcp/sack.test.ts',
    './tcp/timestamps.test.ts',
    './tcp/user-timeout.test.ts',
    './http/server/server.test.ts',
    './http/server/leaving.test.ts',
    './http/server/bounds.test.ts',
    './http/server/misuse.test.ts',
    './http/server/smuggling.test.ts',
    './http/server/target.test.ts',
    './http/server/parsing.test.ts',
    './hostile/echo.test.ts',
    './hostile/frames.test.ts',
    './http/client/abort.test.ts',
    './http/client/client.test.ts',
    './http/client/hostile.test.ts',
    './http/client/pool.test.ts',
    './http/client/redirect.test.ts',
  ],
  { setup: [file('./testing/engine-setup.ts')], inject: [file('@xen-ts/runtime/web/inject'), file('./testing/engine-buffer.ts')] },
)
