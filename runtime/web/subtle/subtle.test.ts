import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import test from 'ava'
import { Crypto } from '../crypto.ts'
import { asInNode, outcome, type Scenarios } from '../testing.ts'
import { allAlgorithms } from './all.ts'
import { linkSubtle } from './link.ts'
import { subtleScenarios } from './subtle.cases.ts'
import { vectors } from './vectors.cases.ts'

linkSubtle(allAlgorithms)
const own = new Crypto({ random: into => void globalThis.crypto.getRandomValues(into as Uint8Array<ArrayBuffer>) }) as any

const HS256 = { name: 'HMAC', hash: 'SHA-256' }

asInNode(test, subtleScenarios, { crypto: own })

for (const { from, expected, notInNode, run } of vectors) {
  test(`as printed: ${from}`, async t => {
    if (notInNode === undefined) t.deepEqual(await run(globalThis.crypto.subtle), expected, 'in Node')
    t.deepEqual(await run(own.subtle), expected)
  })
}

/** Where Node does something else than the specification says. */
const beyondNode: Scenarios = {
  'bytes are no JSON Web Key (importKey, step 6)': ({ crypto }) =>
    crypto.subtle.importKey('jwk', new Uint8Array(16), HS256, false, ['sign']),
  'a key of HMAC cannot be derived with a length of 0 (get key length)': async ({ crypto: { subtle } }) => {
    const hkdf = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: new Uint8Array() }
    const base = await subtle.importKey('raw', new Uint8Array(16), 'HKDF', false, ['deriveKey'])
    return subtle.deriveKey(hkdf, base, { ...HS256, length: 0 }, true, ['sign'])
  },
}
for (const [name, run] of Object.entries(beyondNode))
  test(name, async t => t.deepEqual(await outcome(run, { crypto: own }), { thrown: 'TypeError' }))

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
  ['NotSupportedError', /^keys of RSA-PSS are not made here, .*import it$/, subtle => subtle.generateKey('RSA-PSS', true, ['sign'])],
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
