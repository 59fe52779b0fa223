/** Against zlib: what it packs comes out, what it refuses is refused, and no input makes more than a piece at a time. */
import { constants, deflateRawSync, deflateSync, gzipSync, inflateRawSync, inflateSync, crc32 as zlibCrc32 } from 'node:zlib'
import { runs } from '@xen-ts/boot/fuzz'
import test from 'ava'
import fc from 'fast-check'
import type { Format } from '../streams/coded.ts'
import { adler32, crc32 } from './checksums.ts'
import { lengthsOf } from './code-lengths.ts'
import { Compressor } from './compressor.ts'
import { Decompressor } from './decompressor.ts'
import { PIECE } from './inflate.ts'

const pack: Record<Format, typeof gzipSync> = { gzip: gzipSync, deflate: deflateSync, 'deflate-raw': deflateRawSync }

/** What comes out; input in pieces of `step` bytes. */
function unpacked(format: Format, packed: Uint8Array, step = packed.length): Buffer {
  const coder = new Decompressor(format)
  const all: Uint8Array[] = []
  for (let at = 0; at < packed.length; at += step) {
    coder.push(new Uint8Array(packed.subarray(at, at + step)))
    for (let piece = coder.pull(); piece !== undefined; piece = coder.pull()) all.push(piece)
  }
  coder.end()
  return Buffer.concat(all)
}

function packedBy(format: Format, pieces: readonly Uint8Array[]): Buffer {
  const coder = new Compressor(format)
  const all: Uint8Array[] = []
  const take = () => {
    for (let piece = coder.pull(); piece !== undefined; piece = coder.pull()) all.push(piece)
  }
  for (const piece of pieces) {
    coder.push(new Uint8Array(piece))
    take()
  }
  coder.end()
  take()
  return Buffer.concat(all)
}

/** Bytes of which some repeat: from few symbols, and runs of what was before. */
const data = fc
  .tuple(fc.integer({ min: 1, max: 256 }), fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 600 }), fc.boolean()), { maxLength: 60 }))
  .map(([symbols, parts]) => {
    const bytes: number[] = []
    for (const [seed, length, isRepeat] of parts) {
      const distance = 1 + (seed % Math.max(1, bytes.length))
      for (let i = 0, x = seed; i < length; i++) {
        x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff
        bytes.push(isRepeat && bytes.length >= distance ? bytes[bytes.length - distance] : (x >> 8) % symbols)
      }
    }
    return Uint8Array.from(bytes)
  })
const format = fc.constantFrom<Format>('gzip', 'deflate', 'deflate-raw')

test('what zlib packs comes out, however it comes in', t => {
  const strategies = [constants.Z_DEFAULT_STRATEGY, constants.Z_HUFFMAN_ONLY, constants.Z_RLE, constants.Z_FIXED]
  fc.assert(
    fc.property(
      data,
      format,
      fc.integer({ min: 0, max: 9 }),
      fc.constantFrom(...strategies),
      fc.integer({ min: 1, max: 300 }),
      (bytes, format, level, strategy, step) => {
        const packed = pack[format](bytes, { level, strategy, memLevel: 1 + (level % 9) })
        t.true(unpacked(format, packed, step).equals(bytes))
        t.true(unpacked(format, packed).equals(bytes))
      },
    ),
    runs({ few: 300 }),
  )
})

test('large data: windows move, blocks are stored', t => {
  const large = Buffer.alloc(700_000)
  for (let i = 0, x = 7; i < large.length; i++) {
    x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff
    large[i] = i % 70_000 < 40_000 ? x >> 16 : large[i - 32_768 + (i % 3)]
  }
  for (const level of [0, 1, 6, 9])
    for (const step of [1000, 65_536, 1_000_000]) t.true(unpacked('gzip', gzipSync(large, { level }), step).equals(large))
})

test('zlib takes what is packed here, whatever pieces it came in', t => {
  fc.assert(
    fc.property(fc.array(data, { maxLength: 4 }), format, (pieces, format) => {
      const packed = packedBy(format, pieces)
      const whole = Buffer.concat(pieces)
      const back = format === 'deflate-raw' ? inflateRawSync(packed) : format === 'deflate' ? inflateSync(packed) : unpacked('gzip', packed)
      t.true(Buffer.from(back).equals(whole))
      t.true(unpacked(format, packed).equals(whole))
    }),
    runs({ few: 100 }),
  )
})

