/**
 * Builds segments in place, in frames of the device. What never changes on a connection (54 bytes of Ethernet, IP and TCP header,
 * the sums of its addresses) is prepared once and copied.
 */
import { COMPLETE, type Frame } from '@xen-ts/runtime/machine'
import type { Interface } from '../ip/interface.ts'
import type { Neighbour } from '../ip/neighbours.ts'
import { ETH_BYTES, swap16, TYPE_IPV4, writeEthernet } from '../wire/ethernet.ts'
import { fold, IP_BYTES, IP_CHECKSUM, IP_LENGTH, IP_PAYLOAD, PROTOCOL_TCP, pseudoSum, writeIpv4 } from '../wire/ipv4.ts'
import { ACK, FIN, RST, type Segment, SYN, TCP_BYTES, TCP_CHECKSUM, writeSack, writeSynOptions, writeTcp } from '../wire/tcp.ts'
import type { Connection } from './connection.ts'
import { receiveWindow } from './receive.ts'
import { SYN_RECEIVED } from './state.ts'

/** Header bytes of a frame without options, and the words of the fields that change: see wire/ipv4.ts and wire/tcp.ts. */
const HEADERS = IP_PAYLOAD + TCP_BYTES
const TCP = IP_PAYLOAD >>> 1

/**
 * Fills `frame` with a segment: `length` bytes of the send queue from `at` on. Unless `offload` is COMPLETE, the device finishes the
 * checksum. Returns the frame's length in bytes.
 */
export function buildSegment(
  ip: Interface,
  c: Connection,
  hop: Neighbour,
  frame: Frame,
  sequence: number,
  flags: number,
  at: number,
  length: number,
  offload: number,
): number {
  if (hop.version !== c.headerVersion || hop !== c.hop) prepare(ip, c, hop)
  const { u8, u16 } = frame
  const abi = ip.abi
  abi.copy(u8, 0, c.header!, 0, HEADERS)
  if (length > 0) c.send.copy(at, length, u8, HEADERS)
  const total = length + IP_BYTES + TCP_BYTES
  const size = ((total & 0xff) << 8) | (total >>> 8)
  u16[IP_LENGTH] = size
  let sum = c.ipSum + size
  sum = (sum & 0xffff) + (sum >>> 16)
  u16[IP_CHECKSUM] = ~sum

  let half = sequence >>> 16
  u16[TCP + 2] = ((half & 0xff) << 8) | (half >>> 8)
  half = sequence & 0xffff
  u16[TCP + 3] = ((half & 0xff) << 8) | (half >>> 8)
  half = c.rcvNxt >>> 16
  u16[TCP + 4] = ((half & 0xff) << 8) | (half >>> 8)
  half = c.rcvNxt & 0xffff
  u16[TCP + 5] = ((half & 0xff) << 8) | (half >>> 8)
  u16[TCP + 6] = (TCP_BYTES << 2) | (flags << 8)
  let window = receiveWindow(c) >>> c.rcvShift
  if (window > 0xffff) window = 0xffff
  c.rcvAdv = (c.rcvNxt + (window << c.rcvShift)) | 0
  u16[TCP + 7] = ((window & 0xff) << 8) | (window >>> 8)
  const segment = length + TCP_BYTES
  sum = c.pseudo + (((segment & 0xff) << 8) | (segment >>> 8))
  u16[TCP + TCP_CHECKSUM] = offload === COMPLETE ? ~abi.checksum(u8, IP_PAYLOAD, segment, sum) : (sum & 0xffff) + (sum >>> 16)
  return HEADERS + length
}

/** Adds to an acknowledgment without data what has arrived beyond the hole. Returns the frame's length in bytes. */
export function addSack(ip: Interface, c: Connection, { u8, u16 }: Frame): number {
  const options = writeSack(u16, HEADERS >>> 1, c.reassembly!.blocks())
  const segment = TCP_BYTES + options
  u16[TCP + 6] = (segment << 2) | (ACK << 8)
  u16[IP_LENGTH] = swap16(IP_BYTES + segment)
  u16[IP_CHECKSUM] = ~fold(c.ipSum + swap16(IP_BYTES + segment))
  u16[TCP + TCP_CHECKSUM] = 0
  u16[TCP + TCP_CHECKSUM] = ~ip.abi.checksum(u8, IP_PAYLOAD, segment, c.pseudo + swap16(segment))
  return HEADERS + options
}

