/** What standards print as examples: each must come out, with our crypto.subtle and with Node's. */
import { fromHex, hexOf, text } from './testing.ts'

export interface Vector {
  readonly from: string
  readonly expected: unknown
  /** Why Node's cannot do this. */
  readonly notInNode?: string
  readonly run: (subtle: any) => Promise<unknown>
}

const digest = (name: string, expected: string, message: Uint8Array = text('abc')): Vector => ({
  from: `FIPS 180-4, ${name} of ${message.length} bytes`,
  expected,
  run: async subtle => hexOf(await subtle.digest(name, message)),
})

const hmac = (example: number, hash: string, key: Uint8Array, message: string, expected: string): Vector => ({
  from: `RFC 4231 section 4.${example + 1}, ${hash}`,
  expected,
  run: async subtle => {
    const own = await subtle.importKey('raw', key, { name: 'HMAC', hash }, false, ['sign', 'verify'])
    const code = await subtle.sign('HMAC', own, text(message))
    if (!(await subtle.verify('HMAC', own, code, text(message)))) throw new Error('it does not verify')
    return hexOf(code)
  },
})

const bits = (from: string, algorithm: any, secret: Uint8Array, expected: string): Vector => ({
  from,
  expected,
  run: async subtle => {
    const key = await subtle.importKey('raw', secret, algorithm.name, false, ['deriveBits'])
    return hexOf(await subtle.deriveBits(algorithm, key, expected.length * 4))
  },
})

const pbkdf2 = (from: string, hash: string, [password, salt]: [string, string], iterations: number, expected: string): Vector =>
  bits(from, { name: 'PBKDF2', hash, salt: text(salt), iterations }, text(password), expected)

const cipher = (from: string, algorithm: any, key: string, plain: string, expected: string): Vector => ({
  from,
  expected,
  run: async subtle => {
    const own = await subtle.importKey('raw', fromHex(key), algorithm.name, false, ['encrypt', 'decrypt'])
    const sealed = await subtle.encrypt(algorithm, own, fromHex(plain))
    if (hexOf(await subtle.decrypt(algorithm, own, sealed)) !== plain) throw new Error('it does not decrypt')
    return hexOf(sealed).slice(0, expected.length)
  },
})

const GCM_TEXT = 'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39'
const GCM_KEY = 'feffe9928665731c6d6a8f9467308308'
const additionalData = fromHex('feedfacedeadbeeffeedfacedeadbeefabaddad2')
const AES_KEY = '2b7e151628aed2a6abf7158809cf4f3c'
const AES_TEXT = '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51'

const verified = (from: string, algorithm: any, format: string, key: unknown, signature: Uint8Array, message: Uint8Array): Vector => ({
  from,
  expected: [true, false],
  run: async subtle => {
    const own = await subtle.importKey(format, key, algorithm, false, ['verify'])
    const wrong = Uint8Array.from(message, byte => byte ^ 1)
    return [await subtle.verify(algorithm, own, signature, message), await subtle.verify(algorithm, own, signature, wrong)]
  },
})

const PAYLOAD = 'eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ'
const fromUrl = (base64: string): Uint8Array =>
  Uint8Array.from(atob(base64.replaceAll('-', '+').replaceAll('_', '/')), character => character.charCodeAt(0))

/** RFC 8032 section 7.1, test 2. */
const ed25519 = {
  d: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
  x: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
  signature:
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
}
/** What stands before a private key of 32 bytes in PKCS #8: RFC 8410 section 7. */
const pkcs8 = (oid: string, key: string): Uint8Array => fromHex(`302e020100300506032b65${oid}04220420${key}`)

