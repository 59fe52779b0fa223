/** What drivers, stack and agents stand on. Not for programs: what they reach is evaluated when they are, and larger. */
export {
  ACKNOWLEDGMENT,
  ARRIVAL_BYTES,
  DEPARTURE_BYTES,
  ECHO_AT,
  FLAGS,
  HAS_IPV4,
  HAS_PATH6,
  HASH_BYTES,
  HASH_KEY,
  HASH_MESSAGE,
  HASH_RESULT,
  LENGTH,
  LONGEST,
  OFFSET,
  OUT_ACKNOWLEDGMENT,
  OUT_COMPLETE,
  OUT_FLAGS_WINDOW,
  OUT_PSEUDO,
  OUT_SEQUENCE,
  OWN_IPV4,
  OWN_MAC,
  PATH6,
  PORTS,
  SEQUENCE,
  SOURCE,
  STAMP_HIGH,
  STAMP_LOW,
  WINDOW,
} from '@xen-ts/boot/compiled'
export { absentHint, absentNames } from './absent.ts'
export { ByteCollector } from './byte-collector.ts'
export { CHECKSUM, COMPLETE, type DeviceCounters, type EthernetDevice, type Frame } from './devices/ethernet.ts'
export {
  type ByteSocket,
  type Endpoint,
  type Listener,
  type ListenOptions,
  SocketError,
  type SocketErrorCode,
  type SocketHandler,
} from './devices/socket.ts'
export { describeBriefly, describeError } from './format.ts'
export { Lifecycle } from './lifecycle.ts'
export { type Level, type Log, type LogLine, LogWriter, limitedLog, type ProgramLog } from './log.ts'
export type { HostFunctions, Machine, Ports, Timer, Timers, XenMachine } from './machine.ts'
export { nearest } from './nearest.ts'
export { recently } from './recently.ts'
export { Suspension } from './suspension.ts'