/** Prepares the header template, for the first segment and whenever the neighbour's address may have changed. */
function prepare(ip: Interface, c: Connection, hop: Neighbour): void {
  c.header ??= new Uint8Array(HEADERS)
  const u16 = new Uint16Array(c.header.buffer)
  writeEthernet(u16, hop.mac ?? ip.mac, ip.mac, TYPE_IPV4)
  writeIpv4(u16, ip.address, c.remoteIp, PROTOCOL_TCP, 0)
  writeTcp(u16, TCP, c.localPort, c.remotePort, 0, 0, 0, 0)
  c.ipSum = ~u16[IP_CHECKSUM] & 0xffff
  c.pseudo = pseudoSum(ip.address, c.remoteIp, PROTOCOL_TCP)
  c.hop = hop
  c.headerVersion = hop.version
}

/** Sends SYN, or SYN and ACK, with our MSS, and window scaling when the peer has offered it or may still. */
export function sendSyn(ip: Interface, c: Connection): void {
  const frame = ip.reserve()
  if (frame === undefined) return
  const answer = c.state === SYN_RECEIVED
  const scale = !answer ? c.rcvShift : c.scaling ? c.rcvShift : -1
  const window = Math.min(c.environment.limits.receiveWindow, 0xffff) // a SYN's window is not scaled
  const options = writeSynOptions(frame.u16, TCP + TCP_BYTES / 2, c.environment.mss, scale, !answer || c.sack)
  c.rcvAdv = (c.rcvNxt + window) | 0
  writeTcp(frame.u16, TCP, c.localPort, c.remotePort, c.iss, c.rcvNxt, answer ? SYN | ACK : SYN, window, TCP_BYTES + options)
  sendControl(ip, frame, c.remoteIp, TCP_BYTES + options)
}

/** Answers a segment that belongs to no connection with RST (RFC 9293 section 3.10.7.1). */
export function sendReset(ip: Interface, s: Segment): void {
  if ((s.flags & RST) !== 0) return
  const frame = ip.reserve()
  if (frame === undefined) return
  const length = s.length + ((s.flags & SYN) !== 0 ? 1 : 0) + ((s.flags & FIN) !== 0 ? 1 : 0)
  if ((s.flags & ACK) !== 0) writeTcp(frame.u16, TCP, s.localPort, s.remotePort, s.acknowledgment, 0, RST, 0)
  else writeTcp(frame.u16, TCP, s.localPort, s.remotePort, 0, (s.sequence + length) | 0, RST | ACK, 0)
  sendControl(ip, frame, s.remoteIp, TCP_BYTES)
}

function sendControl(ip: Interface, frame: Frame, destination: number, length: number): void {
  const sum = pseudoSum(ip.address, destination, PROTOCOL_TCP) + swap16(length)
  frame.u16[TCP + TCP_CHECKSUM] = ~ip.abi.checksum(frame.u8, IP_PAYLOAD, length, sum)
  ip.send(frame, destination, PROTOCOL_TCP, length)
}

/** Whether a received segment's checksum is right: `length` bytes with header at byte `at` of the frame. */
export function hasGoodChecksum(ip: Interface, { u8, u16, checked }: Frame, at: number, length: number): boolean {
  if (checked === true) return true
  const pseudo = u16[13] + u16[14] + u16[15] + u16[16] + (PROTOCOL_TCP << 8) + (((length & 0xff) << 8) | (length >>> 8))
  return ip.abi.checksum(u8, at, length, pseudo) === 0xffff
}

/** Payload of the largest segment that a device's frame of `bytes` holds; a frame must also not be larger than an IP packet may be. */
export const payloadOf = (bytes: number): number => (bytes > HEADERS ? Math.min(bytes - HEADERS, 0xffff - IP_BYTES - TCP_BYTES) : 0)

/** Bytes of headers before the payload, in a frame; and in an IP packet: what remains of the MTU is the MSS. */
export const FRAME_OVERHEAD = HEADERS
export const MSS_OVERHEAD = HEADERS - ETH_BYTES
