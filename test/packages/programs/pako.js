// deflate, inflate, gzip
import * as pako from 'pako'

export default async say => {
  const packed = pako.deflate('hello '.repeat(500))
  say([packed.length < 100, pako.inflate(packed, { to: 'string' }).length, pako.ungzip(pako.gzip('x'), { to: 'string' })])
  try {
    pako.inflate(new Uint8Array([1, 2, 3]))
  } catch (error) {
    say(String(error))
  }
}
