/**
 * What programs see, through the package `xen-ts`, and who describes devices and targets. Beside it: /machine is what drivers, stack and
 * agents stand on, /guest boots an image, /node is the machine that a process is, /web the web platform's classes.
 */
export { type Arg, type ArgTable, type ArgValues, arg } from './args.ts'
export { type Connected, type Device, type DeviceContext, type Devices, device, provided } from './device.ts'
export { type Clock, clock, type Random, random } from './devices/ambient.ts'
export {
  type AssetCoding,
  type AssetFile,
  type AssetFiles,
  type AssetOptions,
  type Assets,
  type AssetVariant,
  assets,
} from './devices/assets.ts'
export type { DeviceCounters } from './devices/ethernet.ts'
export { type HttpHandler, type HttpLimits, type HttpServer, http } from './devices/http.ts'
export {
  type ByteSocket,
  type Endpoint,
  type Listener,
  type ListenOptions,
  SocketError,
  type SocketErrorCode,
  type SocketHandler,
} from './devices/socket.ts'
export {
  type Datagram,
  type Deadline,
  type Stack,
  type StackAddress,
  stack,
  type TcpConnection,
  type TcpSockets,
  type UdpOptions,
  type UdpSocket,
  type UdpSockets,
} from './devices/stack.ts'
export type { DhcpCounters, DnsCounters, HttpCounters, StackCounters } from './devices/stack-counters.ts'
export { type Lifecycle, ShutdownError } from './lifecycle.ts'
export type { Level, Log, LogLine, ProgramLog } from './log.ts'
export type { XenMachine } from './machine.ts'
export { once } from './once.ts'
export { describe, type Program, type StartContext, unikernel } from './program.ts'
export {
  type Connect,
  type Elsewhere,
  elsewhere,
  type Global,
  type GlobalContext,
  type Platform,
  type Provider,
  type Target,
  type TargetContext,
} from './target.ts'
export { UsageError } from './usage-error.ts'
