// Ed25519, X25519, P-256
import { ed25519, x25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'

const hex = bytes => Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')

export default async say => {
  const secret = new Uint8Array(32).fill(7)
  const message = new TextEncoder().encode('hello')
  const signature = ed25519.sign(message, secret)
  say([hex(signature), ed25519.verify(signature, message, ed25519.getPublicKey(secret))])
  say(hex(x25519.getSharedSecret(secret, x25519.getPublicKey(new Uint8Array(32).fill(9)))))
  const other = p256.sign(message, secret)
  say([hex(other), p256.verify(other, message, p256.getPublicKey(secret))])
}
