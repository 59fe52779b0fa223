/** SHA-1 (FIPS 180-4 section 6.1.2), for the one place where a protocol of today wants it: it protects nothing here. */
export function sha1(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const padded = new Uint8Array((message.length + 72) & ~63)
  padded.set(message)
  padded[message.length] = 0x80
  const words = new DataView(padded.buffer)
  words.setUint32(padded.length - 4, message.length * 8)
  const hash = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0)
  const w = new Int32Array(80)
  for (let block = 0; block < padded.length; block += 64) {
    let [a, b, c, d, e] = hash
    for (let t = 0; t < 80; t++) {
      w[t] = t < 16 ? words.getInt32(block + 4 * t) : rotate(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1)
      const next = (rotate(a, 5) + mix(t, b, c, d) + e + w[t] + constants[(t / 20) | 0]) | 0
      e = d
      d = c
      c = rotate(b, 30)
      b = a
      a = next
    }
    ;[a, b, c, d, e].forEach((value, i) => {
      hash[i] += value
    })
  }
  const digest = new DataView(new ArrayBuffer(20))
  hash.forEach((value, i) => digest.setInt32(4 * i, value))
  return new Uint8Array(digest.buffer)
}

const constants = [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6]

const rotate = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits))

const mix = (t: number, b: number, c: number, d: number): number =>
  t < 20 ? (b & c) | (~b & d) : t >= 40 && t < 60 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d
