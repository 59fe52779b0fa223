// AES-GCM, XChaCha20-Poly1305
import { gcm } from '@noble/ciphers/aes.js'
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'

const hex = bytes => Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')

export default async say => {
  const key = new Uint8Array(32).fill(1)
  const text = new TextEncoder().encode('hello')
  const aes = gcm(key, new Uint8Array(12).fill(2)).encrypt(text)
  say([hex(aes), hex(gcm(key, new Uint8Array(12).fill(2)).decrypt(aes))])
  const chacha = xchacha20poly1305(key, new Uint8Array(24).fill(3))
  say(hex(chacha.encrypt(text)))
  try {
    chacha.decrypt(new Uint8Array(21))
  } catch (error) {
    say(error.message)
  }
}
