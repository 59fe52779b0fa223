/** Randomness for keys: the kernel's function, whatever a program does to its global object. */
import type { Bytes } from './bytes.ts'

/** The most that getRandomValues gives at once (bytes). */
const PIECE = 65536

let fill: ((bytes: Uint8Array) => unknown) | undefined

export const randomFrom = (source: (bytes: Uint8Array) => unknown): void => {
  fill = source
}

export function randomBytes(length: number): Bytes {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at += PIECE) fill!(bytes.subarray(at, at + PIECE))
  return bytes
}
