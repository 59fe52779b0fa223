/**
 * Keys on the curves of NIST, of ECDSA and ECDH: https://w3c.github.io/webcrypto/#ecdsa , #ecdh . As bytes they are what SEC 1 says (a point,
 * uncompressed), RFC 5480 (spki), RFC 5915 in PKCS #8, and RFC 7518 section 6.2 (JSON Web Keys).
 */
import { p256, p384, p521 } from '@noble/curves/nist.js'
import { type Algorithm, asText, type KeyFormat, type Members } from './algorithms.ts'
import { areEqual, type Bytes } from './bytes.ts'
import {
  BIT_STRING,
  CONTEXT_0,
  CONTEXT_1,
  DerReader,
  element,
  hex,
  type Identifier,
  integer,
  OCTET_STRING,
  oidParameter,
  readPkcs8,
  readSpki,
  SEQUENCE,
  writePkcs8,
  writeSpki,
} from './der.ts'
import { badData, notSupported } from './errors.ts'
import { checkAlg, checkJwk, type JsonWebKey, jwkBytes, writeJwk, wrong } from './jwk.ts'
import { type CryptoKey, checkType, checkUsages, type KeyUsage, makeKey, slotsOf } from './key.ts'
import { randomBytes } from './random.ts'
import { noFormat } from './secret.ts'

export interface Curve {
  readonly name: string
  readonly curve: typeof p256
  /** Bytes of a coordinate, and of a private key. */
  readonly bytes: number
  /** Its object identifier. */
  readonly oid: string
  /** `alg` of a key for ECDSA. */
  readonly alg: string
}

const curves: readonly Curve[] = [
  { name: 'P-256', curve: p256, bytes: 32, oid: '2a8648ce3d030107', alg: 'ES256' },
  { name: 'P-384', curve: p384, bytes: 48, oid: '2b81040022', alg: 'ES384' },
  { name: 'P-521', curve: p521, bytes: 66, oid: '2b81040023', alg: 'ES512' },
]
const EC_PUBLIC_KEY = '2a8648ce3d0201'

export interface EcMaterial {
  readonly curve: Curve
  /** Uncompressed. */
  readonly point: Bytes
  /** The private key. */
  readonly d?: Bytes
}

export interface EcKind {
  readonly name: 'ECDSA' | 'ECDH'
  readonly use: 'sig' | 'enc'
  readonly publicUsages: readonly KeyUsage[]
  readonly privateUsages: readonly KeyUsage[]
}

function curveOf(members: Members): Curve {
  const name = members.required('namedCurve', asText)
  const curve = curves.find(each => each.name === name)
  if (curve === undefined) throw notSupported(`there is no curve ${name}; there are ${curves.map(each => each.name).join(', ')}`)
  return curve
}

const identifierOf = (curve: Curve): Identifier => ({ oid: EC_PUBLIC_KEY, parameters: oidParameter(curve.oid) })

/** @throws DataError for what is no point of the curve */
function pointOf({ curve, name }: Curve, bytes: Uint8Array): Bytes {
  try {
    const point = curve.Point.fromBytes(bytes)
    point.assertValidity()
    return point.toBytes(false) as Bytes
  } catch {
    throw badData(`the key is no point on ${name}`)
  }
}

/** @param point what the key says its public key is */
function privateOf(curve: Curve, d: Uint8Array, point?: Uint8Array): EcMaterial {
  if (d.length !== curve.bytes || !curve.curve.utils.isValidSecretKey(d)) throw badData(`the key is no private key of ${curve.name}`)
  const own = curve.curve.getPublicKey(d, false) as Bytes
  if (point !== undefined && !areEqual(pointOf(curve, point), own)) throw badData('the public key is not the one of the private key')
  return { curve, point: own, d: d.slice() as Bytes }
}

function checkIdentifier(key: Identifier, curve: Curve): void {
  const { oid, parameters } = identifierOf(curve)
  if (key.oid !== oid || key.parameters !== parameters) throw badData(`the key is not one of ${curve.name}`)
}

/** RFC 5915 section 3. */
function readEcPrivateKey(curve: Curve, bytes: Uint8Array): EcMaterial {
  const outer = new DerReader(bytes)
  const key = outer.enter(SEQUENCE)
  outer.end()
  if (hex(key.integer()) !== '01') throw badData('the key is of a version that is not known')
  const d = key.take(OCTET_STRING)
  if (key.nextIs(CONTEXT_0) && hex(key.take(CONTEXT_0)) !== oidParameter(curve.oid)) throw badData(`the key is not one of ${curve.name}`)
  let point: Uint8Array | undefined
  if (key.nextIs(CONTEXT_1)) {
    const inner = key.enter(CONTEXT_1)
    point = inner.bits()
    inner.end()
  }
  key.end()
  return privateOf(curve, d, point)
}

