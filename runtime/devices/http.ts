/** Description of the HTTP server; the target provides it. */
import { type Device, provided } from '../device.ts'
import { stack } from './stack.ts'

/** What a program may say about its server, and the defaults. Times in seconds, sizes in bytes. */
export interface HttpLimits {
  /** Longest body of a request that is read at once, by text(), json(), bytes(), arrayBuffer(), blob() or formData(): it is gathered in memory. */
  readonly body: number
  /**
   * All bodies that are being gathered at a time, and messages of WebSockets, together: of many clients at once, some are answered 503, or
   * their WebSocket is closed with 1013. At least one of `body` fits.
   */
  readonly bodies: number
  /** Longest body of a request that is read as a stream: what is not read waits with the client. */
  readonly streamedBody: number
  /** So much of a body that the handler has not read is thrown away before the next request; of a longer one the connection is closed. */
  readonly unreadBody: number
  /** From the first byte of a head to its end, and the longest pause within a body. */
  readonly headTimeout: number
  readonly bodyTimeout: number
  /** A whole body, however fast it comes in. */
  readonly requestTimeout: number
  /** How long a connection may stay without a request, and how long a client may take nothing of a response. */
  readonly idleTimeout: number
  readonly writeTimeout: number
  /** How long running requests may take once the server is to stop. A program is left behind 5 s after a shutdown request. */
  readonly drainTimeout: number
}

export interface HttpServer {
  /**
   * Serves HTTP on `port` until `signal` aborts, then resolves. Rejects when the port is taken. What `handler` throws is logged
   * and answered with 500; it ends neither the connection's domain nor the server. From the call on a promise that is rejected without
   * a handler is logged and ends nothing either, unless the domain was started with --strict.
   *
   * The handler is called when the head of a request is there. Its body may still be on its way: text() and its like wait for all of it, up
   * to limits.body, `request.body` gives what there is, and what it does not read stays with the client.
   *
   * `request.signal` aborts when nobody takes the answer any more, and, for a response whose body is a stream, when the server is to
   * stop.
   */
  serve(options: { port: number; signal?: AbortSignal; limits?: Partial<HttpLimits> }, handler: HttpHandler): Promise<void>
}

export type HttpHandler = (request: Request) => Response | Promise<Response>

/** An HTTP server on the target's network stack. */
export const http = (): Device<HttpServer> => provided('http', { needs: { stack: stack() } })
