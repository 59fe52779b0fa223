// Frames in typed arrays: ARP answers, echo replies, UDP datagrams with pseudo header, a shared ring with producer and consumer.
(function () {
  const pages = new ArrayBuffer(16 * 2048)
  const bytes = new Uint8Array(pages), halves = new Uint16Array(pages), longs = new Uint32Array(pages)

  class Ring {
    constructor(size) {
      this.size = size
      this.mask = size - 1
      this.produced = 0
      this.consumed = 0
      this.slots = new Uint32Array(size)
    }
    get free() { return this.size - (this.produced - this.consumed >>> 0) }
    push(value) {
      if (this.free === 0) return false
      this.slots[this.produced & this.mask] = value
      this.produced = this.produced + 1 >>> 0
      return true
    }
    shift() {
      if (this.produced === this.consumed) return -1
      const value = this.slots[this.consumed & this.mask]
      this.consumed = this.consumed + 1 >>> 0
      return value
    }
  }

  function fold(sum) {
    sum = (sum & 0xffff) + (sum >>> 16)
    return (sum & 0xffff) + (sum >>> 16)
  }

  function writeAddress(at, address) {
    bytes[at] = address >>> 24
    bytes[at + 1] = address >>> 16 & 0xff
    bytes[at + 2] = address >>> 8 & 0xff
    bytes[at + 3] = address & 0xff
  }

  function udp(frame, source, destination, payload) {
    const at = frame * 2048 + 14
    bytes[at] = 0x45
    bytes[at + 8] = 64
    bytes[at + 9] = 17
    writeAddress(at + 12, source)
    writeAddress(at + 16, destination)
    const length = payload.length + 8
    bytes[at + 2] = length + 20 >> 8
    bytes[at + 3] = length + 20 & 0xff
    bytes.set(payload, at + 28)
    let sum = 0
    for (let i = at + 12 >> 1; i < at + 20 >> 1; i++) sum += halves[i]
    const end = at + 20 + length
    for (let i = at + 20; i < end; i += 2) sum += bytes[i] | bytes[i + 1] << 8
    sum = ~fold(sum + (17 << 8)) & 0xffff
    bytes[at + 26] = sum & 0xff
    bytes[at + 27] = sum >> 8
    return length
  }

  function echo(frame) {
    const at = frame * 2048
    const view = new DataView(pages, at, 98)
    if (view.getUint16(12) !== 0x0800 || view.getUint8(34) !== 8) return false
    for (let i = 0; i < 6; i++) [bytes[at + i], bytes[at + i + 6]] = [bytes[at + i + 6], bytes[at + i]]
    const source = view.getUint32(26)
    view.setUint32(26, view.getUint32(30), false)
    view.setUint32(30, source, false)
    view.setUint8(34, 0)
    view.setInt16(36, view.getInt16(36, true) + 8, true)
    return true
  }

  const neighbours = new Map()
  function arp(frame, now) {
    const base = frame * 1024 // in halves
    if (halves[base + 6] !== 0x0608) return
    const address = (halves[base + 14] | halves[base + 15] << 16) >>> 0
    const known = neighbours.get(address)
    if (known !== undefined && now - known.seen < 1000) known.seen = now
    else neighbours.set(address, { mac: bytes.slice(frame * 2048 + 6, frame * 2048 + 12), seen: now })
    halves.copyWithin(base, base + 3, base + 6)
    halves[base + 10] = 0x0200
  }

  const ring = new Ring(256)
  const payload = Uint8Array.from({ length: 48 }, (_, i) => i * 37)
  let replies = 0, octets = 0
  for (let turn = 0; turn < 4000; turn++) {
    const frame = turn & 15, kind = turn % 3
    if (kind === 0) octets += udp(frame, 0x0a890000 | turn, 0x08080808, payload)
    if (kind === 1) {
      new DataView(pages).setUint16(frame * 2048 + 12, 0x0800)
      bytes[frame * 2048 + 34] = 8
      if (echo(frame)) replies++
    }
    if (kind === 2) {
      halves[frame * 1024 + 6] = 0x0608
      halves[frame * 1024 + 14] = turn % 97
      arp(frame, turn)
    }
    while (ring.push(frame << 16 | turn & 0xffff) && (turn & 3) !== 0) break
    if ((turn & 7) === 7) for (let value = ring.shift(); value >= 0; value = ring.shift()) octets += value >>> 16
    longs[frame] ^= longs[frame + 1]
  }
  const parts = []
  for (let i = 0; i < 500; i++) parts.push(bytes.subarray(i, i + 40))
  let total = 0
  for (const part of parts) total += part.length + part[3] + (part.indexOf(64) + 1)
  let calls = 0
  for (let i = 0; i < 400; i++) calls += add(i, 0.5) + checksum(bytes)
  print(`frames: ${replies} replies, ${octets} octets, ${neighbours.size} neighbours, ${total}, ${calls}`)
})()
