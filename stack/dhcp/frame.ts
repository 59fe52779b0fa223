/**
 * Frames of a host that has no address yet: written and read whole (Ethernet II, IPv4, UDP), past the stack. Self-contained on purpose: the
 * stack's own way out begins with an address.
 */
import type { Frame, HostFunctions } from '@xen-ts/runtime/machine'
import { addressBytes, DHCP_CLIENT_PORT, DHCP_SERVER_PORT, readAddress } from '../wire/dhcp.ts'
import { ETH_TYPE, ETH_BYTES as ETHERNET, TYPE_IPV4 } from '../wire/ethernet.ts'
import { IP_BYTES as IP } from '../wire/ipv4.ts'
import type { Ipv4 } from '../wire/ipv4-address.ts'
import { PROTOCOL_UDP, UDP_BYTES as UDP } from '../wire/udp.ts'

const PAYLOAD = ETHERNET + IP + UDP

/** Writes a message to every server on the link; returns the length of the frame. The message must fit: a device's frame holds 1514 bytes. */
export function writeDhcpFrame(
  abi: Pick<HostFunctions, 'checksum'>,
  { u8, u16 }: Frame,
  mac: Uint8Array,
  source: Ipv4,
  message: Uint8Array,
): number {
  const length = PAYLOAD + message.length
  u8.fill(0xff, 0, 6)
  u8.set(mac, 6)
  u8.set([0x08, 0x00], 12)
  u8.set([0x45, 0, ...be16(IP + UDP + message.length), 0, 0, 0, 0, 64, PROTOCOL_UDP, 0, 0], ETHERNET)
  u8.set(addressBytes(source), ETHERNET + 12)
  u8.fill(0xff, ETHERNET + 16, ETHERNET + 20)
  u8.set([...be16(DHCP_CLIENT_PORT), ...be16(DHCP_SERVER_PORT), ...be16(UDP + message.length), 0, 0], ETHERNET + IP)
  u8.set(message, PAYLOAD)
  u16[(ETHERNET + 10) >>> 1] = ~abi.checksum(u8, ETHERNET, IP, 0)
  const sum = ~checksumUdp(abi, u8, ETHERNET + IP, UDP + message.length) & 0xffff
  u16[(ETHERNET + IP + 6) >>> 1] = sum === 0 ? 0xffff : sum // 0 would mean: no checksum
  return length
}

/**
 * The DHCP message for a client in a frame of `length` bytes, valid as long as the frame is. undefined when it holds something else, or why it
 * must not be taken.
 */
export function readDhcpFrame(
  abi: Pick<HostFunctions, 'checksum'>,
  { u8, u16, checked }: Frame,
  length: number,
): Uint8Array | 'malformed' | 'badChecksum' | 'fragments' | undefined {
  if (length < PAYLOAD || u16[ETH_TYPE] !== TYPE_IPV4) return undefined
  const header = (u8[ETHERNET] & 15) * 4
  const total = (u8[ETHERNET + 2] << 8) | u8[ETHERNET + 3]
  if (u8[ETHERNET] >>> 4 !== 4 || header < IP || u8[ETHERNET + 9] !== PROTOCOL_UDP) return undefined
  if (total < header + UDP || ETHERNET + total > length) return undefined
  const at = ETHERNET + header
  if (((u8[at + 2] << 8) | u8[at + 3]) !== DHCP_CLIENT_PORT || ((u8[at] << 8) | u8[at + 1]) !== DHCP_SERVER_PORT) return undefined
  const fragment = (u8[ETHERNET + 6] & 0x3f) | u8[ETHERNET + 7]
  const size = (u8[at + 4] << 8) | u8[at + 5]
  if (fragment !== 0) return 'fragments'
  if (size < UDP || size > total - header) return 'malformed'
  if (abi.checksum(u8, ETHERNET, header, 0) !== 0xffff) return 'badChecksum'
  const summed = checked !== true && u16[(at + 6) >>> 1] !== 0
  if (summed && checksumUdp(abi, u8, at, size) !== 0xffff) return 'badChecksum'
  return u8.subarray(at + UDP, at + size)
}

/** With the pseudo header (RFC 768). */
function checksumUdp(abi: Pick<HostFunctions, 'checksum'>, u8: Uint8Array, at: number, length: number): number {
  let sum = (PROTOCOL_UDP << 8) + (((length & 0xff) << 8) | (length >>> 8))
  for (const field of [ETHERNET + 12, ETHERNET + 16]) {
    const address = readAddress(u8, field)
    sum += (address & 0xffff) + (address >>> 16)
  }
  sum = (sum & 0xffff) + (sum >>> 16)
  return abi.checksum(u8, at, length, (sum & 0xffff) + (sum >>> 16))
}

const be16 = (value: number): [number, number] => [value >>> 8, value & 255]
