/**
 * AES, FIPS 197: AES-GCM, AES-CBC, AES-CTR and AES-KW, https://w3c.github.io/webcrypto/#aes-gcm and what follows there. The cipher itself is
 * loaded when it is used first: its tables are larger than all its code, and are made in milliseconds.
 */
import { type Algorithm, asBytes, asOctet, asShort, type Members } from './algorithms.ts'
import { areEqual, type Bytes, join } from './bytes.ts'
import { badData, failed, notSupported } from './errors.ts'
import { type CryptoKey, checkUsages, type KeyUsage, makeKey, slotsOf } from './key.ts'
import { randomBytes } from './random.ts'
import { exportSecret, importSecret } from './secret.ts'

const BLOCK = 16

const noble = () => import('./aes-cipher.ts')

const secretOf = (key: CryptoKey): Bytes => slotsOf<Bytes>(key).material

/** What the package throws becomes an OperationError. */
function orFail<T>(work: () => T, message: string): T {
  try {
    return work()
  } catch (cause) {
    throw failed(`${message}: ${(cause as Error).message}`)
  }
}

const isLength = (bits: number): boolean => bits === 128 || bits === 192 || bits === 256

/** Of AES-KW, RFC 7518 writes A128KW; of the others it has GCM, and the specification the rest. */
const algOf = (mode: string, bits: number): string => `A${bits}${mode}`

/** What all modes have in common. */
function aes(mode: 'GCM' | 'CBC' | 'CTR' | 'KW', usable: readonly KeyUsage[], rest: Omit<Algorithm, 'name'>): Algorithm {
  const name = `AES-${mode}`
  const what = `a key of ${name}`
  const keyOf = (material: Bytes, extractable: boolean, usages: readonly KeyUsage[]): CryptoKey =>
    makeKey({ type: 'secret', extractable, algorithm: { name, length: material.length * 8 }, usages, material })
  const lengthOf = (members: Members): number => members.required('length', asShort)
  const badLength = (bits: number): string => `${name}: a key must have 128, 192 or 256 bits, not ${bits}`
  return {
    name,
    ...rest,
    generateKey: members => {
      const length = lengthOf(members)
      return (extractable, usages) => {
        checkUsages(usages, usable, what)
        if (!isLength(length)) throw failed(badLength(length))
        return keyOf(randomBytes(length / 8), extractable, usages)
      }
    },
    importKey: () => (format, data, extractable, usages) => {
      checkUsages(usages, usable, what)
      const alg = (key: Bytes): string => algOf(mode, key.length * 8)
      const bytes = importSecret(format, data, { algorithm: name, alg, use: 'enc', extractable, usages })
      if (!isLength(bytes.length * 8)) throw badData(badLength(bytes.length * 8))
      return keyOf(bytes, extractable, usages)
    },
    exportKey: (format, key) => exportSecret(format, key, algOf(mode, secretOf(key).length * 8)),
    keyLength: members => {
      const length = lengthOf(members)
      if (!isLength(length)) throw failed(badLength(length))
      return () => length
    },
  }
}

const forData: readonly KeyUsage[] = ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey']

/** Bits that the tag of AES-GCM may have: NIST SP 800-38D section 5.2.1.2, and the two short ones of appendix C. */
const tagLengths = [32, 64, 96, 104, 112, 120, 128]
/** Of the package, and bytes of a tag as the algorithm makes it. */
const TAG = 16

function gcmParameters(members: Members) {
  const iv = members.required('iv', asBytes)
  const additional = members.optional('additionalData', asBytes)
  const tagLength = members.optional('tagLength', asOctet) ?? 128
  return { iv, additional, tagLength }
}

/** Bytes that the package takes at least, and how many there should be. */
const LEAST_IV = 8
const BEST_IV = 12

async function gcm(key: CryptoKey, { iv, additional, tagLength }: ReturnType<typeof gcmParameters>) {
  if (!tagLengths.includes(tagLength)) throw failed(`AES-GCM: tagLength must be one of ${tagLengths.join(', ')}, not ${tagLength}`)
  if (iv.length === 0) throw failed('AES-GCM: iv has no bytes')
  if (iv.length < LEAST_IV) throw notSupported(`AES-GCM: an iv of less than ${LEAST_IV} bytes is not taken; take ${BEST_IV}`)
  const module = await noble()
  return { cipher: () => module.gcm(secretOf(key), iv, additional), tagBytes: tagLength / 8 }
}