const writeEcPrivateKey = ({ d, point }: EcMaterial): Bytes =>
  element(SEQUENCE, integer(Uint8Array.of(1)), element(OCTET_STRING, d!), element(CONTEXT_1, element(BIT_STRING, Uint8Array.of(0), point)))

function readEcJwk(curve: Curve, jwk: JsonWebKey, kind: EcKind): EcMaterial {
  if (jwk.crv !== curve.name) throw wrong('crv', `must be ${curve.name}, not ${jwk.crv}`)
  if (kind.name === 'ECDSA') checkAlg(jwk, curve.alg)
  const [x, y] = [jwkBytes(jwk, 'x', curve.bytes), jwkBytes(jwk, 'y', curve.bytes)]
  const point = pointOf(curve, Uint8Array.of(4, ...x, ...y))
  return jwk.d === undefined ? { curve, point } : privateOf(curve, jwkBytes(jwk, 'd', curve.bytes), point)
}

function read(format: KeyFormat, data: Bytes | JsonWebKey, curve: Curve, kind: EcKind): EcMaterial {
  switch (format) {
    case 'raw':
      return { curve, point: pointOf(curve, data as Bytes) }
    case 'spki': {
      const info = readSpki(data as Bytes)
      checkIdentifier(info, curve)
      return { curve, point: pointOf(curve, info.key) }
    }
    case 'pkcs8': {
      const info = readPkcs8(data as Bytes)
      checkIdentifier(info, curve)
      return readEcPrivateKey(curve, info.key)
    }
    case 'jwk':
      return readEcJwk(curve, data as JsonWebKey, kind)
  }
}

/** What ECDSA and ECDH have in common: their keys. */
export function ec(kind: EcKind, rest: Omit<Algorithm, 'name'>): Algorithm {
  const { name, publicUsages, privateUsages } = kind
  const keyOf = (material: EcMaterial, extractable: boolean, usages: readonly KeyUsage[]): CryptoKey =>
    makeKey({
      type: material.d === undefined ? 'public' : 'private',
      extractable,
      algorithm: { name, namedCurve: material.curve.name },
      usages,
      material,
    })
  return {
    name,
    ...rest,

    generateKey: members => {
      const curve = curveOf(members)
      return (extractable, usages) => {
        checkUsages(usages, [...publicUsages, ...privateUsages], `a pair of keys of ${name}`)
        const seed = randomBytes(curve.curve.lengths.seed!)
        const d = curve.curve.utils.randomSecretKey(seed) as Bytes
        const point = curve.curve.getPublicKey(d, false) as Bytes
        return {
          publicKey: keyOf(
            { curve, point },
            true,
            usages.filter(usage => publicUsages.includes(usage)),
          ),
          privateKey: keyOf(
            { curve, point, d },
            extractable,
            usages.filter(usage => privateUsages.includes(usage)),
          ),
        }
      }
    },

    importKey: members => {
      const curve = curveOf(members)
      return (format, data, extractable, usages) => {
        const isPrivate = format === 'pkcs8' || (format === 'jwk' && (data as JsonWebKey).d !== undefined)
        checkUsages(usages, isPrivate ? privateUsages : publicUsages, `a ${isPrivate ? 'private' : 'public'} key of ${name}`)
        if (format === 'jwk') checkJwk(data as JsonWebKey, { kty: 'EC', use: kind.use, extractable, usages })
        return keyOf(read(format, data, curve, kind), extractable, usages)
      }
    },

    exportKey: (format, key) => {
      const { material } = slotsOf<EcMaterial>(key)
      const { curve, point, d } = material
      switch (format) {
        case 'raw':
          checkType(key, 'public', 'format raw')
          return point.slice()
        case 'spki':
          checkType(key, 'public', 'format spki')
          return writeSpki({ ...identifierOf(curve), key: point })
        case 'pkcs8':
          checkType(key, 'private', 'format pkcs8')
          return writePkcs8({ ...identifierOf(curve), key: writeEcPrivateKey(material) })
        case 'jwk': {
          const [x, y] = [point.subarray(1, 1 + curve.bytes), point.subarray(1 + curve.bytes)]
          return writeJwk(key, { kty: 'EC', crv: curve.name, x, y, d })
        }
        default:
          throw noFormat(name, format)
      }
    },
  }
}
