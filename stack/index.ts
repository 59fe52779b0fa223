/** The TCP/IP stack and what is built on it. */

export { checkConfig, defaultLimits, type Limits, type StackConfig, StackConfigError } from './config.ts'
export { Counters, counterValues, describeCounters } from './counters.ts'
export { type DhcpHost, followDhcp } from './dhcp/host.ts'
export { DnsClient, type LookupOptions, type ResolveOptions } from './dns/client.ts'
export { DnsError, type DnsErrorCode } from './dns/error.ts'
export { type HttpClient, httpClient } from './http/client/client.ts'
export { fetchError, HttpError, type HttpErrorCode } from './http/client/error.ts'
export { type ClientEventSource, type EventSourceHost, eventSourceClass } from './http/client/event-source.ts'
export type { HttpClientLimits } from './http/client/options.ts'
export { type Http1Server, type HttpHandler, httpServer, type ServeOptions } from './http/server/server.ts'
export { HandshakeError } from './http/server/upgrade.ts'
export { ClientWebSocket, type WebSocketHost, webSocketClass } from './http/websocket/client.ts'
export type { WebSocketData, WebSocketLimits } from './http/websocket/session.ts'
export type { ServerWebSocket } from './http/websocket/socket.ts'
export {
  upgradeWebSocket,
  type WebSocketContext,
  type WebSocketEvents,
  type WebSocketMiddleware,
  type WebSocketOptions,
  type WebSocketUpgrade,
} from './http/websocket/upgrade.ts'
export type { Route } from './ip/route.ts'
export { type DropWatch, watchDrops } from './pcap/drops.ts'
export { Recording, type RecordOptions, record } from './pcap/recorder.ts'
export {
  type ByteSocket,
  type Endpoint,
  type Listener,
  type ListenOptions,
  SocketError,
  type SocketErrorCode,
  type SocketHandler,
} from './socket.ts'
export { createStack, type IpStack } from './stack.ts'
export type { TcpStream } from './tcp/stream.ts'
export type { StreamListenOptions } from './tcp/stream-listener.ts'
export type { ConnectOptions } from './tcp/tcp.ts'
export type { UdpReceiver } from './udp/input.ts'
export type { UdpPort } from './udp/udp.ts'