const aesGcm = aes('GCM', forData, {
  encrypt: members => {
    const parameters = gcmParameters(members)
    return async (key, data) => {
      const { cipher, tagBytes } = await gcm(key, parameters)
      const sealed = orFail(() => cipher().encrypt(data), 'AES-GCM')
      return sealed.subarray(0, sealed.length - TAG + tagBytes)
    }
  },
  decrypt: members => {
    const parameters = gcmParameters(members)
    return async (key, data) => {
      const { cipher, tagBytes } = await gcm(key, parameters)
      if (data.length < tagBytes) throw failed(`AES-GCM: there are ${data.length} bytes, and the tag alone has ${tagBytes}`)
      if (tagBytes === TAG) return orFail(() => cipher().decrypt(data), 'AES-GCM')
      // The package checks whole tags only. The cipher is its own inverse, so encryption gives the text, and once more the tag.
      const [sealed, tag] = [data.subarray(0, -tagBytes), data.subarray(-tagBytes)]
      const text = orFail(() => cipher().encrypt(sealed).slice(0, sealed.length), 'AES-GCM')
      const whole = cipher().encrypt(text).subarray(sealed.length)
      if (!areEqual(whole.subarray(0, tagBytes), tag)) throw failed('AES-GCM: the tag is wrong')
      return text
    }
  },
})

function cbcIv(members: Members): Bytes {
  const iv = members.required('iv', asBytes)
  if (iv.length !== BLOCK) throw failed(`AES-CBC: iv must have ${BLOCK} bytes, not ${iv.length}`)
  return iv
}

const aesCbc = aes('CBC', forData, {
  encrypt: members => {
    const iv = cbcIv(members)
    return async (key, data) => (await noble()).cbc(secretOf(key), iv).encrypt(data)
  },
  decrypt: members => {
    const iv = cbcIv(members)
    return async (key, data) => {
      if (data.length === 0 || data.length % BLOCK !== 0) throw failed(`AES-CBC: the bytes are no whole blocks of ${BLOCK}: ${data.length}`)
      const { cbc } = await noble()
      return orFail(() => cbc(secretOf(key), iv).decrypt(data), 'AES-CBC')
    }
  },
})

/**
 * Encrypts, and decrypts: the last `length` bits of the counter count, and begin again at 0 without a carry into what stands before them
 * (NIST SP 800-38A appendix B.1). The package counts in all 128, so where they begin again it is told so.
 */
const counted = (members: Members) => {
  const counter = members.required('counter', asBytes)
  const length = members.required('length', asOctet)
  return async (key: CryptoKey, data: Bytes): Promise<Uint8Array> => {
    if (counter.length !== BLOCK) throw failed(`AES-CTR: counter must have ${BLOCK} bytes, not ${counter.length}`)
    if (length < 1 || length > 128) throw failed(`AES-CTR: length must be 1 to 128 bits, not ${length}`)
    const blocks = BigInt(Math.ceil(data.length / BLOCK))
    const period = 1n << BigInt(length)
    if (blocks > period) throw failed(`AES-CTR: with ${length} bits there are not enough counters for ${data.length} bytes`)
    const { ctr } = await noble()
    const first = counter.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
    const left = period - (first % period)
    if (blocks <= left) return ctr(secretOf(key), counter).encrypt(data)
    const again = new Uint8Array(BLOCK)
    for (let [i, rest] = [BLOCK - 1, first - (first % period)]; i >= 0; i--, rest >>= 8n) again[i] = Number(rest & 0xffn)
    const at = Number(left) * BLOCK
    return join(ctr(secretOf(key), counter).encrypt(data.slice(0, at)), ctr(secretOf(key), again).encrypt(data.slice(at)))
  }
}

const aesCtr = aes('CTR', forData, { encrypt: counted, decrypt: counted })

/** RFC 3394. */
const aesKw = aes('KW', ['wrapKey', 'unwrapKey'], {
  wrapKey: () => async (key, data) => {
    if (data.length % 8 !== 0) throw failed(`AES-KW: what is wrapped must have a multiple of 8 bytes, not ${data.length}`)
    const { aeskw } = await noble()
    return orFail(() => aeskw(secretOf(key)).encrypt(data), 'AES-KW')
  },
  unwrapKey: () => async (key, data) => {
    const { aeskw } = await noble()
    return orFail(() => aeskw(secretOf(key)).decrypt(data), 'AES-KW')
  },
})

export const algorithms: readonly Algorithm[] = [aesGcm, aesCbc, aesCtr, aesKw]
