/** Pairs of keys: their formats, signatures, secrets in common; the same must come out as with Node's, results and names of errors. */
import type { Scenarios, Web } from '../testing.ts'
import { ecKeys, edKey, publicPart, rsaKey, xKey } from './keys.cases.ts'
import { each, fromHex, hexOf, shown, text } from './testing.ts'

const subtleOf = ({ crypto }: Web): any => crypto.subtle
const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const ECDH = { name: 'ECDH', namedCurve: 'P-256' }
const RSA = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }

/** Imported, exported in all formats, and imported again. */
async function formats(web: Web, algorithm: object, jwk: any, [forPrivate, forPublic]: [string[], string[]]): Promise<unknown> {
  const subtle = subtleOf(web)
  const privateKey = await subtle.importKey('jwk', jwk, algorithm, true, forPrivate)
  const publicKey = await subtle.importKey('jwk', publicPart(jwk), algorithm, true, forPublic)
  const again = async (format: string, key: any, usages: string[]) => {
    const bytes = await subtle.exportKey(format, key)
    const taken = await subtle.importKey(format, bytes, algorithm, true, usages)
    return [shown(bytes), shown(taken), shown(await subtle.exportKey('jwk', taken))]
  }
  return [
    shown(privateKey),
    shown(publicKey),
    await each(
      () => again('jwk', privateKey, forPrivate),
      () => again('pkcs8', privateKey, forPrivate),
      () => again('jwk', publicKey, forPublic),
      () => again('spki', publicKey, forPublic),
      () => again('raw', publicKey, forPublic),
    ),
  ]
}

/** Bytes cut off at each place, and with each bit of the first ones changed: how many of them are a key. */
async function broken(web: Web, format: string, bytes: Uint8Array, algorithm: object, usages: string[]): Promise<unknown> {
  const subtle = subtleOf(web)
  const variants = [
    ...Array.from(bytes, (_, i) => bytes.slice(0, i)),
    ...[0, 1, 2, 3, 5, 8].map(at => bytes.map((byte, i) => (i === at ? byte ^ 0x10 : byte))),
  ]
  const results = await each(...variants.map(one => () => subtle.importKey(format, one, algorithm, true, usages)))
  return results.map(result => (typeof result === 'string' ? result : 'a key'))
}

const exported = async (web: Web, format: string, jwk: any, algorithm: object, usages: string[]): Promise<Uint8Array> => {
  const subtle = subtleOf(web)
  return new Uint8Array(await subtle.exportKey(format, await subtle.importKey('jwk', jwk, algorithm, true, usages)))
}

