/** Puts `subtle` on crypto, with the algorithms that a program names: names.ts says which, and imports this. */
import { Crypto } from '../crypto.ts'
import { expose } from '../expose.ts'
import { type Algorithm, register } from './algorithms.ts'
import { CryptoKey } from './key.ts'
import { randomFrom } from './random.ts'
import { makeSubtle, SubtleCrypto } from './subtle.ts'

export function linkSubtle(algorithms: readonly (readonly Algorithm[])[]): void {
  register(algorithms.flat())
  // By name and tag they are what the platform has, named by the program or not.
  expose({}, { Crypto, CryptoKey, SubtleCrypto })
  const { getRandomValues } = Crypto.prototype
  let made: SubtleCrypto | undefined
  const { subtle } = Object.getOwnPropertyDescriptors({
    get subtle(): SubtleCrypto {
      if (!((this as unknown) instanceof Crypto)) throw new TypeError('subtle: this is not crypto')
      if (made === undefined) {
        randomFrom(bytes => getRandomValues.call(this, bytes))
        made = makeSubtle()
      }
      return made
    },
  })
  Object.defineProperty(Crypto.prototype, 'subtle', subtle)
}
