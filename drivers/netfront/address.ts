/** The addresses of a vif, which the toolstack writes into the frontend's directory. */
import { parseDecimal, parseMac } from '../parse.ts'
import { tryRead } from '../xenbus/handshake.ts'
import type { Xenstore } from '../xenstore/xenstore.ts'

const ETHERNET_MTU = 1500
/** RFC 791: every host must take this. */
const SMALLEST_MTU = 68

export interface Address {
  /** undefined when what stands there is not the address of a device. */
  readonly mac: Uint8Array | undefined
  /** Bytes. */
  readonly mtu: number
  /** What is wrong with the MAC address, when it is none. */
  readonly complaint: string
}

export async function readAddress(xenstore: Xenstore, frontend: string): Promise<Address> {
  const [untrustedMac, untrustedMtu] = await Promise.all([tryRead(xenstore, `${frontend}/mac`), tryRead(xenstore, `${frontend}/mtu`)])
  const complaint = `${frontend}/mac is ${JSON.stringify(untrustedMac?.slice(0, 40))}, not the address of a device`
  return { mac: parseMac(untrustedMac), mtu: mtuOf(untrustedMtu), complaint }
}

/** Send buffers hold no more than Ethernet's. */
function mtuOf(untrusted: string | undefined): number {
  const mtu = parseDecimal(untrusted, 65535) ?? ETHERNET_MTU
  return mtu < SMALLEST_MTU ? ETHERNET_MTU : Math.min(mtu, ETHERNET_MTU)
}

export const formatMac = (mac: Uint8Array): string => [...mac].map(byte => byte.toString(16).padStart(2, '0')).join(':')
