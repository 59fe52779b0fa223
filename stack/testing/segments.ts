/** What a network card or a backend does with a large frame: cuts it into segments, byte by byte, unlike the code it tests. */
const IP = 14

/** Packets with complete checksums of one whose checksum is that of its pseudo header; `size` bytes of payload each, 1: as it is. */
export function segments(bytes: Uint8Array, size: number): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const isIpv6 = view.getUint16(12) === 0x86dd
  const isIpv4 = view.getUint16(12) === 0x800 && bytes[IP] === 0x45
  if (!(isIpv6 ? bytes[IP + 6] === 6 : isIpv4 && bytes[IP + 9] === 6)) throw new Error('offload asked for what is not TCP')
  const tcp = IP + (isIpv6 ? 40 : 20)
  const pseudoHeader = isIpv6 ? pseudoHeader6 : pseudoHeader4
  if (view.getUint16(tcp + 16) !== pseudoHeader(view)) throw new Error('the checksum is not the sum of the pseudo header')
  const headers = tcp + (bytes[tcp + 12] >> 4) * 4
  if (size === 1) size = bytes.length
  const packets: Uint8Array[] = []
  for (let at = headers; at < bytes.length || packets.length === 0; at += size) {
    const payload = bytes.subarray(at, at + size)
    const packet = new Uint8Array(headers + payload.length)
    packet.set(bytes.subarray(0, headers))
    packet.set(payload, headers)
    const fields = new DataView(packet.buffer)
    if (isIpv6) {
      fields.setUint16(IP + 4, packet.length - tcp)
    } else {
      fields.setUint16(IP + 2, packet.length - IP)
      fields.setUint16(IP + 10, 0)
      fields.setUint16(IP + 10, ~sum(fields, IP, tcp) & 0xffff)
    }
    fields.setUint32(tcp + 4, view.getUint32(tcp + 4) + at - headers)
    if (at + size < bytes.length) packet[tcp + 13] &= ~0x09 // FIN and PSH are the last one's
    fields.setUint16(tcp + 16, 0)
    fields.setUint16(tcp + 16, ~sum(fields, tcp, packet.length, pseudoHeader(fields)) & 0xffff)
    packets.push(packet)
  }
  return packets
}

const pseudoHeader4 = (view: DataView): number => sum(view, IP + 12, IP + 20, 6 + view.getUint16(IP + 2) - 20)
const pseudoHeader6 = (view: DataView): number => sum(view, IP + 8, IP + 40, 6 + view.getUint16(IP + 4))

function sum(view: DataView, from: number, to: number, initial = 0): number {
  let total = initial
  for (let at = from; at < to; at += 2) total += at + 1 < to ? view.getUint16(at) : view.getUint8(at) << 8
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16)
  return total
}