export const vectors: readonly Vector[] = [
  digest('SHA-1', 'a9993e364706816aba3e25717850c26c9cd0d89d'),
  digest('SHA-256', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'),
  digest('SHA-256', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', text('')),
  digest(
    'SHA-256',
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    text('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq'),
  ),
  digest('SHA-384', 'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7'),
  digest(
    'SHA-512',
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
  ),
  hmac(1, 'SHA-256', new Uint8Array(20).fill(0x0b), 'Hi There', 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'),
  hmac(
    1,
    'SHA-512',
    new Uint8Array(20).fill(0x0b),
    'Hi There',
    '87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854',
  ),
  hmac(2, 'SHA-256', text('Jefe'), 'what do ya want for nothing?', '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843'),
  hmac(
    6,
    'SHA-256',
    new Uint8Array(131).fill(0xaa),
    'Test Using Larger Than Block-Size Key - Hash Key First',
    '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  ),
  bits(
    'RFC 5869 appendix A.1',
    { name: 'HKDF', hash: 'SHA-256', salt: fromHex('000102030405060708090a0b0c'), info: fromHex('f0f1f2f3f4f5f6f7f8f9') },
    new Uint8Array(22).fill(0x0b),
    '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
  ),
  pbkdf2('RFC 6070, 1 iteration', 'SHA-1', ['password', 'salt'], 1, '0c60c80f961f0e71f3a9b524af6012062fe037a6'),
  pbkdf2('RFC 6070, 4096 iterations', 'SHA-1', ['password', 'salt'], 4096, '4b007901b765489abead49d926f721d065a429c1'),
  pbkdf2(
    'RFC 7914 section 11',
    'SHA-256',
    ['passwd', 'salt'],
    1,
    '55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbcbca9cccca9cccf179b645991664b39d77ef317c71b845b1e30bd509112041d3a19783'.slice(
      0,
      64,
    ),
  ),
  cipher(
    'the specification of GCM, test case 4',
    { name: 'AES-GCM', iv: fromHex('cafebabefacedbaddecaf888'), additionalData },
    GCM_KEY,
    GCM_TEXT,
    '42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091' +
      '5bc94fbc3221a5db94fae95ae7121a47',
  ),
  {
    ...cipher(
      'the specification of GCM, test case 5: an iv of 8 bytes',
      { name: 'AES-GCM', iv: fromHex('cafebabefacedbad'), additionalData },
      GCM_KEY,
      GCM_TEXT,
      '61353b4c2806934a777ff51fa22a4755699b2a714fcdc6f83766e5f97b6c742373806900e49f24b22b097544d4896b424989b5e1ebac0f07c23f4598' +
        '3612d2e79e3b0785561be14aaca2fccb',
    ),
    notInNode: 'it takes no iv of less than 12 bytes',
  },
  cipher(
    'the specification of GCM, test case 4, with a tag of 96 bits',
    { name: 'AES-GCM', iv: fromHex('cafebabefacedbaddecaf888'), additionalData, tagLength: 96 },
    GCM_KEY,
    GCM_TEXT,
    '42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091' +
      '5bc94fbc3221a5db94fae95a',
  ),
  cipher(
    'NIST SP 800-38A, F.2.1',
    { name: 'AES-CBC', iv: fromHex('000102030405060708090a0b0c0d0e0f') },
    AES_KEY,
    AES_TEXT,
    '7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2',
  ),
  cipher(
    'NIST SP 800-38A, F.5.1',
    { name: 'AES-CTR', counter: fromHex('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff'), length: 64 },
    AES_KEY,
    AES_TEXT,
    '874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff',
  ),
  {
    from: 'RFC 3394 section 4.1',
    expected: '1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5',
    run: async subtle => {
      const kek = await subtle.importKey('raw', fromHex('000102030405060708090a0b0c0d0e0f'), 'AES-KW', false, ['wrapKey', 'unwrapKey'])
      const key = await subtle.importKey('raw', fromHex('00112233445566778899aabbccddeeff'), 'AES-GCM', true, ['encrypt'])
      const wrapped = await subtle.wrapKey('raw', key, kek, 'AES-KW')
      const again = await subtle.unwrapKey('raw', wrapped, kek, 'AES-KW', 'AES-GCM', true, ['encrypt'])
      if (hexOf(await subtle.exportKey('raw', again)) !== '00112233445566778899aabbccddeeff') throw new Error('it does not unwrap')
      return hexOf(wrapped)
    },
  },
  {
    from: 'RFC 7515 appendix A.1: HS256',
    expected: true,
    run: async subtle => {
      const k = 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow'
      const key = await subtle.importKey('jwk', { kty: 'oct', k }, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify'])
      const signature = fromUrl('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk')
      return subtle.verify('HMAC', key, signature, text(`eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.${PAYLOAD}`))
    },
  },
  verified(
    'RFC 7515 appendix A.2: RS256',
    { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
    'jwk',
    {
      kty: 'RSA',
      e: 'AQAB',
      n:
        'ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMs' +
        'D1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdV' +
        'MTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ',
    },
    fromUrl(
      'cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQ' +
        'jbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqt' +
        'FZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw',
    ),
    text(`eyJhbGciOiJSUzI1NiJ9.${PAYLOAD}`),
  ),
  verified(
    'RFC 7515 appendix A.3: ES256',
    { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
    'jwk',
    {
      kty: 'EC',
      crv: 'P-256',
      x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
      y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
    },
    fromUrl('DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q'),
    text(`eyJhbGciOiJFUzI1NiJ9.${PAYLOAD}`),
  ),
  verified(
    'RFC 6979 appendix A.2.5: P-256 with SHA-256',
    { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
    'raw',
    fromHex(
      '0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299',
    ),
    fromHex(
      'efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8',
    ),
    text('sample'),
  ),
  verified(
    'RFC 8032 section 7.1, test 2, verified',
    { name: 'Ed25519' },
    'raw',
    fromHex(ed25519.x),
    fromHex(ed25519.signature),
    fromHex('72'),
  ),
  {
    from: 'RFC 8032 section 7.1, test 2, signed',
    expected: ed25519.signature,
    run: async subtle => {
      const key = await subtle.importKey('pkcs8', pkcs8('70', ed25519.d), 'Ed25519', false, ['sign'])
      return hexOf(await subtle.sign('Ed25519', key, fromHex('72')))
    },
  },
  {
    from: 'RFC 7748 section 6.1',
    expected: '4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742',
    run: async subtle => {
      const bob = await subtle.importKey(
        'pkcs8',
        pkcs8('6e', '5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb'),
        'X25519',
        false,
        ['deriveBits'],
      )
      const alice = fromHex('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a')
      const publicKey = await subtle.importKey('raw', alice, 'X25519', true, [])
      return hexOf(await subtle.deriveBits({ name: 'X25519', public: publicKey }, bob, 256))
    },
  },
]
