import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { ed25519 } from '@noble/curves/ed25519.js'
import { runs } from '@xen-ts/boot/fuzz'
import test from 'ava'
import fc from 'fast-check'
import { asInNode } from '../testing.ts'
import { wholeCrypto } from './all.ts'
import { ecKeys, publicPart, rsaKey } from './keys.cases.ts'
import { pairsScenarios } from './pairs.cases.ts'
import { subtleScenarios } from './subtle.cases.ts'
import { fromHex, text } from './testing.ts'
import { vectors } from './vectors.cases.ts'

const own = wholeCrypto({ random: into => void globalThis.crypto.getRandomValues(into as Uint8Array<ArrayBuffer>) })

const node = globalThis.crypto as any
const HS256 = { name: 'HMAC', hash: 'SHA-256' }

asInNode(test, { ...subtleScenarios, ...pairsScenarios }, { crypto: own })

for (const { from, expected, notInNode, run } of vectors) {
  test(`as printed: ${from}`, async t => {
    if (notInNode === undefined) t.deepEqual(await run(globalThis.crypto.subtle), expected, 'in Node')
    t.deepEqual(await run(own.subtle), expected)
  })
}

const derivation = async (subtle: any): Promise<unknown> => {
  const hkdf = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: new Uint8Array() }
  const base = await subtle.importKey('raw', new Uint8Array(16), 'HKDF', false, ['deriveKey'])
  return subtle.deriveKey(hkdf, base, { ...HS256, length: 0 }, true, ['sign'])
}
const exportAs = async (subtle: any, format: string, key: 'publicKey' | 'privateKey'): Promise<unknown> =>
  subtle.exportKey(format, (await subtle.generateKey('Ed25519', true, ['sign', 'verify']))[key])

/** Of a key with two bytes, of no use to anybody. */
const rsaSpki = fromHex('301e300d06092a864886f70d0101010500030d00300a02030100010203010001')
const edSpki = fromHex(`302a300506032b6570032100${'58'.padEnd(64, '6')}`)

/** Where Node does something else than the specification says. */
const beyondNode: readonly (readonly [what: string, error: string, run: (subtle: any) => Promise<unknown>])[] = [
  [
    'importKey, step 6: bytes are no JSON Web Key',
    'TypeError',
    subtle => subtle.importKey('jwk', new Uint8Array(16), HS256, false, ['sign']),
  ],
  ['HMAC, get key length: it is not 0', 'TypeError', derivation],
  ['Ed25519, export key: spki is of public keys', 'InvalidAccessError', subtle => exportAs(subtle, 'spki', 'privateKey')],
  ['Ed25519, export key: raw is of public keys', 'InvalidAccessError', subtle => exportAs(subtle, 'raw', 'privateKey')],
  ['Ed25519, export key: pkcs8 is of private keys', 'InvalidAccessError', subtle => exportAs(subtle, 'pkcs8', 'publicKey')],
  [
    'RSA, import key: no more than two primes',
    'NotSupportedError',
    subtle => subtle.importKey('jwk', { ...rsaKey, oth: [] }, { name: 'RSA-PSS', hash: 'SHA-256' }, true, ['sign']),
  ],
  [
    'parse an ASN.1 structure: nothing follows it',
    'DataError',
    subtle => subtle.importKey('spki', Uint8Array.of(...edSpki, 0), 'Ed25519', true, ['verify']),
  ],
  [
    'parse an ASN.1 structure: a length is as short as it can be',
    'DataError',
    subtle => subtle.importKey('spki', Uint8Array.of(0x30, 0x81, ...edSpki.subarray(1)), 'Ed25519', true, ['verify']),
  ],
]
for (const [what, name, run] of beyondNode) test(what, t => t.throwsAsync(run(own.subtle), { name }))

