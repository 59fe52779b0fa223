/** crypto.subtle: the same must come out as with Node's, results and names of errors. */
import type { Scenarios, Web } from '../testing.ts'
import { each, fromHex, shown, text } from './testing.ts'

const iv = fromHex('000102030405060708090a0b')
const key128 = fromHex('000102030405060708090a0b0c0d0e0f')
const HS256 = { name: 'HMAC', hash: 'SHA-256' }
const subtleOf = ({ crypto }: Web): any => crypto.subtle

export const subtleScenarios: Scenarios = {
  'digest: names know no case, and may be objects; what is given may change at once': web => {
    const subtle = subtleOf(web)
    const bytes = text('abc')
    const given = subtle.digest('sha-256', bytes)
    bytes.fill(0)
    return each(
      () => given,
      () => subtle.digest({ name: 'Sha-1' }, new ArrayBuffer(3)),
      () => subtle.digest('SHA-512', new DataView(text('xabcx').buffer as ArrayBuffer, 1, 3)),
      () => subtle.digest('SHA-384', new Uint16Array(500)),
    )
  },
  'digest: what is wrong': web => {
    const subtle = subtleOf(web)
    return each(
      () => subtle.digest('MD5', new Uint8Array()),
      () => subtle.digest('HMAC', new Uint8Array()),
      () => subtle.digest(null, new Uint8Array()),
      () => subtle.digest({}, new Uint8Array()),
      () => subtle.digest('SHA-256', 'abc'),
      () => subtle.digest('SHA-256', [1]),
      () => subtle.digest('SHA-256'),
    )
  },

  'hmac: keys made and imported': async web => {
    const subtle = subtleOf(web)
    return each(
      () => subtle.generateKey(HS256, true, ['verify', 'sign', 'sign']),
      () => subtle.generateKey({ name: 'hmac', hash: { name: 'sha-512' }, length: 160 }, false, ['sign']),
      () => subtle.generateKey({ ...HS256, length: 0 }, false, ['sign']),
      () => subtle.generateKey(HS256, false, []),
      () => subtle.generateKey(HS256, false, ['encrypt']),
      () => subtle.generateKey({ name: 'HMAC' }, false, ['sign']),
      () => subtle.generateKey({ name: 'HMAC', hash: 'MD5' }, false, ['sign']),
      () => subtle.generateKey(HS256, false, ['fly']),
      () => subtle.generateKey(HS256, false, 'sign'),
      () => subtle.importKey('raw', key128, HS256, false, ['sign']),
      () => subtle.importKey('raw', key128, { ...HS256, length: 128 }, false, ['sign']),
      () => subtle.importKey('raw', key128, { ...HS256, length: 136 }, false, ['sign']),
      () => subtle.importKey('raw', new Uint8Array(), HS256, false, ['sign']),
      () => subtle.importKey('raw', key128, HS256, false, []),
      () => subtle.importKey('raw', key128, HS256, false, ['deriveBits']),
      () => subtle.importKey('spki', key128, HS256, false, ['sign']),
      () => subtle.importKey('xml', key128, HS256, false, ['sign']),
      () => subtle.importKey('raw', { kty: 'oct' }, HS256, false, ['sign']),
    )
  },
  'hmac: JSON Web Keys': async web => {
    const subtle = subtleOf(web)
    const jwk = { kty: 'oct', k: 'AAECAwQFBgcICQoLDA0ODw', alg: 'HS256', ext: true, key_ops: ['sign', 'verify'], use: 'sig' }
    const take = (changes: object, extractable = true) =>
      subtle.importKey('jwk', { ...jwk, ...changes }, HS256, extractable, ['sign', 'verify'])
    const key = await take({})
    return each(
      () => key,
      () => subtle.exportKey('jwk', key),
      () => subtle.exportKey('raw', key),
      () => subtle.exportKey('spki', key),
      () => take({ kty: 'EC' }),
      () => take({ kty: undefined }),
      () => take({ k: undefined }),
      () => take({ alg: 'HS512' }),
      () => take({ alg: undefined }),
      () => take({ use: 'enc' }),
      () => take({ key_ops: ['sign'] }),
      () => take({ ext: false }),
      async () => subtle.exportKey('jwk', await take({ ext: false }, false)),
      () => subtle.importKey('jwk', jwk, { ...HS256, hash: 'SHA-512' }, true, ['sign']),
    )
  },
  'hmac: signatures': async web => {
    const subtle = subtleOf(web)
    const key = await subtle.importKey('raw', key128, HS256, true, ['sign', 'verify'])
    const onlySign = await subtle.importKey('raw', key128, HS256, true, ['sign'])
    const signature = await subtle.sign('HMAC', key, text('a'))
    return each(
      () => signature,
      () => subtle.verify('HMAC', key, signature, text('a')),
      () => subtle.verify('HMAC', key, signature, text('b')),
      () => subtle.verify('HMAC', key, signature.slice(1), text('a')),
      () => subtle.verify('HMAC', key, new Uint8Array(), text('a')),
      () => subtle.verify('HMAC', onlySign, signature, text('a')),
      () => subtle.sign('ECDSA', key, text('a')),
      () => subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, key, text('a')),
      () => subtle.sign('HMAC', {}, text('a')),
      () => subtle.sign('HMAC', key),
      () => subtle.encrypt('HMAC', key, text('a')),
    )
  },
  'a key says what it is, always by the same objects, and cannot be made or changed': async web => {
    const subtle = subtleOf(web)
    const key = await subtle.importKey('raw', key128, HS256, false, ['sign'])
    const [algorithm, usages] = [key.algorithm, key.usages]
    algorithm.name = 'AES-GCM'
    usages.push('verify')
    const signature = await subtle.sign('HMAC', key, text('a'))
    return [
      key.algorithm === algorithm,
      key.usages === usages,
      Object.prototype.toString.call(key),
      Object.keys(key),
      shown(signature),
      await each(
        () => subtle.verify('HMAC', key, signature, text('a')),
        () => new key.constructor(),
        () => new subtle.constructor(),
        () => subtle.exportKey('raw', key),
        () => {
          key.type = 'public'
        },
      ),
    ]
  },

  'methods belong to their objects, and constructors to nobody': web => {
    const { crypto } = web
    const subtle = subtleOf(web)
    const prototype = Object.getPrototypeOf(crypto)
    return each(
      () => prototype.subtle,
      () => crypto.getRandomValues.call(null, new Uint8Array(1)),
      () => crypto.getRandomValues(),
      () => crypto.getRandomValues(new Float32Array(1)),
      () => new prototype.constructor(),
      () => [prototype.constructor.length, subtle.constructor.length, subtle.constructor.name, crypto.subtle === subtle],
      () => [String(crypto), String(subtle)],
    )
  },

  'aes: keys made and imported': async web => {
    const subtle = subtleOf(web)
    const jwk = { kty: 'oct', k: 'AAECAwQFBgcICQoLDA0ODw', alg: 'A128GCM' }
    return each(
      () => subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt', 'decrypt']),
      () => subtle.generateKey({ name: 'aes-kw', length: 192 }, true, ['wrapKey', 'unwrapKey']),
      () => subtle.generateKey({ name: 'AES-CBC', length: 127 }, true, ['encrypt']),
      () => subtle.generateKey({ name: 'AES-CBC' }, true, ['encrypt']),
      () => subtle.generateKey({ name: 'AES-CBC', length: 'x' }, true, ['encrypt']),
      () => subtle.generateKey({ name: 'AES-CTR', length: 128 }, true, ['sign']),
      () => subtle.generateKey({ name: 'AES-KW', length: 128 }, true, ['encrypt']),
      () => subtle.generateKey({ name: 'AES-CTR', length: 128 }, true, []),
      () => subtle.importKey('raw', key128, 'AES-GCM', false, ['wrapKey']),
      () => subtle.importKey('raw', key128.subarray(1), 'AES-GCM', false, ['encrypt']),
      () => subtle.importKey('pkcs8', key128, 'AES-GCM', false, ['encrypt']),
      async () => subtle.exportKey('jwk', await subtle.importKey('jwk', jwk, 'AES-GCM', true, ['decrypt', 'encrypt'])),
      () => subtle.importKey('jwk', jwk, 'AES-CBC', true, ['encrypt']),
      () => subtle.importKey('jwk', { ...jwk, alg: 'A256GCM' }, 'AES-GCM', true, ['encrypt']),
      () => subtle.importKey('jwk', { ...jwk, use: 'sig' }, 'AES-GCM', true, ['encrypt']),
      () => subtle.importKey('jwk', { ...jwk, k: 'AAEC', alg: undefined }, 'AES-GCM', true, ['encrypt']),
    )
  },
  'aes-gcm: tags, text, and what is wrong': async web => {
    const subtle = subtleOf(web)
    const key = await subtle.importKey('raw', key128, 'AES-GCM', false, ['encrypt', 'decrypt'])
    const gcm = { name: 'AES-GCM', iv }
    const sealed = new Uint8Array(await subtle.encrypt(gcm, key, text('some text of more than a block')))
    const tagLengths = [32, 64, 96, 104, 112, 120, 128, 0, 33, 129, 136, 256, -1]
    const changed = (at: number) => sealed.map((byte, i) => (i === at ? byte ^ 1 : byte))
    return [
      shown(sealed),
      await each(...tagLengths.map(tagLength => () => subtle.encrypt({ ...gcm, tagLength }, key, text('ab')))),
      await each(
        ...tagLengths.map(tagLength => async () => {
          const short = await subtle.encrypt({ ...gcm, tagLength }, key, text('ab'))
          return subtle.decrypt({ ...gcm, tagLength }, key, short)
        }),
      ),
      await each(
        () => subtle.decrypt(gcm, key, sealed),
        () => subtle.decrypt(gcm, key, changed(0)),
        () => subtle.decrypt(gcm, key, changed(sealed.length - 1)),
        () => subtle.decrypt(gcm, key, sealed.subarray(1)),
        () => subtle.decrypt(gcm, key, new Uint8Array(15)),
        () => subtle.decrypt(gcm, key, new Uint8Array(16)),
        () => subtle.decrypt({ ...gcm, tagLength: 96 }, key, sealed),
        () => subtle.decrypt({ ...gcm, additionalData: text('a') }, key, sealed),
        () => subtle.decrypt({ ...gcm, iv: new Uint8Array(12) }, key, sealed),
        () => subtle.encrypt({ ...gcm, iv: new Uint8Array(60) }, key, text('ab')),
        () => subtle.encrypt({ ...gcm, iv: new Uint8Array(0) }, key, text('ab')),
        () => subtle.encrypt({ ...gcm, iv: 'abc' }, key, text('ab')),
        () => subtle.encrypt({ name: 'AES-GCM' }, key, text('ab')),
        () => subtle.encrypt({ name: 'AES-CBC', iv: key128 }, key, text('ab')),
        () => subtle.encrypt(gcm, key, new Uint8Array(0)),
      ),
    ]
  },
  'aes-cbc: padding, and what is wrong': async web => {
    const subtle = subtleOf(web)
    const key = await subtle.importKey('raw', key128, 'AES-CBC', false, ['encrypt', 'decrypt'])
    const cbc = { name: 'AES-CBC', iv: key128 }
    const sealed = await subtle.encrypt(cbc, key, text('0123456789abcdef0'))
    return each(
      () => sealed,
      () => subtle.encrypt(cbc, key, text('0123456789abcdef')),
      () => subtle.encrypt(cbc, key, text('')),
      () => subtle.decrypt(cbc, key, sealed),
      () => subtle.decrypt(cbc, key, sealed.slice(0, 16)),
      () => subtle.decrypt(cbc, key, sealed.slice(0, 17)),
      () => subtle.decrypt(cbc, key, new Uint8Array(0)),
      () => subtle.encrypt({ ...cbc, iv }, key, text('a')),
    )
  },
  'aes-ctr: the counter begins again at 0, and nothing before it changes': async web => {
    const subtle = subtleOf(web)
    const key = await subtle.importKey('raw', key128, 'AES-CTR', false, ['encrypt', 'decrypt'])
    const run = (counter: string, length: number, bytes = 50) =>
      subtle.encrypt({ name: 'AES-CTR', counter: fromHex(counter), length }, key, new Uint8Array(bytes))
    const ones = 'ffffffffffffffffffffffffffffffff'
    return each(
      () => run(ones, 128),
      () => run(ones, 64),
      () => run(ones, 63),
      () => run(ones, 2),
      () => run('000102030405060708090a0b0c0d0e0e', 4),
      () => run('000102030405060708090a0b0c0d0e0f', 4, 256),
      () => run(ones, 1),
      () => run(ones, 1, 33),
      () => run(ones, 1, 32),
      () => run(ones, 0),
      () => run(ones, 129),
      () => run('00', 64),
      () => run(ones, 64, 0),
    )
  },

  'hkdf and pbkdf2: lengths, and what is wrong': async web => {
    const subtle = subtleOf(web)
    const hkdf = { name: 'HKDF', hash: 'SHA-256', salt: iv, info: new Uint8Array() }
    const pbkdf2 = { name: 'PBKDF2', hash: 'SHA-512', salt: iv, iterations: 2 }
    const [h, p] = [
      await subtle.importKey('raw', key128, 'HKDF', false, ['deriveBits', 'deriveKey']),
      await subtle.importKey('raw', key128, 'PBKDF2', false, ['deriveBits', 'deriveKey']),
    ]
    return each(
      () => h,
      () => subtle.deriveBits(hkdf, h, 512),
      () => subtle.deriveBits(hkdf, h, 0),
      () => subtle.deriveBits(hkdf, h, 12),
      () => subtle.deriveBits(hkdf, h, null),
      () => subtle.deriveBits(hkdf, h, 255 * 256 + 8),
      () => subtle.deriveBits({ ...hkdf, info: undefined }, h, 8),
      () => subtle.deriveBits({ ...hkdf, hash: 'SHA-1' }, h, 8),
      () => subtle.deriveBits(pbkdf2, p, 1032),
      () => subtle.deriveBits(pbkdf2, p, 0),
      () => subtle.deriveBits(pbkdf2, p, 9),
      () => subtle.deriveBits({ ...pbkdf2, iterations: 0 }, p, 8),
      () => subtle.deriveBits({ ...pbkdf2, iterations: -1 }, p, 8),
      () => subtle.deriveBits(pbkdf2, h, 8),
      () => subtle.importKey('raw', key128, 'HKDF', true, ['deriveBits']),
      () => subtle.importKey('raw', key128, 'PBKDF2', false, ['sign']),
      () => subtle.importKey('raw', key128, 'PBKDF2', false, []),
      () => subtle.importKey('jwk', { kty: 'oct', k: 'AAAA' }, 'PBKDF2', false, ['deriveBits']),
      () => subtle.generateKey('HKDF', false, ['deriveBits']),
      async () => subtle.exportKey('raw', h),
    )
  },
  'derived keys': async web => {
    const subtle = subtleOf(web)
    const hkdf = { name: 'HKDF', hash: 'SHA-256', salt: iv, info: new Uint8Array() }
    const base = await subtle.importKey('raw', key128, 'HKDF', false, ['deriveKey'])
    const derive = (into: any, usages: string[], extractable = true) => subtle.deriveKey(hkdf, base, into, extractable, usages)
    return each(
      async () => subtle.exportKey('raw', await derive({ name: 'AES-GCM', length: 256 }, ['encrypt'])),
      async () => subtle.exportKey('raw', await derive(HS256, ['sign'])),
      async () => subtle.exportKey('raw', await derive({ ...HS256, length: 40 }, ['sign'])),
      () => derive({ name: 'AES-GCM', length: 255 }, ['encrypt']),
      () => derive({ name: 'AES-GCM' }, ['encrypt']),
      () => derive({ name: 'AES-GCM', length: 128 }, []),
      () => derive({ name: 'AES-GCM', length: 128 }, ['sign']),
      () => derive('HKDF', ['deriveBits'], false),
      () => subtle.deriveBits(hkdf, base, 8),
      () => subtle.deriveKey(hkdf, base, HS256, true),
    )
  },
  'keys are wrapped, and unwrapped': async web => {
    const subtle = subtleOf(web)
    const gcm = { name: 'AES-GCM', iv }
    const wrapping = await subtle.importKey('raw', key128, 'AES-GCM', false, ['wrapKey', 'unwrapKey'])
    const kek = await subtle.importKey('raw', key128, 'AES-KW', false, ['wrapKey', 'unwrapKey'])
    const key = await subtle.importKey('raw', fromHex('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff'), HS256, true, ['sign'])
    const kept = await subtle.importKey('raw', key128, HS256, false, ['sign'])
    const odd = await subtle.importKey('raw', key128.subarray(3), HS256, true, ['sign'])
    const wrapped = await subtle.wrapKey('raw', key, wrapping, gcm)
    const byKw = await subtle.wrapKey('raw', key, kek, 'AES-KW')
    const unwrap = (bytes: ArrayBuffer | Uint8Array, by: any, algorithm: any, format = 'raw', extractable = true) =>
      subtle.unwrapKey(format, bytes, by, algorithm, HS256, extractable, ['sign'])
    return each(
      () => wrapped,
      () => byKw,
      async () => subtle.exportKey('raw', await unwrap(wrapped, wrapping, gcm)),
      async () => subtle.exportKey('raw', await unwrap(byKw, kek, 'AES-KW')),
      async () => subtle.exportKey('raw', await unwrap(wrapped, wrapping, gcm, 'raw', false)),
      async () => {
        const jwk = await subtle.wrapKey('jwk', key, wrapping, gcm)
        return subtle.exportKey('raw', await unwrap(jwk, wrapping, gcm, 'jwk'))
      },
      () => subtle.wrapKey('raw', kept, wrapping, gcm),
      () => subtle.wrapKey('raw', odd, kek, 'AES-KW'),
      () => subtle.wrapKey('raw', key, kek, gcm),
      () => subtle.wrapKey('raw', key, wrapping, 'AES-KW'),
      () => subtle.wrapKey('raw', key, wrapping, 'HMAC'),
      () => unwrap(wrapped, wrapping, gcm, 'jwk'),
      () =>
        unwrap(
          new Uint8Array(byKw).map(byte => byte ^ 1),
          kek,
          'AES-KW',
        ),
      () => unwrap(byKw.slice(0, 23), kek, 'AES-KW'),
      () => unwrap(byKw.slice(0, 8), kek, 'AES-KW'),
      () => subtle.encrypt(gcm, wrapping, text('a')),
    )
  },
}
