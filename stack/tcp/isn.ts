/**
 * Initial sequence numbers (RFC 6528): a clock of 4 microseconds a tick plus a keyed hash of the connection's addresses and ports.
 * Nobody off the path can guess them, and a new incarnation of a connection begins above the old one.
 */
import type { HostFunctions } from '@xen-ts/runtime/machine'

export class InitialSequence {
  readonly #key = new Int32Array(2)

  /** Draws the secret: call this at boot, never for a snapshot. */
  constructor(abi: HostFunctions) {
    abi.random(new Uint8Array(this.#key.buffer))
  }

  /** `now` in milliseconds; `addresses` are both of them as words; ports in host order. */
  next(now: number, addresses: readonly number[], localPort: number, remotePort: number): number {
    return (halfSipHash(this.#key[0], this.#key[1], [...addresses, (localPort << 16) | remotePort]) + now * 250) | 0
  }
}

/** HalfSipHash-2-4 (Aumasson and Bernstein) of a message of words, 32 bits of result. */
export function halfSipHash(k0: number, k1: number, message: readonly number[]): number {
  let v0 = k0
  let v1 = k1
  let v2 = k0 ^ 0x6c796765
  let v3 = k1 ^ 0x74656462
  const round = (): void => {
    v0 = (v0 + v1) | 0
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
    v0 = (v0 << 16) | (v0 >>> 16)
    v2 = (v2 + v3) | 0
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
    v0 = (v0 + v3) | 0
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
    v2 = (v2 + v1) | 0
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
    v2 = (v2 << 16) | (v2 >>> 16)
  }
  const { length } = message
  for (let i = 0; i <= length; i++) {
    const word = i < length ? message[i] : (length * 4) << 24 // the last word ends with the length of the message in bytes
    v3 ^= word
    round()
    round()
    v0 ^= word
  }
  v2 ^= 0xff
  for (let i = 0; i < 4; i++) round()
  return v1 ^ v3
}
