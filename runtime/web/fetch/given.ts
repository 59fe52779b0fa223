/** Bytes that nobody changes any more: the body of a Request or Response is made of them without a copy. */
const given = new WeakSet<Uint8Array>()

/** Says that `bytes` are never changed from now on; returns them. */
export function give<T extends Uint8Array>(bytes: T): T {
  given.add(bytes)
  return bytes
}

export const isGiven = (bytes: Uint8Array): boolean => given.has(bytes)