const messages: readonly (readonly [name: string, message: RegExp, run: (subtle: any) => Promise<unknown>])[] = [
  ['NotSupportedError', /^there is no algorithm MD5; there are SHA-1, .*RSA-OAEP$/, subtle => subtle.digest('MD5', new Uint8Array())],
  ['TypeError', /^digest: data must be an ArrayBuffer or a view of one, not string$/, subtle => subtle.digest('SHA-1', 'a')],
  ['TypeError', /^AES-GCM: length is missing$/, subtle => subtle.generateKey('AES-GCM', true, ['encrypt'])],
  ['DataError', /^a JSON Web Key: k is not base64url$/, subtle => subtle.importKey('jwk', { kty: 'oct', k: 'A+' }, HS256, false, ['sign'])],
  [
    'SyntaxError',
    /^a key of HMAC cannot have the usage encrypt: it has sign, verify$/,
    subtle => subtle.generateKey(HS256, true, ['encrypt']),
  ],
  [
    'NotSupportedError',
    /^AES-GCM: an iv of less than 8 bytes is not taken; take 12$/,
    async subtle => {
      const key = await subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, ['encrypt'])
      return subtle.encrypt({ name: 'AES-GCM', iv: new Uint8Array(7) }, key, new Uint8Array())
    },
  ],
  [
    'NotSupportedError',
    /^keys of RSA-PSS are not made here, .*import it$/,
    subtle =>
      subtle.generateKey({ name: 'RSA-PSS', modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1), hash: 'SHA-256' }, true, ['sign']),
  ],
]
for (const [name, message, run] of messages)
  test(`an error says: ${message.source}`, t => t.throwsAsync(run(own.subtle), { name, message }))

test('an algorithm that is not in the image is named, with what to do', async t => {
  const here = new URL('.', import.meta.url)
  const script = `
    import { linkSubtle } from ${JSON.stringify(new URL('link.ts', here).href)}
    import { Crypto } from ${JSON.stringify(new URL('../crypto.ts', here).href)}
    import { algorithms } from ${JSON.stringify(new URL('sha256.ts', here).href)}
    linkSubtle([algorithms])
    const { subtle } = new Crypto({})
    console.log((await subtle.digest('SHA-256', new Uint8Array())).byteLength)
    await subtle.digest('sha-1', new Uint8Array()).catch(error => console.log(error.name, error.message))`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script])
  t.is(
    stdout,
    "32\nNotSupportedError SHA-1 is not in this image, which has the algorithms that its program names: write 'SHA-1' in the program, and build it again\n",
  )
})

for (const [what, run] of [
  ['a digest', (subtle: any, much: Uint8Array) => subtle.digest('SHA-256', much)],
  [
    'a code',
    async (subtle: any, much: Uint8Array) =>
      subtle.sign('HMAC', await subtle.importKey('raw', Uint8Array.of(1), { name: 'HMAC', hash: 'SHA-512' }, false, ['sign']), much),
  ],
] as const)
  test(`others have their turn while ${what} of much is made`, async t => {
    const much = new Uint8Array(10_000_000).fill(7)
    const done: string[] = []
    setTimeout(() => done.push('others'))
    const made = await run(own.subtle, much)
    t.deepEqual(done, ['others'])
    t.deepEqual(made, await run(node.subtle, much))
  })

/** What one signs, or encrypts, the other takes, with keys that one made and the other got in some format. */
const bytesUpTo = (maxLength: number) => fc.uint8Array({ maxLength })
const hashes = fc.constantFrom('SHA-1', 'SHA-256', 'SHA-384', 'SHA-512')
const both = fc.constantFrom([own.subtle, node.subtle], [node.subtle, own.subtle])

async function handOver(from: any, to: any, key: any, format: string, algorithm: object): Promise<any> {
  return to.importKey(format, await from.exportKey(format, key), algorithm, true, key.usages)
}

