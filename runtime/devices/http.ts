/** Description of the HTTP server; the target provides it. */
import { type Device, provided } from '../device.ts'
import { stack } from './stack.ts'

export interface HttpServer {
  /**
   * Serves HTTP on `port` until `signal` aborts, then resolves. Rejects when the port is taken. What `handler` throws is logged
   * and answered with 500; it ends neither the connection's domain nor the server. From the call on a promise that is rejected without
   * a handler is logged and ends nothing either, unless the domain was started with --strict.
   *
   * `request.signal` aborts when nobody takes the answer any more, and, for a response whose body is a stream, when the server is to
   * stop.
   */
  serve(options: { port: number; signal?: AbortSignal }, handler: HttpHandler): Promise<void>
}

export type HttpHandler = (request: Request) => Response | Promise<Response>

/** An HTTP server on the target's network stack. */
export const http = (): Device<HttpServer> => provided('http', { needs: { stack: stack() } })
