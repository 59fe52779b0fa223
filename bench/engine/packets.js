// The data path: look at a TCP segment's headers, write the acknowledgement, keep sums.
(function () {
  const frame = new ArrayBuffer(1514), reply = new ArrayBuffer(64)
  const words = new Uint16Array(frame), out = new Uint16Array(reply)
  const view = new DataView(frame), outView = new DataView(reply)
  const swap = x => (x & 0xff) << 8 | x >> 8
  const ethernet = 7 // words
  view.setUint16(12, 0x0800)
  view.setUint16(14, 0x4500)
  view.setUint16(16, 1500)
  view.setUint16(22, 0x4006)
  view.setUint32(26, 0x0a890014)
  view.setUint32(30, 0x0a890001)
  view.setUint16(34, 40000)
  view.setUint16(36, 80)
  view.setUint16(46, 0x5018)

  function sum(array, from, to, initial) {
    let total = initial
    for (let i = from; i < to; i++) total += array[i]
    while (total > 0xffff) total = (total & 0xffff) + (total >>> 16)
    return total
  }

  class Connection {
    constructor() {
      this.next = 1000
      this.received = 0
      this.window = 65535
    }

    segment(sequence, length) {
      if ((sequence - this.next | 0) !== 0) return false
      this.next = this.next + length >>> 0
      this.received += length
      this.window = this.window > length ? this.window - length : 65535
      return true
    }
  }

  function acknowledge(connection) {
    const ip = ethernet, tcp = ip + 10
    if (swap(words[ip]) >> 8 !== 0x45 || words[ip + 4] >> 8 !== 6) return 0
    const sequence = (swap(words[tcp + 2]) << 16 | swap(words[tcp + 3])) >>> 0
    const length = swap(words[ip + 1]) - 20 - (words[tcp + 6] >> 4 & 15) * 4
    if (!connection.segment(sequence, length)) return 0
    for (let i = 0; i < 3; i++) {
      out[i] = words[i + 3]
      out[i + 3] = words[i]
    }
    out[6] = 8
    out[ip] = 0x45
    out[ip + 1] = swap(40)
    out[ip + 4] = 0x0640
    out[ip + 5] = 0
    out[ip + 6] = words[ip + 8]
    out[ip + 7] = words[ip + 9]
    out[ip + 8] = words[ip + 6]
    out[ip + 9] = words[ip + 7]
    out[ip + 5] = ~sum(out, ip, ip + 10, 0)
    out[tcp] = words[tcp + 1]
    out[tcp + 1] = words[tcp]
    out[tcp + 4] = swap(connection.next >>> 16)
    out[tcp + 5] = swap(connection.next & 0xffff)
    out[tcp + 6] = 0x1050
    out[tcp + 7] = swap(connection.window)
    return length
  }

  benchmark('packet-words', 20000, 20000 * 1460, count => {
    const connection = new Connection()
    for (let i = 0; i < count; i++) {
      words[ethernet + 12] = swap(connection.next >>> 16)
      words[ethernet + 13] = swap(connection.next & 0xffff)
      acknowledge(connection)
    }
    return connection.received
  })

  benchmark('packet-dataview', 20000, 20000 * 1460, count => {
    const connection = new Connection()
    for (let i = 0; i < count; i++) {
      view.setUint32(38, connection.next)
      if (view.getUint8(14) !== 0x45 || view.getUint8(23) !== 6) continue
      const header = view.getUint8(46) >> 4
      if (!connection.segment(view.getUint32(38), view.getUint16(16) - 20 - header * 4)) continue
      outView.setUint32(26, view.getUint32(30))
      outView.setUint32(30, view.getUint32(26))
      outView.setUint16(34, view.getUint16(36))
      outView.setUint16(36, view.getUint16(34))
      outView.setUint32(42, connection.next)
      outView.setUint16(48, connection.window)
    }
    return connection.received
  })

  benchmark('checksum-1500', 300, 300 * sum(words, 0, 750, 0), count => {
    let total = 0
    for (let i = 0; i < count; i++) total += sum(words, 0, 750, 0)
    return total
  })
})()
