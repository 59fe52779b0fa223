/**
 * Initial sequence numbers (RFC 6528): a clock of 4 microseconds a tick plus a keyed hash of the connection's addresses and ports.
 * Nobody off the path can guess them, and a new incarnation of a connection begins above the old one.
 */
import { HASH_BYTES, HASH_KEY, HASH_MESSAGE, HASH_RESULT, type HostFunctions } from '@xen-ts/runtime/machine'

/** A secret, and hashes that only who has it can make. */
export class KeyedHash {
  readonly #abi: HostFunctions
  readonly #key = new Int32Array(2)

  /** Draws the secret: call this at boot, never for a snapshot. */
  constructor(abi: HostFunctions) {
    this.#abi = abi
    abi.random(new Uint8Array(this.#key.buffer))
  }

  /** 32 bits of both addresses of a connection, as words, its ports, and up to two words more. */
  of(addresses: readonly number[], ports: number, third?: number, fourth?: number): number {
    words[HASH_KEY] = this.#key[0]
    words[HASH_KEY + 1] = this.#key[1]
    let at = HASH_MESSAGE
    for (let i = 0; i < addresses.length; i++) words[at++] = addresses[i]
    words[at++] = ports
    if (third !== undefined) words[at++] = third
    if (fourth !== undefined) words[at++] = fourth
    this.#abi.halfSipHash(record, at - HASH_MESSAGE)
    return words[HASH_RESULT]
  }
}

/** Filled for each hash, and read by the ABI's halfSipHash at once. */
const words = new Int32Array(HASH_BYTES >> 2)
const record = new Uint8Array(words.buffer)

export class InitialSequence {
  readonly #hash: KeyedHash

  constructor(abi: HostFunctions) {
    this.#hash = new KeyedHash(abi)
  }

  /** `now` in milliseconds; `addresses` are both of them as words; ports in host order. */
  next(now: number, addresses: readonly number[], localPort: number, remotePort: number): number {
    return (this.#hash.of(addresses, (localPort << 16) | remotePort) + now * 250) | 0
  }
}
