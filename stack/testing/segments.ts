/** What a network card or a backend does with a large frame: cuts it into segments, byte by byte, unlike the code it tests. */
const IP = 14
const TCP = 34

/** Packets with complete checksums of one whose checksum is that of its pseudo header; `size` bytes of payload each, 1: as it is. */
export function segments(bytes: Uint8Array, size: number): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (view.getUint16(12) !== 0x800 || bytes[IP] !== 0x45 || bytes[IP + 9] !== 6)
    throw new Error('offload asked for what is not TCP over IPv4')
  if (view.getUint16(TCP + 16) !== pseudoHeader(view)) throw new Error('the checksum is not the sum of the pseudo header')
  const headers = TCP + (bytes[TCP + 12] >> 4) * 4
  if (size === 1) size = bytes.length
  const packets: Uint8Array[] = []
  for (let at = headers; at < bytes.length || packets.length === 0; at += size) {
    const payload = bytes.subarray(at, at + size)
    const packet = new Uint8Array(headers + payload.length)
    packet.set(bytes.subarray(0, headers))
    packet.set(payload, headers)
    const fields = new DataView(packet.buffer)
    fields.setUint16(IP + 2, packet.length - IP)
    fields.setUint16(IP + 10, 0)
    fields.setUint16(IP + 10, ~sum(fields, IP, TCP) & 0xffff)
    fields.setUint32(TCP + 4, view.getUint32(TCP + 4) + at - headers)
    if (at + size < bytes.length) packet[TCP + 13] &= ~0x09 // FIN and PSH are the last one's
    fields.setUint16(TCP + 16, 0)
    fields.setUint16(TCP + 16, ~sum(fields, TCP, packet.length, pseudoHeader(fields)) & 0xffff)
    packets.push(packet)
  }
  return packets
}

function pseudoHeader(view: DataView): number {
  return sum(view, IP + 12, IP + 20, 6 + view.getUint16(IP + 2) - 20)
}

function sum(view: DataView, from: number, to: number, initial = 0): number {
  let total = initial
  for (let at = from; at < to; at += 2) total += at + 1 < to ? view.getUint16(at) : view.getUint8(at) << 8
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16)
  return total
}