test('a signature of one is good for the other', t =>
  fc.assert(
    fc.asyncProperty(
      both,
      fc.constantFrom<[string, object]>(
        ['HMAC', {}],
        ['ECDSA', { namedCurve: 'P-256' }],
        ['ECDSA', { namedCurve: 'P-384' }],
        ['ECDSA', { namedCurve: 'P-521' }],
        ['Ed25519', {}],
        ['RSASSA-PKCS1-v1_5', {}],
        ['RSA-PSS', {}],
      ),
      hashes,
      fc.nat(100),
      bytesUpTo(300),
      fc.constantFrom('spki', 'jwk'),
      async ([one, other], [name, more], hash, saltLength, data, format) => {
        const algorithm = { name, hash, saltLength, ...more }
        const made = name.startsWith('RSA')
          ? {
              privateKey: await one.importKey('jwk', rsaKey, algorithm, true, ['sign']),
              publicKey: await one.importKey('jwk', publicPart(rsaKey), algorithm, true, ['verify']),
            }
          : await one.generateKey(algorithm, true, ['sign', 'verify'])
        const signature = new Uint8Array(await one.sign(algorithm, made.privateKey ?? made, data))
        const key = await handOver(one, other, made.publicKey ?? made, name === 'HMAC' ? 'jwk' : format, algorithm)
        t.true(await other.verify(algorithm, key, signature, data))
        signature[data.length % signature.length] ^= 1
        t.false(await other.verify(algorithm, key, signature, data))
      },
    ),
    runs({ few: 40, cost: 100 }),
  ))

test('what one encrypts the other decrypts', t =>
  fc.assert(
    fc.asyncProperty(
      both,
      fc.constantFrom('AES-GCM', 'AES-CBC', 'AES-CTR', 'RSA-OAEP'),
      fc.constantFrom(128, 192, 256),
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc.integer({ min: 5, max: 128 }),
      fc.constantFrom(undefined, 96, 120),
      bytesUpTo(180),
      async ([one, other], name, bits, iv, counterBits, tagLength, data) => {
        const length = name === 'AES-CTR' ? counterBits : bits
        const algorithm = { name, iv, counter: iv, length, tagLength, additionalData: data.subarray(0, 20), hash: 'SHA-1', label: iv }
        const made =
          name === 'RSA-OAEP'
            ? await one.importKey('jwk', publicPart(rsaKey), algorithm, true, ['encrypt'])
            : await one.generateKey({ name, length: bits }, true, ['encrypt', 'decrypt'])
        const sealed = await one.encrypt(algorithm, made, data)
        const key =
          name === 'RSA-OAEP'
            ? await other.importKey('jwk', rsaKey, algorithm, true, ['decrypt'])
            : await handOver(one, other, made, 'raw', { name })
        t.deepEqual(new Uint8Array(await other.decrypt(algorithm, key, sealed)), data)
      },
    ),
    runs({ few: 100, cost: 20 }),
  ))

test('both find the same secret', t =>
  fc.assert(
    fc.asyncProperty(
      fc.constantFrom({ name: 'X25519' }, ...['P-256', 'P-384', 'P-521'].map(namedCurve => ({ name: 'ECDH', namedCurve }))),
      fc.constantFrom('raw', 'spki', 'jwk'),
      async (algorithm, format) => {
        const [a, b] = [
          await own.subtle.generateKey(algorithm, true, ['deriveBits']),
          await node.subtle.generateKey(algorithm, true, ['deriveBits']),
        ]
        const ofA = await handOver(own.subtle, node.subtle, a.publicKey, format, algorithm)
        const ofB = await handOver(node.subtle, own.subtle, b.publicKey, format, algorithm)
        const secret = await own.subtle.deriveBits({ name: algorithm.name, public: ofB }, a.privateKey, null)
        t.deepEqual(await node.subtle.deriveBits({ name: algorithm.name, public: ofA }, b.privateKey, null), secret)
        // Their private keys as well, in PKCS #8.
        const again = await handOver(own.subtle, node.subtle, a.privateKey, 'pkcs8', algorithm)
        t.deepEqual(await node.subtle.deriveBits({ name: algorithm.name, public: b.publicKey }, again, null), secret)
        const back = await handOver(node.subtle, own.subtle, again, 'pkcs8', algorithm)
        t.deepEqual(await own.subtle.deriveBits({ name: algorithm.name, public: ofB }, back, null), secret)
      },
    ),
    runs({ few: 12, cost: 200 }),
  ))

const edPkcs8 = fromHex(`302e020100300506032b657004220420${'58'.padEnd(64, '6')}`)
/** What a test makes of some bytes: they, or another key with one of them changed. */
const mutated = (...keys: Uint8Array[]) =>
  fc.oneof(
    bytesUpTo(120),
    ...keys.map(key => fc.tuple(fc.nat(key.length - 1), fc.nat(255)).map(([at, byte]) => key.map((old, i) => (i === at ? byte : old)))),
  )
