// encode, decode, extensions
import { decode, decodeMulti, Encoder, ExtensionCodec, encode } from '@msgpack/msgpack'

export default async say => {
  const bytes = encode({ a: [1, -2, 1.5, 2 ** 40], b: 'ä', c: null, d: new Uint8Array([1, 2]), e: new Date(0) })
  say([Array.from(bytes.subarray(0, 12)), decode(bytes)])
  const codec = new ExtensionCodec()
  codec.register({ type: 0, encode: value => (value instanceof Set ? encode([...value]) : null), decode: data => new Set(decode(data)) })
  say([...decode(encode(new Set([1, 2]), { extensionCodec: codec }), { extensionCodec: codec })])
  say([...decodeMulti(new Uint8Array([1, 0xc3]))])
  say(new Encoder().encode('x').length)
}
