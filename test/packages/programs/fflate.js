// gzip, zip, streams of deflate
import { Deflate, gunzipSync, gzipSync, Inflate, strFromU8, strToU8, unzipSync, zipSync } from 'fflate'

export default async say => {
  const text = strToU8('hello '.repeat(500))
  const packed = gzipSync(text, { mtime: 0 })
  say([packed.length < 100, strFromU8(gunzipSync(packed)).length])
  const files = unzipSync(zipSync({ 'a.txt': strToU8('one'), dir: { 'b.txt': strToU8('two') } }))
  say(Object.entries(files).map(([name, bytes]) => [name, strFromU8(bytes)]))
  let sum = 0
  const inflate = new Inflate(chunk => (sum += chunk.length))
  const deflate = new Deflate((chunk, last) => inflate.push(chunk, last))
  deflate.push(text)
  deflate.push(text, true)
  say(sum)
}
