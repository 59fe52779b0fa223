/**
 * The HTTP client as a device, for programs that want limits of their own: `import { httpClient } from '@xen-ts/stack/client'`. Others call
 * `fetch`. Not in 'xen-ts' itself, since esbuild wraps every module that a program can reach, and this one reaches half of the stack.
 */
import { type Device, device, stack } from '@xen-ts/runtime'
import { type HttpClient, httpClient as makeClient } from './client.ts'
import { clientLimits, type HttpClientLimits } from './options.ts'

/** An HTTP client on the target's network stack, with its own connections; closed at the program's end. Limits that are none: RangeError. */
export function httpClient(limits?: Partial<HttpClientLimits>): Device<HttpClient> {
  clientLimits(limits)
  return device({
    name: 'http client',
    needs: { stack: stack() },
    connect({ stack }, { machine }) {
      const client = makeClient(machine, stack.tcp, limits)
      return Object.assign(client, { [Symbol.dispose]: () => client.close() })
    },
  })
}

export type { HttpClient } from './client.ts'
export { HttpError, type HttpErrorCode } from './error.ts'
export { defaultClientLimits, type HttpClientLimits } from './options.ts'