const member = fc.oneof(
  fc.constantFrom<unknown>('EC', 'RSA', 'OKP', 'oct', 'P-256', 'Ed25519', 'AQAB', '', '!', 7, null, ['sign'], 'sign'),
  ...Object.values(rsaKey).map(value => fc.constant(value)),
  ...Object.values(ecKeys['P-256']).map(value => fc.constant(value)),
)

test('whatever stands for a key, it is refused by name', t =>
  fc.assert(
    fc.asyncProperty(
      fc.constantFrom<[string, object]>(
        ['verify', { name: 'ECDSA', namedCurve: 'P-256' }],
        ['verify', { name: 'RSA-PSS', hash: 'SHA-256' }],
        ['verify', { name: 'Ed25519' }],
        ['sign', { name: 'ECDSA', namedCurve: 'P-384' }],
        ['sign', { name: 'RSA-PSS', hash: 'SHA-256' }],
        ['sign', { name: 'Ed25519' }],
        ['sign', HS256],
      ),
      fc.oneof(
        fc.tuple(fc.constantFrom('spki', 'pkcs8', 'raw'), mutated(rsaSpki, edSpki, edPkcs8)),
        fc.tuple(
          fc.constant('jwk'),
          fc.dictionary(
            fc.constantFrom('kty', 'crv', 'x', 'y', 'd', 'n', 'e', 'p', 'q', 'dp', 'dq', 'qi', 'k', 'use', 'ext', 'oth'),
            member,
          ),
        ),
      ),
      async ([usage, algorithm], [format, key]) => {
        try {
          await own.subtle.importKey(format, key, algorithm, true, [usage])
        } catch (error) {
          // TypeError: a member that should be a list.
          const names =
            format === 'jwk' ? /^(DataError|NotSupportedError|SyntaxError|TypeError)$/ : /^(DataError|NotSupportedError|SyntaxError)$/
          t.regex((error as Error).name, names, String((error as Error).stack))
        }
      },
    ),
    runs({ few: 1000 }),
  ))

/**
 * Signatures by a key with a part of small order: the equation with the cofactor takes them, the one without it takes one in eight. And
 * signatures whose point is of small order, which both equations take.
 */
test('of Ed25519 the equation without the cofactor counts, and no point is of small order', async t => {
  const { Point } = ed25519
  const order = Point.Fn.ORDER
  const small = Point.fromBytes(fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'))
  const secret = 1234567n
  const numberIn = (bytes: Uint8Array): bigint => bytes.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n)
  const bytesOf = (number: bigint): Uint8Array => Uint8Array.from({ length: 32 }, (_, i) => Number((number >> BigInt(8 * i)) & 0xffn))
  const taken: boolean[] = []
  for (let i = 0; i < 24; i++) {
    const isSmallPoint = i >= 16
    const key = Point.BASE.multiply(secret)
      .add(isSmallPoint ? Point.ZERO : small)
      .toBytes()
    const nonce = isSmallPoint ? 0n : 1000n + BigInt(i)
    const r = (isSmallPoint ? Point.ZERO : Point.BASE.multiply(nonce)).toBytes()
    const message = text(`message ${i}`)
    const k = numberIn(new Uint8Array(await node.subtle.digest('SHA-512', Uint8Array.of(...r, ...key, ...message)))) % order
    const signature = Uint8Array.of(...r, ...bytesOf((nonce + k * secret) % order))
    const results = await Promise.all(
      [own.subtle, node.subtle].map(async subtle =>
        subtle.verify('Ed25519', await subtle.importKey('raw', key, 'Ed25519', true, ['verify']), signature, message),
      ),
    )
    t.is(results[0], !isSmallPoint && k % 8n === 0n, `message ${i}`)
    // Node's, by OpenSSL, does not look at the order of points.
    if (!isSmallPoint) t.is(results[1], results[0], `message ${i} in Node`)
    taken.push(results[0])
  }
  t.true(taken.includes(true) && taken.includes(false))
})
