/** Programs and packages that use crypto.subtle, bundled as the tool does and run in the guest's engine. */
import { symlinkSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { buildFolder, bundleFolder, folderOf, program } from './testing.ts'

/** A folder in which the packages of this repository can be imported. */
function withPackages(t: ExecutionContext, app: string): string {
  const root = folderOf(t, { 'app.ts': app })
  symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), `${root}/node_modules`)
  return root
}

/** What the program says, one a line. */
async function said(t: ExecutionContext, app: string): Promise<string[]> {
  const { output, warnings } = await buildFolder(withPackages(t, app))
  // They use more than that, which may be missing.
  t.notRegex(warnings.join('\n'), /crypto/i)
  return output
    .split('\n')
    .slice(0, -1)
    .map(line => line.replace(/^.*?\] /, ''))
}

const KEY = JSON.stringify({
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
  d: 'jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI',
})

test('hono: basic-auth lets the right ones in, etag knows what it sent, jwt takes what is signed', async t => {
  const app = program(
    `const app = new Hono()
app.use('/auth/*', basicAuth({ username: 'me', password: 'pass' }))
app.get('/auth/page', c => c.text('in'))
app.use('/etag/*', etag())
app.get('/etag/page', c => c.text('some text'))
app.use('/jwt/*', jwt({ secret: 'a secret', alg: 'HS256' }))
app.get('/jwt/page', c => c.json(c.get('jwtPayload')))
const asks = async (path: string, headers = {}) => app.request(path, { headers })
const show = async (response: Response) => say(response.status + ' ' + await response.text())
await show(await asks('/auth/page', { authorization: 'Basic ' + btoa('me:pass') }))
await show(await asks('/auth/page', { authorization: 'Basic ' + btoa('me:past') }))
await show(await asks('/auth/page'))
const first = await asks('/etag/page')
say(first.headers.get('etag'))
say((await asks('/etag/page', { 'if-none-match': first.headers.get('etag') })).status)
const token = await sign({ sub: 'me', exp: 4000000000 }, 'a secret', 'HS256')
await show(await asks('/jwt/page', { authorization: 'Bearer ' + token }))
await show(await asks('/jwt/page', { authorization: 'Bearer ' + token.slice(0, -2) }))
await show(await asks('/jwt/page', { authorization: 'Bearer ' + await sign({ sub: 'me' }, 'another', 'HS256') }))
const own = ${KEY}
const es = await sign({ sub: 'me' }, { ...own, alg: 'ES256' }, 'ES256')
say(JSON.stringify(await verify(es, { kty: own.kty, crv: own.crv, x: own.x, y: own.y, alg: 'ES256' }, 'ES256')))`,
    `import { Hono } from 'hono'
import { basicAuth } from 'hono/basic-auth'
import { etag } from 'hono/etag'
import { jwt, sign, verify } from 'hono/jwt'`,
  )
  t.deepEqual(await said(t, app), [
    '200 in',
    '401 Unauthorized',
    '401 Unauthorized',
    '"37aa63c77398d954473262e1a0057c1e632eda77"',
    '304',
    '200 {"sub":"me","exp":4000000000}',
    '401 Unauthorized',
    '401 Unauthorized',
    '{"sub":"me"}',
  ])
})

