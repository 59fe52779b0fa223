// compress: a page that gzip makes smaller, read back
import { Hono } from 'hono'
import { compress } from 'hono/compress'

export default async say => {
  const app = new Hono().use(compress()).get('/', c => c.text('hello '.repeat(1000)))
  const response = await app.request('/', { headers: { 'Accept-Encoding': 'gzip' } })
  say([response.status, response.headers.get('content-encoding')])
  const bytes = await response.clone().arrayBuffer()
  say(bytes.byteLength < 200)
  const text = await new Response(response.body.pipeThrough(new DecompressionStream('gzip'))).text()
  say(text.length)
}