test('large data is packed: text, noise, and what repeats from far away', t => {
  const noise = Buffer.alloc(300_000)
  for (let i = 0, x = 7; i < noise.length; i++) {
    x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff
    noise[i] = x >> 16
  }
  const text = Buffer.from(Array.from({ length: 20_000 }, (_, i) => `line ${i} of ${(i * 7919) % 1000}\n`).join(''))
  const far = Buffer.concat([noise.subarray(0, 32_768), noise.subarray(0, 32_768), noise.subarray(0, 32_769), noise.subarray(0, 40_000)])
  for (const [name, bytes, most] of [
    ['noise', noise, 1.001],
    ['text', text, 0.3],
    ['far', far, 0.6],
    ['zeros', Buffer.alloc(1_000_000), 0.006],
  ] as const) {
    for (const pieces of [[bytes], [bytes.subarray(0, 1000), bytes.subarray(1000)]]) {
      const packed = packedBy('deflate', pieces)
      t.true(inflateSync(packed).equals(bytes), name)
      t.true(packed.length < bytes.length * most, `${name}: ${packed.length} of ${bytes.length}`)
    }
  }
})

test('codes of at most 15 bits, however uneven the counts are', t => {
  // Counts as the numbers of Fibonacci make a tree that is as deep as it can be.
  const bytes: number[] = []
  for (let i = 0, a = 1, b = 1; i < 22; i++, [a, b] = [b, a + b]) for (let j = 0; j < a; j++) bytes.push((i * 37) & 0xff)
  let x = 3
  for (let i = bytes.length - 1; i > 0; i--) {
    x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff
    const j = (x >> 4) % (i + 1)
    ;[bytes[i], bytes[j]] = [bytes[j], bytes[i]]
  }
  t.true(inflateSync(packedBy('deflate', [Uint8Array.from(bytes)])).equals(Buffer.from(bytes)))
  const lengths = lengthsOf(
    Int32Array.from({ length: 40 }, (_, i) => Math.round(1.6 ** i)),
    15,
  )
  t.is(Math.max(...lengths), 15)
  t.is(
    lengths.reduce((sum, length) => sum + 2 ** (15 - length), 0),
    2 ** 15,
  )
})

test('what is wrong is refused where zlib refuses it, and never hangs', t => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 100 }),
        fc.tuple(data, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 })).map(([bytes, changes]) => {
          const packed = new Uint8Array(deflateRawSync(bytes))
          for (const [at, value] of changes) packed[at % packed.length] ^= value
          return packed
        }),
      ),
      fc.integer({ min: 1, max: 50 }),
      (packed, step) => {
        let expected: Buffer | undefined
        try {
          expected = inflateRawSync(packed)
        } catch {}
        let got: Buffer | undefined
        try {
          got = unpacked('deflate-raw', packed, step)
        } catch (error) {
          t.true(
            error instanceof TypeError && error.message.startsWith('DecompressionStream: the compressed data is wrong: '),
            String(error),
          )
          // zlib ends without a word where something is behind the end.
          if ((error as Error).message.endsWith('behind its end')) return
        }
        t.deepEqual(got, expected)
      },
    ),
    runs({ few: 3000 }),
  )
})

test('cut off anywhere, it is refused', t => {
  const bytes = Buffer.from('abcabcabcdabcabc'.repeat(20) + Math.PI)
  for (const format of Object.keys(pack) as Format[]) {
    const packed = pack[format](bytes)
    for (let length = 0; length < packed.length; length++)
      t.throws(() => unpacked(format, packed.subarray(0, length)), { instanceOf: TypeError, message: /cut off/ })
  }
})

test('a bomb comes out piece by piece', t => {
  const bomb = gzipSync(Buffer.alloc(50_000_000))
  const coder = new Decompressor('gzip')
  coder.push(new Uint8Array(bomb))
  let bytes = 0
  for (let piece = coder.pull(); piece !== undefined; piece = coder.pull()) {
    t.true(piece.length > 0 && piece.length <= PIECE)
    bytes += piece.length
  }
  coder.end()
  t.is(bytes, 50_000_000)
})

test('checksums', t => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), pieces => {
      const whole = Buffer.concat(pieces)
      t.is(pieces.reduce((sum, piece) => crc32(sum, piece), 0) >>> 0, zlibCrc32(whole))
      let [a, b] = [1, 0]
      for (const byte of whole) b = (b + (a = (a + byte) % 65521)) % 65521
      t.is(pieces.reduce((sum, piece) => adler32(sum, piece), 1) >>> 0, ((b << 16) | a) >>> 0)
    }),
    runs({ few: 200 }),
  )
  t.is(
    adler32(1, new Uint8Array(1_000_000).fill(255)) >>> 0,
    Buffer.from(deflateSync(Buffer.alloc(1_000_000, 255))).readUInt32BE(deflateSync(Buffer.alloc(1_000_000, 255)).length - 4),
  )
})
