// etag: the tag of a body, and 304 to who has it
import { Hono } from 'hono'
import { etag } from 'hono/etag'

export default async say => {
  const app = new Hono().use(etag()).get('/', c => c.text('hello'))
  const first = await app.request('/')
  const tag = first.headers.get('etag')
  const second = await app.request('/', { headers: { 'If-None-Match': tag } })
  say([first.status, tag, await first.text(), second.status, await second.text()])
}
