/** Byte streams and the errors of sockets, as every network stack has them: see runtime/devices/socket.ts. */
export {
  type ByteSocket,
  type Endpoint,
  type Listener,
  type ListenOptions,
  SocketError,
  type SocketErrorCode,
  type SocketHandler,
} from '@xen-ts/runtime/machine'
