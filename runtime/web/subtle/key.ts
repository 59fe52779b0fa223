/** CryptoKey: https://w3c.github.io/webcrypto/#cryptokey-interface . What is in one only the algorithms see, by `slotsOf`. */
import { serializable } from '../clonable.ts'
import { badUsages, invalidAccess } from './errors.ts'

/** In the order of the specification, in which keys have them. */
export const usageNames = ['encrypt', 'decrypt', 'sign', 'verify', 'deriveKey', 'deriveBits', 'wrapKey', 'unwrapKey'] as const
export type KeyUsage = (typeof usageNames)[number]
type KeyType = 'public' | 'private' | 'secret'

/** What a key is for. */
export interface KeyAlgorithm {
  readonly name: string
  readonly hash?: { readonly name: string }
  /** Bits. */
  readonly length?: number
  readonly namedCurve?: string
  readonly modulusLength?: number
  readonly publicExponent?: Uint8Array
}

/** The internal slots of a key: nothing that a program does to its key changes them. */
export interface Slots<Material = unknown> {
  readonly type: KeyType
  readonly extractable: boolean
  readonly algorithm: KeyAlgorithm
  readonly usages: readonly KeyUsage[]
  readonly material: Material
}

export interface CryptoKeyPair {
  readonly publicKey: CryptoKey
  readonly privateKey: CryptoKey
}

/** Nobody but this module has it: nobody else can make a key. */
const token = {}

/** @throws TypeError for what is no key */
export let slotsOf: <Material = any>(key: CryptoKey) => Slots<Material>
export let isKey: (value: unknown) => value is CryptoKey

export class CryptoKey {
  readonly #slots: Slots
  /** What programs see of the slots, made when they look: the same object each time. */
  #algorithm: object | undefined
  #usages: KeyUsage[] | undefined

  static {
    slotsOf = key => key.#slots as Slots<any>
    isKey = (value): value is CryptoKey => typeof value === 'object' && value !== null && #slots in value
    serializable.set(CryptoKey.prototype, (key: CryptoKey) => new CryptoKey(token, key.#slots))
  }

  /** With defaults, so that its length is 0. */
  constructor(mine: unknown = undefined, slots: Slots | undefined = undefined) {
    if (mine !== token || slots === undefined)
      throw new TypeError('CryptoKey: keys are made by generateKey, importKey, deriveKey and unwrapKey of crypto.subtle')
    this.#slots = slots
  }

  get type(): KeyType {
    return this.#slots.type
  }
  get extractable(): boolean {
    return this.#slots.extractable
  }
  get algorithm(): object {
    return (this.#algorithm ??= copied(this.#slots.algorithm))
  }
  get usages(): readonly KeyUsage[] {
    return (this.#usages ??= [...this.#slots.usages])
  }
}

export const makeKey = (slots: Slots): CryptoKey =>
  new CryptoKey(token, { ...slots, usages: usageNames.filter(usage => slots.usages.includes(usage)) })

function copied({ hash, publicExponent, ...others }: KeyAlgorithm): object {
  return {
    ...others,
    ...(publicExponent === undefined ? {} : { publicExponent: publicExponent.slice() }),
    ...(hash === undefined ? {} : { hash: { name: hash.name } }),
  }
}

/** @throws SyntaxError when a key of this kind cannot have one of the usages */
export function checkUsages(usages: readonly KeyUsage[], possible: readonly KeyUsage[], what: string): void {
  const wrong = usages.find(usage => !possible.includes(usage))
  if (wrong === undefined) return
  throw badUsages(`${what} cannot have the usage ${wrong}: ${possible.length === 0 ? 'it has none' : `it has ${possible.join(', ')}`}`)
}

/** @throws InvalidAccessError */
export function checkType(key: CryptoKey, type: KeyType, to: string): void {
  const { type: is, algorithm } = slotsOf(key)
  if (is !== type) throw invalidAccess(`${algorithm.name}: ${to} takes a ${type} key, and this one is ${is}`)
}
