import { runs } from '@xen-ts/boot/fuzz'
import { memoryAbi } from '@xen-ts/boot/memory'
import test from 'ava'
import fc from 'fast-check'
import { atob as ownAtob, btoa as ownBtoa } from './base64.ts'
import { Crypto } from './crypto.ts'
import { encodingScenarios } from './encoding.cases.ts'
import { createEncoding } from './encoding.ts'
import { addOthers, multiByte } from './encodings/others.ts'
import { addSingleBytes } from './encodings/single-byte.ts'
import * as tables from './encodings/tables.ts'
import { addUtf16 } from './encodings/utf16.ts'
import { asInNode } from './testing.ts'
import { decodeUtf8 } from './utf8.ts'

const bytes = fc
  .array(
    fc.oneof(
      fc.constantFrom(0, 0x41, 0x80, 0xa0, 0xbf, 0xc0, 0xc2, 0xe0, 0xed, 0xef, 0xbb, 0xbf, 0xf0, 0x90, 0x9f, 0xf4, 0x8f, 0xff),
      fc.nat(255),
    ),
    { maxLength: 12 },
  )
  .map(all => Uint8Array.from(all))

function attempt(run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    return (error as Error).name
  }
}

const own = createEncoding(memoryAbi)

test('any bytes decode as in Node, with every option', t => {
  fc.assert(
    fc.property(bytes, fc.boolean(), fc.boolean(), fc.constantFrom('utf-8', 'UTF8', 'latin1'), (input, fatal, ignoreBOM, label) => {
      const decode = (Class: any) => attempt(() => new Class(label, { fatal, ignoreBOM }).decode(input))
      t.deepEqual(decode(own.TextDecoder), decode(TextDecoder))
    }),
    runs({ few: 5_000 }),
  )
})

test('bytes that arrive in pieces decode as in Node', t => {
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 4 }), fc.boolean(), (pieces, fatal) => {
      const decode = (Class: any) =>
        attempt(() => {
          const decoder = new Class('utf-8', { fatal })
          return pieces.map(piece => decoder.decode(piece, { stream: true })).join('') + decoder.decode()
        })
      t.deepEqual(decode(own.TextDecoder), decode(TextDecoder))
    }),
    runs({ few: 5_000 }),
  )
})

test('any text encodes as in Node, also into too little room', t => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.nat(12), (text, room) => {
      t.deepEqual(new own.TextEncoder().encode(text), new TextEncoder().encode(text))
      const [a, b] = [new Uint8Array(room), new Uint8Array(room)]
      t.deepEqual(new own.TextEncoder().encodeInto(text, a), new TextEncoder().encodeInto(text, b))
      t.deepEqual(a, b)
    }),
    runs({ few: 2_000 }),
  )
})

test('what is wrong in a text is found by the kernel: no byte is looked at one by one', t => {
  for (const unit of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xef, 0xbf, 0xbd], [0xf0, 0x9f, 0x98], [0xed, 0x95, 0x9c]]) {
    const all = Uint8Array.from({ length: 3000 }, (_, i) => unit[i % unit.length]!)
    let looks = 0
    const watched = new Proxy(all, {
      get(target, name) {
        if (typeof name === 'string' && /^\d+$/.test(name)) looks++
        const value = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    let calls = 0
    const counted =
      <A extends unknown[], R>(call: (bytes: Uint8Array, ...rest: A) => R) =>
      (bytes: Uint8Array, ...rest: A) => {
        calls++
        return call(bytes === watched ? all : bytes, ...rest)
      }
    const abi = {
      ...memoryAbi,
      utf8Decode: counted(memoryAbi.utf8Decode),
      latin1Decode: counted(memoryAbi.latin1Decode),
    }
    for (const fatal of [false, true])
      t.deepEqual(
        attempt(() => decodeUtf8(abi, watched, fatal)),
        attempt(() => new TextDecoder('utf-8', { fatal, ignoreBOM: true }).decode(all)),
      )
    t.true(looks <= 4 && calls <= 4, `${looks} bytes looked at, ${calls} calls`)
  }
})

test('an encoding that is not in the image is refused; with its module it is there', t => {
  t.throws(() => new own.TextDecoder('utf-16'), { instanceOf: RangeError, message: /utf-16.*not supported/ })
  addUtf16()
  addOthers()
  addSingleBytes(...Object.values(tables))
  t.is(new own.TextDecoder('utf-16').encoding, 'utf-16le')
})

test('encodings of several bytes a character are refused by name', t => {
  const own = createEncoding(memoryAbi)
  for (const [name, labels] of Object.entries(multiByte))
    for (const label of labels.split(' '))
      t.throws(() => new own.TextDecoder(label), { instanceOf: RangeError, message: new RegExp(`${name}.*convert the text to UTF-8`) })
})

asInNode(test, encodingScenarios, { ...createEncoding(memoryAbi), atob: ownAtob, btoa: ownBtoa, crypto })

test('long UTF-16 and single-byte text', t => {
  const own = createEncoding(memoryAbi)
  const text = 'привет '.repeat(5_000)
  t.is(new own.TextDecoder('utf-16le').decode(Buffer.from(text, 'utf16le')), text)
  const bytes = Uint8Array.from({ length: 20_000 }, (_, i) => i)
  t.is(new own.TextDecoder('koi8-r').decode(bytes), new TextDecoder('koi8-r').decode(bytes))
})

test('atob and btoa do as in Node', t => {
  const encoded = fc.oneof(fc.base64String(), fc.string({ unit: fc.constantFrom('A', 'b', '=', ' ', '/', '-', '9') }))
  fc.assert(
    fc.property(encoded, text => {
      t.deepEqual(
        attempt(() => ownAtob(text)),
        attempt(() => atob(text)),
      )
    }),
    runs({ few: 2_000 }),
  )
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 8 }), text => {
      t.deepEqual(
        attempt(() => ownBtoa(text)),
        attempt(() => btoa(text)),
      )
    }),
    runs(),
  )
  fc.assert(
    fc.property(fc.uint8Array(), all => {
      t.is(ownBtoa(String.fromCharCode(...all)), Buffer.from(all).toString('base64'))
    }),
    runs(),
  )
})

test('random values fill any integer array; a UUID is one of version 4', t => {
  const own = new Crypto({
    random: into => {
      into.fill(0xff)
    },
  })
  t.deepEqual(own.getRandomValues(new Uint32Array(2)), Uint32Array.of(0xffffffff, 0xffffffff))
  t.is(own.randomUUID(), 'ffffffff-ffff-4fff-bfff-ffffffffffff')
  t.throws(() => own.getRandomValues(new Float64Array(1)), { name: 'TypeMismatchError' })
  t.throws(() => own.getRandomValues('a' as never), { name: 'TypeError' }) // Web IDL
  t.throws(() => own.getRandomValues(new Uint8Array(65537)), { name: 'QuotaExceededError' })
})
