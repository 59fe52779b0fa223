// boxes and signatures
import nacl from 'tweetnacl'

export default async say => {
  const seed = new Uint8Array(32).fill(5)
  const keys = nacl.sign.keyPair.fromSeed(seed)
  const signature = nacl.sign.detached(new Uint8Array([1, 2]), keys.secretKey)
  say([Array.from(signature.subarray(0, 8)), nacl.sign.detached.verify(new Uint8Array([1, 2]), signature, keys.publicKey)])
  const box = nacl.secretbox(new Uint8Array([3]), new Uint8Array(24), seed)
  say([Array.from(box), Array.from(nacl.secretbox.open(box, new Uint8Array(24), seed))])
  say(nacl.randomBytes(8).length)
}
