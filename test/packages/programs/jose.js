// JWT: HS256, ES256, EdDSA; JWE; JWK
import { base64url, CompactEncrypt, compactDecrypt, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose'

export default async say => {
  const secret = new TextEncoder().encode('a secret of 32 bytes or even more')
  const token = await new SignJWT({ role: 'admin' })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('ann')
    .setIssuedAt(1700000000)
    .sign(secret)
  say(token)
  say((await jwtVerify(token, secret)).payload)
  say(await jwtVerify(`${token.slice(0, -2)}AA`, secret).catch(error => error.code))
  for (const alg of ['ES256', 'EdDSA']) {
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
    const signed = await new SignJWT({ a: 1 }).setProtectedHeader({ alg }).sign(privateKey)
    say([alg, (await jwtVerify(signed, publicKey)).payload, Object.keys(await exportJWK(publicKey)).sort()])
  }
  const jwe = await new CompactEncrypt(new TextEncoder().encode('hidden'))
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
    .encrypt(secret.slice(0, 32))
  say(new TextDecoder().decode((await compactDecrypt(jwe, secret.slice(0, 32))).plaintext))
  say(base64url.encode('ab?'))
}
