/** By which bytes that a program has at run time are known for a module of its image. All of it is known to the build: this is no protection. */
export function keyOf(bytes: Uint8Array): string {
  const whole = bytes.length >>> 2
  const words = new Uint32Array(whole)
  new Uint8Array(words.buffer).set(bytes.subarray(0, whole * 4))
  let a = 0x811c9dc5,
    b = bytes.length
  for (let i = 0; i < whole; i++) {
    a = Math.imul(a ^ words[i], 0x01000193)
    b = Math.imul((b << 13) | (b >>> 19), 0x85ebca6b) + words[i]
  }
  for (let i = whole * 4; i < bytes.length; i++) a = Math.imul(a ^ bytes[i], 0x01000193)
  return `${bytes.length}:${a >>> 0}:${b >>> 0}`
}
