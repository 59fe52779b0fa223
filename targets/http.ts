import type { DeviceContext, HttpServer } from '@xen-ts/runtime'
import { httpServer, type IpStack } from '@xen-ts/stack'

/** Device kind `http`: our server on our stack, which tells where it can be reached. */
export function http({ stack }: { stack: IpStack }, _options: unknown, { machine, lifecycle, log }: DeviceContext): HttpServer {
  const server = httpServer(machine, stack.tcp, lifecycle, stack.counters.http)
  return {
    serve(options, handler) {
      const tell = (): void => {
        const port = options.port === 80 ? '' : `:${options.port}`
        const urls = stack.addresses.map(({ address, family }) => `http://${family === 6 ? `[${address}]` : address}${port}/`)
        log.info(
          urls.length === 0 ? `listening on port ${options.port}, but there is no network yet` : `listening on ${urls.join(' and ')}`,
        )
      }
      tell()
      return server.serve(options, handler).finally(stack.watch(tell))
    },
  }
}
