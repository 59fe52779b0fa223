/** Messages of DHCP (RFC 2131 section 2), which are those of BOOTP, and their options (RFC 2132). Bytes and text only, no addresses judged. */
import type { Ipv4 } from './ipv4-address.ts'

export const DHCP_SERVER_PORT = 67
export const DHCP_CLIENT_PORT = 68

/** Option 53. */
export const messageTypes = { discover: 1, offer: 2, request: 3, decline: 4, ack: 5, nak: 6, release: 7, inform: 8 } as const
export type DhcpType = keyof typeof messageTypes

/** Codes of options (RFC 2132, 3442), by what they hold. */
export const options = {
  mask: 1,
  routers: 3,
  nameServers: 6,
  hostName: 12,
  domain: 15,
  mtu: 26,
  requestedAddress: 50,
  leaseTime: 51,
  overload: 52,
  type: 53,
  server: 54,
  wanted: 55,
  message: 56,
  largest: 57,
  renewTime: 58,
  rebindTime: 59,
  client: 61,
  routes: 121,
} as const

const PAD = 0
const END = 255
/** Where the fields begin. */
const XID = 4
const SECONDS = 8
const FLAGS = 10
const CLIENT_ADDRESS = 12
const YOUR_ADDRESS = 16
const HARDWARE_ADDRESS = 28
const SERVER_NAME = 44
const FILE = 108
const COOKIE = 236
const OPTIONS = 240
/** BOOTP's relays and servers want this much (RFC 1542 section 2.1). */
const LEAST = 300

export class DhcpFormatError extends Error {
  override name = 'DhcpFormatError'
}

export interface DhcpMessage {
  /** Of a server to a client. */
  readonly reply: boolean
  readonly type: DhcpType
  readonly xid: number
  /** What is here and nowhere else is in `options`, by code, long ones in one piece (RFC 3396). */
  readonly clientAddress: Ipv4
  readonly yourAddress: Ipv4
  readonly mac: Uint8Array
  readonly options: ReadonlyMap<number, Uint8Array>
}

export interface DhcpRequest {
  readonly type: DhcpType
  readonly xid: number
  /** Since the client began to ask. */
  readonly seconds: number
  /** The answer shall go to all: the client cannot be reached by its address yet. */
  readonly broadcast: boolean
  readonly clientAddress: Ipv4
  readonly mac: Uint8Array
  /** Beside the type. Each of 255 bytes at most. */
  readonly options: readonly (readonly [code: number, bytes: Uint8Array])[]
}

export function writeDhcp({ type, xid, seconds, broadcast, clientAddress, mac, options: given }: DhcpRequest): Uint8Array {
  const length = given.reduce((sum, [, bytes]) => sum + 2 + bytes.length, OPTIONS + 3 + 1)
  const bytes = new Uint8Array(Math.max(length, LEAST))
  bytes.set([1, 1, 6, 0]) // BOOTREQUEST, Ethernet, addresses of 6 bytes
  put32(bytes, XID, xid)
  const since = Math.min(Math.floor(seconds), 0xffff)
  bytes.set([since >>> 8, since & 255], SECONDS)
  bytes[FLAGS] = broadcast ? 0x80 : 0
  bytes.set(addressBytes(clientAddress), CLIENT_ADDRESS)
  bytes.set(mac, HARDWARE_ADDRESS)
  bytes.set([99, 130, 83, 99], COOKIE)
  bytes.set([options.type, 1, messageTypes[type]], OPTIONS)
  let at = OPTIONS + 3
  for (const [code, value] of given) {
    bytes.set([code, value.length], at)
    bytes.set(value, at + 2)
    at += 2 + value.length
  }
  bytes[at] = END
  return bytes
}

/** Reads a whole message, copying what it keeps. Throws a DhcpFormatError. */
export function readDhcp(bytes: Uint8Array): DhcpMessage {
  if (bytes.length < OPTIONS) throw new DhcpFormatError(`a message of ${bytes.length} bytes: ${OPTIONS} are the least`)
  if (bytes[0] !== 1 && bytes[0] !== 2) throw new DhcpFormatError(`operation ${bytes[0]} is neither request nor reply`)
  if (bytes[1] !== 1 || bytes[2] !== 6)
    throw new DhcpFormatError(`hardware type ${bytes[1]} with ${bytes[2]} bytes of address is not Ethernet`)
  if (get32(bytes, COOKIE) !== 0x63825363)
    throw new DhcpFormatError('there is no magic cookie before the options: this is BOOTP, or nothing')
  const parts = new Map<number, Uint8Array[]>()
  collect(bytes, OPTIONS, bytes.length, parts)
  // RFC 2131 section 4.1: `file` comes before `sname`.
  const overload = parts.get(options.overload)?.[0][0] ?? 0
  if ((overload & 1) !== 0) collect(bytes, FILE, COOKIE, parts)
  if ((overload & 2) !== 0) collect(bytes, SERVER_NAME, FILE, parts)
  const all = new Map<number, Uint8Array>()
  for (const [code, pieces] of parts) all.set(code, pieces.length === 1 ? pieces[0] : join(pieces))
  const kind = all.get(options.type)
  const type = typeNames.find(name => messageTypes[name] === kind?.[0])
  if (kind?.length !== 1 || type === undefined) throw new DhcpFormatError('there is no message type that RFC 2132 knows')
  return {
    reply: bytes[0] === 2,
    type,
    xid: get32(bytes, XID),
    clientAddress: readAddress(bytes, CLIENT_ADDRESS),
    yourAddress: readAddress(bytes, YOUR_ADDRESS),
    mac: bytes.slice(HARDWARE_ADDRESS, HARDWARE_ADDRESS + 6),
    options: all,
  }
}

const typeNames = Object.keys(messageTypes) as DhcpType[]

/** Options from `at` to END, or to `end`: some servers leave END out. One that runs over the end spoils the message. */
function collect(bytes: Uint8Array, at: number, end: number, parts: Map<number, Uint8Array[]>): void {
  while (at < end && bytes[at] !== END) {
    const code = bytes[at]
    if (code === PAD) {
      at++
      continue
    }
    const next = at + 2 + bytes[at + 1]
    if (at + 1 >= end || next > end) throw new DhcpFormatError(`option ${code} at byte ${at} runs over the end`)
    const value = bytes.slice(at + 2, next)
    const known = parts.get(code)
    if (known === undefined) parts.set(code, [value])
    else known.push(value)
    at = next
  }
}

/** An option that was given in several pieces (RFC 3396 section 7). */
function join(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}

export const addressBytes = (address: Ipv4): Uint8Array =>
  Uint8Array.of(address & 255, (address >>> 8) & 255, (address >>> 16) & 255, address >>> 24)

export const readAddress = (bytes: Uint8Array, at: number): Ipv4 =>
  bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)

/** The 32-bit number at `at`. */
export const get32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0

function put32(bytes: Uint8Array, at: number, value: number): void {
  bytes.set([value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255], at)
}
