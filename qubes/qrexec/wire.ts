/**
 * The messages of qrexec (libqrexec/qrexec.h of qubes-core-qrexec), versions 2 and 3. Each is a header of 8 bytes, u32 type and u32
 * length, and a body of that length. Integers are little-endian, names are C strings in fixed fields.
 */
import { ProtocolError } from '../supervise.ts'
import { readU32, type Text, writeU32 } from '../text.ts'

export const CONTROL_PORT = 512
/** Data channels: one port a call, given out by dom0's daemon. CONNECTION_TERMINATED with another port makes the daemon exit. */
export const FIRST_DATA_PORT = 513
export const LAST_DATA_PORT = 768
/** Bytes each way, of every vchan this agent serves. The Linux agent's 4096 for control are too few for the longest command line. */
export const RING_BYTES = 65536

/** How long (ms) either side of a data channel has to appear; the Linux agent waits as long. */
export const DATA_TIMEOUT = 120_000

/** What this agent announces: safe with all releases from R4.0 to R4.3. */
export const VERSION = 3
export const OLDEST_VERSION = 2

export const HEADER_BYTES = 8
export const HELLO = 0x300
// Control channel, from the daemon
export const EXEC_CMDLINE = 0x200
export const JUST_EXEC = 0x201
export const SERVICE_CONNECT = 0x202
export const SERVICE_REFUSED = 0x203
// Control channel, from the agent
export const TRIGGER_SERVICE = 0x210
export const CONNECTION_TERMINATED = 0x211
export const TRIGGER_SERVICE3 = 0x212
// Data channel
export const DATA_STDIN = 0x190
export const DATA_STDOUT = 0x191
export const DATA_STDERR = 0x192
export const DATA_EXIT_CODE = 0x193

/** Exit codes with a meaning of their own (qrexec.h). */
export const EXIT_PROBLEM = 125
export const EXIT_REFUSED = 126
export const EXIT_NOT_FOUND = 127

/** Most bytes of a command line with its NUL. */
const COMMAND_BYTES = 65535
const EXEC_BYTES = 8
const IDENT_BYTES = 32
const CONNECT_BYTES = 8 + IDENT_BYTES

/** Most bytes of one chunk of data; a longer one ends the connection. */
export function chunkLimit(version: number): number {
  return version >= 3 ? 65536 : 4096
}

export interface Header {
  readonly type: number
  /** Bytes of the body. */
  readonly length: number
}

export function decodeHeader(bytes: Uint8Array): Header {
  return { type: readU32(bytes, 0), length: readU32(bytes, 4) }
}

/** A whole message. */
export function encode(type: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + body.length)
  writeHeader(bytes, type, body.length)
  if (body.length > 0) bytes.set(body, HEADER_BYTES)
  return bytes
}

export function writeHeader(into: Uint8Array, type: number, length: number): void {
  writeU32(into, 0, type)
  writeU32(into, 4, length)
}

/** A message whose body is a few u32, such as HELLO with a version. */
export function encodeNumbers(type: number, ...values: number[]): Uint8Array {
  return new Uint8Array(Uint32Array.of(type, 4 * values.length, ...values).buffer)
}

/** The version both sides use from now on: the smaller one. */
export function decodeHello(body: Uint8Array): number {
  const version = Math.min(readU32(body, 0), VERSION)
  if (version < OLDEST_VERSION) {
    throw new ProtocolError(`qrexec protocol ${version} is not spoken here, ${OLDEST_VERSION} and ${VERSION} are`)
  }
  return version
}

/** @throws ProtocolError unless the header announces a HELLO */
export function expectHello({ type, length }: Header): void {
  if (type !== HELLO || length !== 4) {
    throw new ProtocolError(`qrexec began with type 0x${type.toString(16)} and ${length} bytes instead of HELLO`)
  }
}

/** Somebody calls a service of this qube, and serves the data channel on `port` of `domain`. */
export interface Exec {
  readonly kind: 'exec'
  /** JUST_EXEC. */
  readonly detached: boolean
  readonly domain: number
  readonly port: number
  /** undefined when it has no end. */
  readonly command: string | undefined
}

export type ControlMessage =
  | Exec
  | { readonly kind: 'connect'; readonly domain: number; readonly port: number; readonly ident: string }
  | { readonly kind: 'refused'; readonly ident: string }
  | { readonly kind: 'unknown'; readonly type: number }

/**
 * Whether a control message may have this length; asked before its body is read.
 * @throws ProtocolError when not
 */
export function checkControlLength({ type, length }: Header): void {
  const [least, most] =
    type === EXEC_CMDLINE || type === JUST_EXEC
      ? [EXEC_BYTES + 1, EXEC_BYTES + COMMAND_BYTES]
      : type === SERVICE_CONNECT
        ? [CONNECT_BYTES, CONNECT_BYTES]
        : type === SERVICE_REFUSED
          ? [IDENT_BYTES, IDENT_BYTES]
          : [0, RING_BYTES]
  if (length < least || length > most) {
    throw new ProtocolError(`qrexec message 0x${type.toString(16)} has ${length} bytes, allowed are ${least} to ${most}`)
  }
}

/** @throws ProtocolError when a name has no end */
export function decodeControl(text: Text, type: number, body: Uint8Array): ControlMessage {
  switch (type) {
    case EXEC_CMDLINE:
    case JUST_EXEC:
      return {
        kind: 'exec',
        detached: type === JUST_EXEC,
        domain: readU32(body, 0),
        port: readU32(body, 4),
        command: text.decodeField(body, EXEC_BYTES, body.length - EXEC_BYTES),
      }
    case SERVICE_CONNECT:
      return { kind: 'connect', domain: readU32(body, 0), port: readU32(body, 4), ident: ident(text, body, 8) }
    case SERVICE_REFUSED:
      return { kind: 'refused', ident: ident(text, body, 0) }
    default:
      return { kind: 'unknown', type }
  }
}

function ident(text: Text, body: Uint8Array, offset: number): string {
  const name = text.decodeField(body, offset, IDENT_BYTES)
  if (name === undefined) throw new ProtocolError('qrexec sent an ident without an end')
  return name
}

/** What is wrong with an outgoing call, or undefined. */
export function complaint(version: number, target: string, service: string): string | undefined {
  const [longestTarget, longestService] = version >= 3 ? [63, 65000] : [31, 63]
  if (!/^[a-zA-Z0-9_.@:-]+$/.test(target)) return `'${target}' is not the name of a qube, nor @default, @dispvm or @dispvm:NAME`
  if (target.length > longestTarget) return `the target's name has at most ${longestTarget} characters`
  if (!/^[a-zA-Z0-9_.-][a-zA-Z0-9_.+-]*$/.test(service)) {
    return `'${service}' is not a service: letters, digits and _ . -, then perhaps + and an argument`
  }
  if (service.length > longestService) return `a service has at most ${longestService} characters with its argument`
  return undefined
}

/** A request for an outgoing call whose arguments have passed `complaint`. The answer will carry the same ident. */
export function encodeTrigger(text: Text, version: number, target: string, service: string, ident: string): Uint8Array {
  if (version < 3) {
    const body = new Uint8Array(64 + 32 + IDENT_BYTES)
    body.set(text.encode(service), 0)
    body.set(text.encode(target), 64)
    body.set(text.encode(ident), 96)
    return encode(TRIGGER_SERVICE, body)
  }
  const name = text.encode(service)
  const body = new Uint8Array(64 + IDENT_BYTES + name.length + 1)
  body.set(text.encode(target), 0)
  body.set(text.encode(ident), 64)
  body.set(name, 96)
  return encode(TRIGGER_SERVICE3, body)
}