test('jose: tokens are signed and verified, encrypted and decrypted, keys made and exported', async t => {
  const app = program(
    `const secret = new TextEncoder().encode('0123456789abcdef0123456789abcdef')
const hs = await new SignJWT({ a: 1 }).setProtectedHeader({ alg: 'HS256' }).setIssuer('me').setExpirationTime('2h').sign(secret)
say(JSON.stringify((await jwtVerify(hs, secret, { issuer: 'me' })).payload.a))
await jwtVerify(hs + 'x', secret).catch(error => say(error.code))
for (const alg of ['ES256', 'EdDSA']) {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  const token = await new SignJWT({ alg }).setProtectedHeader({ alg }).sign(privateKey)
  const again = await importSPKI(await exportSPKI(publicKey), alg)
  say((await jwtVerify(token, again)).payload.alg)
}
const es = await importJWK(${KEY}, 'ES256')
const set = createLocalJWKSet({ keys: [{ ...${KEY}, d: undefined, alg: 'ES256' }] })
say((await jwtVerify(await new SignJWT({ b: 2 }).setProtectedHeader({ alg: 'ES256' }).sign(es), set)).payload.b)
for (const [alg, enc] of [['dir', 'A256GCM'], ['A256KW', 'A128CBC-HS256'], ['PBES2-HS256+A128KW', 'A128GCM']]) {
  const jwe = await new CompactEncrypt(new TextEncoder().encode(alg)).setProtectedHeader({ alg, enc }).setKeyManagementParameters({ p2c: 1000 }).encrypt(secret)
  say(new TextDecoder().decode((await compactDecrypt(jwe, secret, { keyManagementAlgorithms: [alg] })).plaintext))
}
const { publicKey, privateKey } = await generateKeyPair('ECDH-ES', { crv: 'X25519' })
const jwe = await new CompactEncrypt(secret).setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM' }).encrypt(publicKey)
say((await compactDecrypt(jwe, privateKey)).plaintext.length)
await generateKeyPair('RS256').catch(error => say(error.name))`,
    `import { CompactEncrypt, compactDecrypt, createLocalJWKSet, exportSPKI, generateKeyPair, importJWK, importSPKI, jwtVerify, SignJWT } from 'jose'`,
  )
  t.deepEqual(await said(t, app), [
    '1',
    'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
    'ES256',
    'EdDSA',
    '2',
    'dir',
    'A256KW',
    'PBES2-HS256+A128KW',
    '32',
    'NotSupportedError',
  ])
})

test('an image has the algorithms that its program names, and no others', async t => {
  const { code } = await bundleFolder(folderOf(t, { 'app.ts': program(`say(await crypto.subtle.digest('SHA-256', new Uint8Array()))`) }))
  t.regex(code, /"SHA-256"|'SHA-256'/)
  t.notRegex(code, /AES-GCM: |weierstrass|SHA512_IV|RSAES/)
  const without = await bundleFolder(folderOf(t, { 'app.ts': program(`say(crypto.randomUUID())`) }))
  t.notRegex(without.code, /SubtleCrypto|SHA-256/)
})

test('it is found by any name of crypto, and its classes are those that programs see', async t => {
  const app = program(`const bytes = new Uint8Array(1)
const { subtle } = crypto
const { crypto: own } = globalThis
const hash = async (one: any) => new Uint8Array(await one.digest('SHA-256', bytes)).subarray(0, 4).join('.')
say([await hash(subtle), await hash(own['subtle']), await hash(self.crypto?.subtle), subtle === own.subtle])
const key = await subtle.importKey('raw', bytes, 'HKDF', false, ['deriveBits'])
say([key instanceof CryptoKey, subtle instanceof SubtleCrypto, crypto instanceof Crypto, CryptoKey.name, 'CryptoKey' in globalThis])
const copy = structuredClone(key)
say([copy !== key, copy instanceof CryptoKey, copy.extractable, copy.usages])`)
  t.deepEqual(await said(t, app), [
    '110.52.11.156,110.52.11.156,110.52.11.156,true',
    'true,true,true,CryptoKey,true',
    'true,true,false,deriveBits',
  ])
})

test('one that the image does not have says what to do', async t => {
  const app = program(`say(await crypto.subtle.digest('SHA-256', new Uint8Array()).then(bytes => bytes.byteLength))
await crypto.subtle.digest(['SHA', 1].join('-'), new Uint8Array()).catch((error: Error) => say(error))`)
  const [bytes, error] = await said(t, app)
  t.is(bytes, '32')
  t.regex(error, /^NotSupportedError: SHA-1 is not in this image, .*: write 'SHA-1' in the program, and build it again/)
})

test('keys that are larger than any arithmetic are refused before it begins', async t => {
  const app = program(`const RSA = { name: 'RSA-PSS', hash: 'SHA-256' }
const take = (jwk: object, usages: string[]) => crypto.subtle.importKey('jwk', { kty: 'RSA', ...jwk }, RSA, true, usages).catch((error: Error) => say(error.name))
const huge = 'f'.repeat(400_000)
await take({ n: huge, e: 'AQAB' }, ['verify'])
await take({ n: 'oQEB', e: huge }, ['verify'])
await take({ n: 'oQEB', e: 'Aw', d: huge, p: huge, q: huge, dp: huge, dq: huge, qi: huge }, ['sign'])`)
  t.deepEqual(await said(t, app), ['NotSupportedError', 'NotSupportedError', 'DataError'])
})
