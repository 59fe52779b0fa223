/** ARP for IPv4 over Ethernet (RFC 826). Word offsets, see ethernet.ts. */
import { BROADCAST_MAC, type MacWords, TYPE_ARP, writeEthernet } from './ethernet.ts'
import type { Ipv4 } from './ipv4-address.ts'

/** Bytes of a frame that holds an ARP packet, without padding. */
export const ARP_FRAME_BYTES = 42

const HARDWARE = 7
const PROTOCOL = 8
const LENGTHS = 9
const OPERATION = 10
const SENDER_MAC = 11
const SENDER_IP = 14
const TARGET_MAC = 16
const TARGET_IP = 19

export const ARP_REQUEST = 1
export const ARP_REPLY = 2

/** The operation when this is an ARP packet for Ethernet and IPv4, or 0. `length` is that of the frame in bytes. */
export function arpOperation(u16: Uint16Array, length: number): number {
  if (length < ARP_FRAME_BYTES) return 0
  if (u16[HARDWARE] !== 0x0100 || u16[PROTOCOL] !== 0x0008 || u16[LENGTHS] !== 0x0406) return 0
  const operation = u16[OPERATION]
  return operation === 0x0100 ? ARP_REQUEST : operation === 0x0200 ? ARP_REPLY : 0
}

export const arpSenderIp = (u16: Uint16Array): Ipv4 => u16[SENDER_IP] | (u16[SENDER_IP + 1] << 16)
export const arpTargetIp = (u16: Uint16Array): Ipv4 => u16[TARGET_IP] | (u16[TARGET_IP + 1] << 16)
export const arpSenderMac = (u16: Uint16Array): MacWords => u16.slice(SENDER_MAC, SENDER_MAC + 3)

/** Writes a whole frame; a request goes to all, a reply to `targetMac`. */
export function writeArp(
  u16: Uint16Array,
  operation: number,
  senderMac: MacWords,
  senderIp: Ipv4,
  targetMac: MacWords | undefined,
  targetIp: Ipv4,
): void {
  writeEthernet(u16, targetMac ?? BROADCAST_MAC, senderMac, TYPE_ARP)
  u16[HARDWARE] = 0x0100
  u16[PROTOCOL] = 0x0008
  u16[LENGTHS] = 0x0406
  u16[OPERATION] = operation << 8
  for (let i = 0; i < 3; i++) {
    u16[SENDER_MAC + i] = senderMac[i]
    u16[TARGET_MAC + i] = targetMac === undefined ? 0 : targetMac[i]
  }
  u16[SENDER_IP] = senderIp
  u16[SENDER_IP + 1] = senderIp >>> 16
  u16[TARGET_IP] = targetIp
  u16[TARGET_IP + 1] = targetIp >>> 16
}
