/** The TCP/IP stack and what is built on it. */
export { createStack, type Stack } from './stack.ts'
export { defaultLimits, StackConfigError, type Limits, type StackConfig } from './config.ts'
export { Counters } from './counters.ts'
export {
  SocketError, type ByteSocket, type Endpoint, type Listener, type ListenOptions, type SocketErrorCode, type SocketHandler,
} from './socket.ts'
export type { ConnectOptions } from './tcp/tcp.ts'
export type { TcpConnection } from './tcp/stream.ts'
export { httpServer, type HttpServer, type HttpHandler, type ServeOptions } from './http/server/server.ts'
