/** xenstore's messages as bytes: what was written is read, however it arrives. */
import { runs } from '@xen-ts/boot/fuzz'
import { memoryAbi } from '@xen-ts/boot/memory'
import test from 'ava'
import fc from 'fast-check'
import { decodeStrings, HEADER_SIZE, isValidPath, MAX_PAYLOAD, MessageAssembler, RequestWriter } from './wire.ts'

const text = memoryAbi
const u32 = fc.nat(0xffffffff)
const ascii = fc.string({ unit: fc.constantFrom(...'/abc-@:. 0'), maxLength: 40 })

interface Message {
  readonly type: number
  readonly requestId: number
  readonly transactionId: number
  readonly payload: Uint8Array
}

/** Gives `bytes` in pieces of these sizes, over and over; 0 is "nothing more for now". */
function source(
  bytes: Uint8Array,
  sizes: readonly number[],
): { read: (into: Uint8Array, offset: number, length: number) => number; left(): number } {
  let at = 0
  let turn = 0
  return {
    read(into, offset, length) {
      const size = Math.min(sizes[turn++ % sizes.length], length, bytes.length - at)
      into.set(bytes.subarray(at, at + size), offset)
      at += size
      return size
    },
    left: () => bytes.length - at,
  }
}

function readAll(bytes: Uint8Array, sizes: readonly number[]): { messages: Message[]; isCorrupt: boolean } {
  const assembler = new MessageAssembler()
  const { read, left } = source(bytes, sizes)
  const messages: Message[] = []
  for (let pauses = 0; pauses <= sizes.length; ) {
    const next = assembler.next(read)
    if (next === 'corrupt') return { messages, isCorrupt: true }
    if (next) {
      const { type, requestId, transactionId } = assembler
      messages.push({ type, requestId, transactionId, payload: assembler.payload() })
    } else if (left() === 0) pauses++
  }
  return { messages, isCorrupt: false }
}

const sizes = fc.array(fc.nat(30), { minLength: 1, maxLength: 6 }).filter(list => list.some(size => size > 0))

test('requests that were written are read, in whatever pieces they come', t => {
  const request = fc.record({
    type: u32,
    id: u32,
    transaction: u32,
    strings: fc.array(ascii, { maxLength: 4 }),
    tail: fc.option(ascii, { nil: undefined }),
  })
  fc.assert(
    fc.property(fc.array(request, { maxLength: 4 }), sizes, (requests, pieces) => {
      const writer = new RequestWriter()
      const parts = requests.map(({ type, id, transaction, strings, tail }) =>
        writer.bytes.slice(0, writer.write(text, type, id, transaction, strings, tail)),
      )
      const { messages, isCorrupt } = readAll(Buffer.concat(parts), pieces)
      t.false(isCorrupt)
      t.is(messages.length, requests.length)
      for (const [i, { type, id, transaction, strings, tail }] of requests.entries()) {
        const message = messages[i]
        t.deepEqual([message.type, message.requestId, message.transactionId], [type, id, transaction])
        t.deepEqual(decodeStrings(text, message.payload), tail === undefined || tail === '' ? strings : [...strings, tail])
      }
    }),
    runs(),
  )
})

test('a request is as long as the protocol allows, or is none', t => {
  fc.assert(
    fc.property(fc.integer({ min: MAX_PAYLOAD - 5, max: MAX_PAYLOAD + 5 }), fc.constantFrom('x', 'é', '€'), (length, character) => {
      const written = new RequestWriter().write(text, 1, 1, 0, [character.repeat(length)])
      const size = Buffer.byteLength(character) * length + 1
      t.is(written, size > MAX_PAYLOAD ? 0 : HEADER_SIZE + size)
      const ofValue = new RequestWriter().write(text, 1, 1, 0, ['k'], character.repeat(length))
      t.is(ofValue, size + 1 > MAX_PAYLOAD ? 0 : HEADER_SIZE + size + 1)
    }),
    runs({ few: 50, cost: 10 }),
  )
})

test('whatever bytes arrive, in whatever pieces: messages no longer than the protocol allows, or corrupt; the pieces decide nothing', t => {
  const length = fc.oneof(fc.nat(40), fc.nat(40), fc.nat(0xffffffff), fc.constantFrom(MAX_PAYLOAD, MAX_PAYLOAD + 1))
  const messages = fc.array(fc.tuple(u32, length, fc.uint8Array({ maxLength: 40 })), { maxLength: 5 })
  fc.assert(
    fc.property(messages, sizes, (list, pieces) => {
      const bytes = Buffer.concat(
        list.map(([type, size, data]) => Buffer.concat([new Uint8Array(Uint32Array.of(type, 1, 2, size).buffer), data])),
      )
      const read = readAll(bytes, pieces)
      t.deepEqual(read, readAll(bytes, [5000]))
      let count = 0
      let at = 0
      let isCorrupt = false
      while (at + HEADER_SIZE <= bytes.length) {
        const length = bytes.readUInt32LE(at + 12)
        isCorrupt = length > MAX_PAYLOAD
        at += HEADER_SIZE + length
        if (isCorrupt || at > bytes.length) break
        count++
      }
      t.deepEqual([read.messages.length, read.isCorrupt], [count, isCorrupt])
      for (const { payload } of read.messages) {
        t.true(payload.length <= MAX_PAYLOAD)
        const strings = decodeStrings(text, payload)
        t.true(strings.every(string => !string.includes('\0')))
        t.is(strings.length, payload.length === 0 ? 0 : payload.subarray(0, -1).filter(byte => byte === 0).length + 1)
      }
    }),
    runs(),
  )
})

test('a path with a NUL in it, or longer than any, is none', t => {
  fc.assert(
    fc.property(ascii, fc.nat(40), fc.integer({ min: 2040, max: 3080 }), (path, at, length) => {
      t.false(isValidPath(`${path.slice(0, at)}\0${path.slice(at)}`))
      t.is(isValidPath(path), path !== '')
      const long = path.padEnd(length, 'x')
      t.is(isValidPath(long), length <= (long[0] === '/' ? 3071 : 2047))
    }),
    runs(),
  )
})
