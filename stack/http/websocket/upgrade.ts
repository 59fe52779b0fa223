/** `upgradeWebSocket`: a request that becomes a WebSocket, in the two manners that programs know. */
import type { Event } from '@xen-ts/runtime/web'
import { HandshakeError, switchingProtocols } from '../server/upgrade.ts'
import type { CloseEvent, MessageEvent } from './events.ts'
import { acceptKey, asksForWebSocket, offeredProtocols } from './handshake.ts'
import { defaultWebSocketLimits, type WebSocketData, type WebSocketLimits } from './session.ts'
import { ServerWebSocket } from './socket.ts'

export interface WebSocketOptions extends Partial<WebSocketLimits> {
  /** The subprotocol to agree on: one of those that the client offers. */
  readonly protocol?: string
}

export interface WebSocketUpgrade {
  readonly socket: ServerWebSocket
  /** To be returned by the handler: then the connection is the socket's. */
  readonly response: Response
}

/** What handlers in hono's manner get: https://hono.dev/docs/helpers/websocket */
export interface WebSocketContext {
  readonly raw: ServerWebSocket
  readonly url: URL | null
  readonly protocol: string | null
  readonly readyState: 0 | 1 | 2 | 3
  binaryType: 'arraybuffer'
  send(data: WebSocketData): void
  close(code?: number, reason?: string): void
}

export interface WebSocketEvents {
  onOpen?(event: Event, ws: WebSocketContext): unknown
  onMessage?(event: MessageEvent, ws: WebSocketContext): unknown
  onClose?(event: CloseEvent, ws: WebSocketContext): unknown
  onError?(event: Event, ws: WebSocketContext): unknown
}

/** What is used of hono's Context. */
interface Context {
  readonly req: { readonly raw: Request }
}

export type WebSocketMiddleware<C extends Context> = (c: C, next: () => Promise<void>) => Promise<Response | void>

/**
 * Makes a WebSocket of a request, as in Deno:
 *
 *     const { socket, response } = upgradeWebSocket(request)
 *     socket.onmessage = event => socket.send(event.data)
 *     return response
 *
 * The Origin of the request is not looked at: browsers let every page open a WebSocket to every host, with its cookies. A program that knows
 * its users by cookies must compare it.
 * @throws HandshakeError when it is no request for one: what the server answers when the handler lets it through; TypeError for a protocol that was not offered
 */
export function upgradeWebSocket(request: Request, options?: WebSocketOptions): WebSocketUpgrade
/**
 * The same in hono's manner, as a route's handler: `app.get('/ws', upgradeWebSocket(c => ({ onMessage(event, ws) {} })))`. A request that asks
 * for no WebSocket goes to the next handler, one that asks wrongly is refused. The first subprotocol that is offered is agreed on, unless
 * the options name one.
 */
export function upgradeWebSocket<C extends Context>(
  createEvents: (c: C) => WebSocketEvents | Promise<WebSocketEvents>,
  options?: WebSocketOptions,
): WebSocketMiddleware<C>
export function upgradeWebSocket(
  first: Request | ((c: Context) => WebSocketEvents | Promise<WebSocketEvents>),
  options: WebSocketOptions = {},
): WebSocketUpgrade | WebSocketMiddleware<Context> {
  if (typeof first !== 'function') return upgrade(first, options)
  return async (c, next) => {
    const request = c.req.raw
    if (!asksForWebSocket(request)) return next()
    try {
      const protocol = options.protocol ?? offeredProtocols(request)[0]
      const { socket, response } = upgrade(request, { ...options, protocol })
      listen(socket, await first(c))
      return response
    } catch (error) {
      if (error instanceof HandshakeError) return error.response()
      throw error
    }
  }
}

function upgrade(request: Request, { protocol, ...limits }: WebSocketOptions): WebSocketUpgrade {
  const headers: Record<string, string> = { 'sec-websocket-accept': acceptKey(request) }
  if (protocol !== undefined) {
    if (!offeredProtocols(request).includes(protocol))
      throw new TypeError(`upgradeWebSocket: the client does not offer the protocol ${protocol}`)
    headers['sec-websocket-protocol'] = protocol
  }
  const socket = new ServerWebSocket(request.url.replace(/^http/, 'ws'), protocol ?? '', { ...defaultWebSocketLimits, ...limits })
  const begin = socket.begin.bind(socket)
  return { socket, response: switchingProtocols(headers, { protocol: 'websocket', begin, fail: reason => socket.fail(reason) }) }
}

function listen(socket: ServerWebSocket, events: WebSocketEvents): void {
  const context: WebSocketContext = {
    raw: socket,
    url: URL.parse(socket.url),
    protocol: socket.protocol,
    binaryType: 'arraybuffer',
    get readyState() {
      return socket.readyState
    },
    send: data => socket.send(data),
    close: (code, reason) => socket.close(code, reason),
  }
  socket.onopen = event => events.onOpen?.(event, context)
  socket.onmessage = event => events.onMessage?.(event, context)
  socket.onclose = event => events.onClose?.(event, context)
  socket.onerror = event => events.onError?.(event, context)
}
