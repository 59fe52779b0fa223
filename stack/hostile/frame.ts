/** Frames made byte by byte, from the attacker, or whoever it says it is, to the victim. */
import { octets6 } from '../testing/raw-peer6.ts'
import { correctChecksums } from './checksums.ts'
import { ATTACKER, VICTIM } from './corpus.ts'

export const octets = (address: string): number[] => (address.includes(':') ? octets6(address) : address.split('.').map(Number))
export const be16 = (value: number): number[] => [(value >>> 8) & 255, value & 255]
export const be32 = (value: number): number[] => [...be16(value >>> 16), ...be16(value)]
export const macOf = (text: string): number[] => text.split(':').map(octet => parseInt(octet, 16))

export const ICMP = 1
const ICMPV6 = 58

/** A packet of the family that `source` is of. */
export function packet(source: string, protocol: number, payload: readonly number[] | Uint8Array): Uint8Array {
  return source.includes(':') ? ipv6(source, protocol === ICMP ? ICMPV6 : protocol, payload) : ipv4(source, protocol, payload)
}

export function ipv4(source: string, protocol: number, payload: readonly number[] | Uint8Array): Uint8Array {
  const addresses = [...octets(source), ...octets(VICTIM.ip)]
  const header = [0x45, 0, ...be16(20 + payload.length), 0, 0, 0x40, 0, 64, protocol, 0, 0, ...addresses]
  const frame = Uint8Array.of(...macOf(VICTIM.mac), ...macOf(ATTACKER.mac), 8, 0, ...header, ...payload)
  correctChecksums(frame)
  return frame
}

export interface Ipv6Fields {
  readonly hopLimit?: number
  readonly target?: string
  /** Extension headers, and the number of the first of them. */
  readonly headers?: readonly number[]
  readonly first?: number
}

export function ipv6(source: string, protocol: number, payload: readonly number[] | Uint8Array, fields: Ipv6Fields = {}): Uint8Array {
  const { hopLimit = 64, target = VICTIM.ip6, headers = [], first = protocol } = fields
  const to = octets(target)
  const mac = to[0] === 0xff ? [0x33, 0x33, ...to.slice(12)] : macOf(VICTIM.mac)
  const length = be16(headers.length + payload.length)
  const header = [0x60, 0, 0, 0, ...length, first, hopLimit, ...octets(source), ...to]
  const frame = Uint8Array.of(...mac, ...macOf(ATTACKER.mac), 0x86, 0xdd, ...header, ...headers, ...payload)
  correctChecksums(frame)
  return frame
}
