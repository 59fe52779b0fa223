/** Forms, and gzip: MB of 10^6 bytes, of what is not compressed. */
import * as ourBodies from '@xen-ts/runtime/web/inject'
import { type Clock, type Row, rowOf } from './measure.ts'

export { ourBodies }

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(text, character => character.charCodeAt(0))
const boundary = 'a-boundary-that-is-long-enough'
const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` }
const part = (head: string, body: string) => `--${boundary}\r\nContent-Disposition: form-data; ${head}\r\n\r\n${body}\r\n`

/** As a picture is: bytes of all values. */
let picture = ''
for (let i = 0, x = 1; i < 1_000_000; i++) {
  x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff
  picture += String.fromCharCode((x >> 16) & 0xff)
}
const upload = bytesOf(`${part('name="f"; filename="f.png"\r\nContent-Type: image/png', picture)}--${boundary}--\r\n`)
const fields = bytesOf(`${Array.from({ length: 20 }, (_, i) => part(`name="field${i}"`, `value ${i}`)).join('')}--${boundary}--\r\n`)

/** As answers of an API are: names again and again, values not. */
let json = ''
for (let i = 0, x = 1; json.length < 300_000; i++) {
  x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff
  json += `{"id":${i},"name":"item ${x % 1000}","price":${(x >> 8) % 10_000},"tags":["a${x % 7}","b${x % 11}"]},\n`
}
const text = bytesOf(json)

async function through(stream: any, bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>[]> {
  const writer = stream.writable.getWriter()
  const writing = writer.write(bytes).then(() => writer.close())
  const reader = stream.readable.getReader()
  const all: Uint8Array<ArrayBuffer>[] = []
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) all.push(piece.value)
  await writing
  return all
}

export async function bodiesRows(clock: Clock, { Response, CompressionStream, DecompressionStream }: any): Promise<Row[]> {
  const packed: number[] = []
  for (const piece of await through(new CompressionStream('gzip'), text)) packed.push(...piece)
  const gzip = Uint8Array.from(packed)
  return [
    await rowOf(clock, 'MB of a file in a multipart form', upload.length / 1e6, () => new Response(upload, { headers }).formData()),
    await rowOf(clock, 'multipart forms of 20 fields', 1, () => new Response(fields, { headers }).formData()),
    await rowOf(clock, `MB by gzip, to ${((100 * gzip.length) / text.length).toFixed(0)} %`, text.length / 1e6, () =>
      through(new CompressionStream('gzip'), text),
    ),
    await rowOf(clock, 'MB by gunzip', text.length / 1e6, () => through(new DecompressionStream('gzip'), gzip)),
  ]
}