export const pairsScenarios: Scenarios = {
  ...Object.fromEntries(
    Object.entries(ecKeys).flatMap(([namedCurve, jwk]) => [
      [`ecdsa ${namedCurve}: formats`, web => formats(web, { name: 'ECDSA', namedCurve }, jwk, [['sign'], ['verify']])],
      [`ecdh ${namedCurve}: formats`, web => formats(web, { name: 'ECDH', namedCurve }, jwk, [['deriveBits', 'deriveKey'], []])],
    ]) as [string, Scenarios[string]][],
  ),
  'ed25519: formats': web => formats(web, { name: 'Ed25519' }, edKey, [['sign'], ['verify']]),
  'x25519: formats': web => formats(web, { name: 'X25519' }, xKey, [['deriveKey'], []]),
  'rsassa: formats': web => formats(web, RSA, rsaKey, [['sign'], ['verify']]),
  'rsa-pss: formats': web => formats(web, { name: 'RSA-PSS', hash: 'SHA-512' }, rsaKey, [['sign'], ['verify']]),
  'rsa-oaep: formats': web =>
    formats(web, { name: 'RSA-OAEP', hash: 'SHA-1' }, rsaKey, [
      ['decrypt', 'unwrapKey'],
      ['encrypt', 'wrapKey'],
    ]),

  'broken keys: spki of P-256': async web =>
    broken(web, 'spki', await exported(web, 'spki', publicPart(ecKeys['P-256']), ECDSA, ['verify']), ECDSA, ['verify']),
  'broken keys: PKCS #8 of P-256': async web =>
    broken(web, 'pkcs8', await exported(web, 'pkcs8', ecKeys['P-256'], ECDSA, ['sign']), ECDSA, ['sign']),
  'broken keys: spki of Ed25519': async web =>
    broken(web, 'spki', await exported(web, 'spki', publicPart(edKey), { name: 'Ed25519' }, ['verify']), { name: 'Ed25519' }, ['verify']),
  'broken keys: PKCS #8 of X25519': async web =>
    broken(web, 'pkcs8', await exported(web, 'pkcs8', xKey, { name: 'X25519' }, ['deriveBits']), { name: 'X25519' }, ['deriveBits']),
  'broken keys: spki of RSA': async web =>
    broken(web, 'spki', await exported(web, 'spki', publicPart(rsaKey), RSA, ['verify']), RSA, ['verify']),

  'ecdsa: what is wrong with keys': async web => {
    const subtle = subtleOf(web)
    const jwk = ecKeys['P-256']
    const take = (changes: object, algorithm: object = ECDSA, usages = ['sign']) =>
      subtle.importKey('jwk', { ...jwk, ...changes }, algorithm, true, usages)
    return each(
      () => take({}),
      () => take({ alg: 'ES256' }),
      () => take({ alg: 'ES384' }),
      () => take({ use: 'enc' }),
      () => take({ kty: 'OKP' }),
      () => take({ crv: 'P-384' }),
      () => take({}, { name: 'ECDSA', namedCurve: 'P-384' }),
      () => take({}, { name: 'ECDSA', namedCurve: 'P-999' }),
      () => take({}, { name: 'ECDSA' }),
      () => take({ x: undefined }),
      () => take({ y: jwk.x }),
      () => take({ d: ecKeys['P-384'].d }),
      () => take({ d: undefined }),
      () => take({}, ECDSA, ['verify']),
      () => take({}, ECDSA, []),
      () => take({ ...publicPart(jwk), d: undefined }, ECDSA, []),
      () => subtle.importKey('raw', new Uint8Array(65).fill(4), ECDSA, true, ['verify']),
      () => subtle.importKey('raw', new Uint8Array(64).fill(4), ECDSA, true, ['verify']),
      () => subtle.importKey('raw', new Uint8Array(1), ECDSA, true, ['verify']),
      () => subtle.importKey('raw', new Uint8Array(0), ECDSA, true, ['verify']),
      () => subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify']),
      () => subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['deriveBits']),
      () => subtle.generateKey({ name: 'ECDSA', namedCurve: 'secp256k1' }, true, ['sign']),
    )
  },
  'a point may be compressed': async web => {
    const subtle = subtleOf(web)
    const raw = await exported(web, 'raw', publicPart(ecKeys['P-256']), ECDSA, ['verify'])
    const compressed = Uint8Array.of(2 + (raw[64] & 1), ...raw.subarray(1, 33))
    return shown(await subtle.exportKey('raw', await subtle.importKey('raw', compressed, ECDSA, true, ['verify'])))
  },
  'ecdsa: signatures': async web => {
    const subtle = subtleOf(web)
    const results: unknown[] = []
    for (const [namedCurve, jwk] of Object.entries(ecKeys)) {
      const own = await subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve }, false, ['sign'])
      const theirs = await subtle.importKey('jwk', publicPart(jwk), { name: 'ECDSA', namedCurve }, false, ['verify'])
      const one = { name: 'ECDSA', hash: 'SHA-256' }
      const signature = new Uint8Array(await subtle.sign(one, own, text('a')))
      results.push(
        signature.length,
        await each(
          () => subtle.verify(one, theirs, signature, text('a')),
          () => subtle.verify(one, theirs, signature, text('b')),
          () => subtle.verify({ name: 'ECDSA', hash: 'SHA-384' }, theirs, signature, text('a')),
          () => subtle.verify(one, theirs, signature.slice(1), text('a')),
          () => subtle.verify(one, theirs, new Uint8Array(signature.length), text('a')),
          () => subtle.verify(one, theirs, new Uint8Array(signature.length).fill(0xff), text('a')),
          () => subtle.verify(one, theirs, new Uint8Array(0), text('a')),
          () => subtle.verify(one, own, signature, text('a')),
          () => subtle.sign({ name: 'ECDSA' }, own, text('a')),
          () => subtle.sign('Ed25519', own, text('a')),
        ),
      )
    }
    return results
  },
  'ecdsa: hashes longer than the curve, and shorter': async web => {
    const subtle = subtleOf(web)
    const jwk = ecKeys['P-256']
    const own = await subtle.importKey('jwk', jwk, ECDSA, false, ['sign'])
    const theirs = await subtle.importKey('jwk', publicPart(jwk), ECDSA, false, ['verify'])
    return each(
      ...['SHA-1', 'SHA-512'].map(hash => async () => {
        const signature = await subtle.sign({ name: 'ECDSA', hash }, own, text('a'))
        return subtle.verify({ name: 'ECDSA', hash }, theirs, signature, text('a'))
      }),
    )
  },

  'ecdh: secrets': async web => {
    const subtle = subtleOf(web)
    const own = await subtle.importKey('jwk', ecKeys['P-256'], ECDH, false, ['deriveBits', 'deriveKey'])
    const theirs = await subtle.importKey('raw', await exported(web, 'raw', publicPart(ecKeys['P-256']), ECDH, []), ECDH, true, [])
    const p384 = await subtle.importKey('jwk', publicPart(ecKeys['P-384']), { name: 'ECDH', namedCurve: 'P-384' }, true, [])
    const with_ = (key: unknown) => ({ name: 'ECDH', public: key })
    return each(
      () => subtle.deriveBits(with_(theirs), own, 256),
      () => subtle.deriveBits(with_(theirs), own, null),
      () => subtle.deriveBits(with_(theirs), own),
      () => subtle.deriveBits(with_(theirs), own, 128),
      () => subtle.deriveBits(with_(theirs), own, 13),
      () => subtle.deriveBits(with_(theirs), own, 0),
      () => subtle.deriveBits(with_(theirs), own, 264),
      () => subtle.deriveBits(with_(p384), own, 256),
      () => subtle.deriveBits(with_(own), own, 256),
      () => subtle.deriveBits(with_({}), own, 256),
      () => subtle.deriveBits({ name: 'ECDH' }, own, 256),
      () => subtle.deriveBits(with_(theirs), theirs, 256),
      async () => subtle.exportKey('raw', await subtle.deriveKey(with_(theirs), own, { name: 'AES-GCM', length: 128 }, true, ['encrypt'])),
      () => subtle.importKey('jwk', publicPart(ecKeys['P-256']), ECDH, true, ['deriveBits']),
      () => subtle.importKey('jwk', ecKeys['P-256'], ECDH, true, ['sign']),
    )
  },

  'ed25519: signatures, and what is wrong': async web => {
    const subtle = subtleOf(web)
    const own = await subtle.importKey('jwk', edKey, 'Ed25519', false, ['sign'])
    const theirs = await subtle.importKey('jwk', publicPart(edKey), 'Ed25519', false, ['verify'])
    const signature = new Uint8Array(await subtle.sign('Ed25519', own, text('a')))
    const take = (changes: object, usages = ['sign']) => subtle.importKey('jwk', { ...edKey, ...changes }, 'Ed25519', true, usages)
    return [
      hexOf(signature),
      await each(
        () => subtle.verify('Ed25519', theirs, signature, text('a')),
        () => subtle.verify('Ed25519', theirs, signature, text('b')),
        () => subtle.verify('Ed25519', theirs, signature.slice(1), text('a')),
        () => subtle.verify('Ed25519', theirs, new Uint8Array(64), text('a')),
        () => subtle.verify('Ed25519', theirs, new Uint8Array(64).fill(0xff), text('a')),
        () => take({ alg: 'EdDSA' }),
        () => take({ alg: 'ES256' }),
        () => take({ crv: 'X25519' }),
        () => take({ x: xKey.x }),
        () => take({ d: 'AAAA' }),
        () => take({ d: undefined }),
        () => take({ d: undefined, x: 'AAAA' }, ['verify']),
        () => subtle.importKey('raw', new Uint8Array(31), 'Ed25519', true, ['verify']),
        () =>
          subtle.importKey('raw', fromHex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'), 'Ed25519', true, ['verify']),
        () => subtle.importKey('raw', new Uint8Array(32), 'Ed25519', true, ['sign']),
        () => subtle.generateKey('Ed25519', false, ['sign', 'verify']),
        () => subtle.generateKey('Ed25519', false, ['verify']),
      ),
    ]
  },
  'x25519: secrets, and what is wrong': async web => {
    const subtle = subtleOf(web)
    const own = await subtle.importKey('jwk', xKey, 'X25519', false, ['deriveBits'])
    const theirs = await subtle.importKey('raw', new Uint8Array(32).fill(9), 'X25519', false, [])
    const small = await subtle.importKey('raw', new Uint8Array(32), 'X25519', false, [])
    const with_ = (key: unknown) => ({ name: 'X25519', public: key })
    return each(
      () => subtle.deriveBits(with_(theirs), own, 256),
      () => subtle.deriveBits(with_(theirs), own, null),
      () => subtle.deriveBits(with_(theirs), own, 100),
      () => subtle.deriveBits(with_(theirs), own, 257),
      () => subtle.deriveBits(with_(small), own, 256),
      () => subtle.deriveBits(with_(own), own, 256),
      () => subtle.generateKey('X25519', true, ['deriveKey']),
      () => subtle.generateKey('X25519', true, ['sign']),
    )
  },

  'rsa: signatures, and what is wrong': async web => {
    const subtle = subtleOf(web)
    const results: unknown[] = []
    for (const [algorithm, hash] of [
      [{ name: 'RSASSA-PKCS1-v1_5' }, 'SHA-256'],
      [{ name: 'RSASSA-PKCS1-v1_5' }, 'SHA-1'],
      [{ name: 'RSA-PSS', saltLength: 0 }, 'SHA-512'],
      [{ name: 'RSA-PSS', saltLength: 32 }, 'SHA-256'],
    ] as const) {
      const own = await subtle.importKey('jwk', rsaKey, { name: algorithm.name, hash }, false, ['sign'])
      const theirs = await subtle.importKey('jwk', publicPart(rsaKey), { name: algorithm.name, hash }, false, ['verify'])
      const signature = new Uint8Array(await subtle.sign(algorithm, own, text('a')))
      const isFixed = !('saltLength' in algorithm) || algorithm.saltLength === 0
      results.push(
        isFixed ? hexOf(signature) : signature.length,
        await each(
          () => subtle.verify(algorithm, theirs, signature, text('a')),
          () => subtle.verify(algorithm, theirs, signature, text('b')),
          () => subtle.verify(algorithm, theirs, signature.slice(1), text('a')),
          () => subtle.verify(algorithm, theirs, new Uint8Array(256), text('a')),
          () => subtle.verify(algorithm, theirs, new Uint8Array(256).fill(0xff), text('a')),
          () => subtle.verify({ ...algorithm, saltLength: 20 }, theirs, signature, text('a')).then((ok: boolean) => ok && 'PKCS1'),
          () => subtle.verify(algorithm, own, signature, text('a')),
        ),
      )
    }
    return results
  },
  'rsa: keys': async web => {
    const subtle = subtleOf(web)
    const take = (changes: object, algorithm: object = RSA) => subtle.importKey('jwk', { ...rsaKey, ...changes }, algorithm, true, ['sign'])
    return each(
      () => take({}),
      () => take({ alg: 'RS256' }),
      () => take({ alg: 'RS512' }),
      () => take({ alg: 'PS256' }),
      () => take({ use: 'enc' }),
      () => take({ n: undefined }),
      () => take({ e: undefined }),
      () => take({}, { name: 'RSASSA-PKCS1-v1_5' }),
      () => take({}, { name: 'RSASSA-PKCS1-v1_5', hash: 'MD5' }),
      () => subtle.importKey('raw', new Uint8Array(256), RSA, true, ['verify']),
      () => subtle.importKey('spki', new Uint8Array(256), RSA, true, ['verify']),
      () => subtle.importKey('spki', new Uint8Array(256), RSA, true, ['sign']),
    )
  },
  'rsa: what is wrong with keys to be made': async web => {
    const subtle = subtleOf(web)
    const make = (changes: object, usages: string[]) =>
      subtle.generateKey(
        { name: 'RSA-PSS', modulusLength: 512, publicExponent: Uint8Array.of(1, 0, 1), hash: 'SHA-256', ...changes },
        true,
        usages,
      )
    return each(
      () => make({}, ['encrypt']),
      () => make({}, ['verify']),
      () => make({}, []),
      () => make({ publicExponent: Uint8Array.of(2) }, ['sign']),
      () => make({ publicExponent: Uint8Array.of(1) }, ['sign']),
      () => make({ publicExponent: undefined }, ['sign']),
      () => make({ modulusLength: undefined }, ['sign']),
      () => make({ hash: undefined }, ['sign']),
    )
  },
  'rsa-oaep: encrypted, and decrypted': async web => {
    const subtle = subtleOf(web)
    const OAEP = { name: 'RSA-OAEP', hash: 'SHA-256' }
    const own = await subtle.importKey('jwk', rsaKey, OAEP, false, ['decrypt', 'unwrapKey'])
    const theirs = await subtle.importKey('jwk', publicPart(rsaKey), OAEP, false, ['encrypt', 'wrapKey'])
    const sealed = new Uint8Array(await subtle.encrypt({ name: 'RSA-OAEP', label: text('l') }, theirs, text('abc')))
    const aes = await subtle.importKey('raw', new Uint8Array(16), 'AES-CBC', true, ['encrypt'])
    const wrapped = await subtle.wrapKey('raw', aes, theirs, 'RSA-OAEP')
    return each(
      () => subtle.decrypt({ name: 'RSA-OAEP', label: text('l') }, own, sealed),
      () => subtle.decrypt({ name: 'RSA-OAEP' }, own, sealed),
      () => subtle.decrypt({ name: 'RSA-OAEP' }, own, sealed.slice(1)),
      () => subtle.decrypt({ name: 'RSA-OAEP' }, own, new Uint8Array(256)),
      () => subtle.decrypt({ name: 'RSA-OAEP' }, own, new Uint8Array(256).fill(0xff)),
      async () => subtle.decrypt('RSA-OAEP', own, await subtle.encrypt('RSA-OAEP', theirs, new Uint8Array(190).fill(7))),
      async () => subtle.decrypt('RSA-OAEP', own, await subtle.encrypt('RSA-OAEP', theirs, new Uint8Array(0))),
      () => subtle.encrypt('RSA-OAEP', theirs, new Uint8Array(191)),
      () => subtle.encrypt('RSA-OAEP', own, new Uint8Array(1)),
      async () => subtle.exportKey('raw', await subtle.unwrapKey('raw', wrapped, own, 'RSA-OAEP', 'AES-CBC', true, ['encrypt'])),
    )
  },
}
