// SHA-2, SHA-3, BLAKE, HMAC, HKDF, PBKDF2, scrypt
import { blake2b } from '@noble/hashes/blake2.js'
import { blake3 } from '@noble/hashes/blake3.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { pbkdf2 } from '@noble/hashes/pbkdf2.js'
import { scrypt } from '@noble/hashes/scrypt.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { sha3_256 } from '@noble/hashes/sha3.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'

export default async say => {
  const text = utf8ToBytes('abc')
  for (const hash of [sha256, sha512, sha3_256, blake2b, blake3]) say(bytesToHex(hash(text)))
  say(bytesToHex(hmac(sha256, text, text)))
  say(bytesToHex(hkdf(sha256, text, text, text, 32)))
  say(bytesToHex(pbkdf2(sha256, text, text, { c: 10, dkLen: 32 })))
  say(bytesToHex(scrypt(text, text, { N: 16, r: 1, p: 1, dkLen: 32 })))
}
