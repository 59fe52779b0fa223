/** crypto.subtle: MB of 10^6 bytes, and operations. */
import { wholeCrypto } from '@xen-ts/runtime/web/subtle'
import { type Clock, type Row, rowOf } from './measure.ts'

/** Randomness is not what is measured, and this is none. */
let state = 1
function random(into: Uint8Array): void {
  for (let i = 0; i < into.length; i++) into[i] = state = (state * 48271) % 0x7fffffff
}

export const ourSubtle = (): any => wholeCrypto({ random: into => random(into as Uint8Array) }).subtle

const SIZE = 100_000
const data = Uint8Array.from({ length: SIZE }, (_, i) => i * 7)
const small = data.subarray(0, 100)
const key = data.subarray(0, 16)

export async function cryptoRows(clock: Clock, subtle: any): Promise<Row[]> {
  const hmac = await subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  const aes = (name: string) => subtle.importKey('raw', key, name, false, ['encrypt', 'decrypt'])
  const [gcm, cbc, ctr] = [await aes('AES-GCM'), await aes('AES-CBC'), await aes('AES-CTR')]
  const password = await subtle.importKey('raw', small, 'PBKDF2', false, ['deriveBits'])
  const curve = (namedCurve: string) => subtle.generateKey({ name: 'ECDSA', namedCurve }, false, ['sign', 'verify'])
  const [p256, p384, ed] = [await curve('P-256'), await curve('P-384'), await subtle.generateKey('Ed25519', false, ['sign', 'verify'])]
  const x = await subtle.generateKey('X25519', false, ['deriveBits'])
  const megabytes = (title: string, work: () => Promise<unknown>) => rowOf(clock, `MB of ${title}`, SIZE / 1e6, work)
  const pairs = async (title: string, algorithm: any, { privateKey, publicKey }: any): Promise<Row[]> => {
    const signature = await subtle.sign(algorithm, privateKey, small)
    return [
      await rowOf(clock, `signatures by ${title}`, 1, () => subtle.sign(algorithm, privateKey, small)),
      await rowOf(clock, `${title} verified`, 1, () => subtle.verify(algorithm, publicKey, signature, small)),
    ]
  }
  const ecdsa = { name: 'ECDSA', hash: 'SHA-256' }
  return [
    await megabytes('SHA-1', () => subtle.digest('SHA-1', data)),
    await megabytes('SHA-256', () => subtle.digest('SHA-256', data)),
    await megabytes('SHA-512', () => subtle.digest('SHA-512', data)),
    await megabytes('AES-GCM', () => subtle.encrypt({ name: 'AES-GCM', iv: data.subarray(0, 12) }, gcm, data)),
    await megabytes('AES-CBC', () => subtle.encrypt({ name: 'AES-CBC', iv: key }, cbc, data)),
    await megabytes('AES-CTR', () => subtle.encrypt({ name: 'AES-CTR', counter: key, length: 64 }, ctr, data)),
    await rowOf(clock, 'HMAC-SHA-256 of 100 bytes', 1, () => subtle.sign('HMAC', hmac, small)),
    await rowOf(clock, 'iterations of PBKDF2 with SHA-256', 1000, () =>
      subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: key, iterations: 1000 }, password, 256),
    ),
    ...(await pairs('ECDSA P-256', ecdsa, p256)),
    ...(await pairs('ECDSA P-384', ecdsa, p384)),
    ...(await pairs('Ed25519', 'Ed25519', ed)),
    await rowOf(clock, 'secrets by X25519', 1, () => subtle.deriveBits({ name: 'X25519', public: x.publicKey }, x.privateKey, 256)),
  ]
}
