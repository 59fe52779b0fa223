// CBOR: encode, decode, tags
import { decode, encode } from 'cborg'

export default async say => {
  const bytes = encode({ a: [1, -2, 1.5, 2 ** 40], b: 'ä', c: null, d: new Uint8Array([1, 2]) })
  say([Array.from(bytes), decode(bytes)])
  say([decode(encode(new Map([['k', [true]]])), { useMaps: true }).get('k')])
  try {
    decode(new Uint8Array([0x61]))
  } catch (error) {
    say(error.message)
  }
}
