// jsx, html and css helpers, jsx-renderer, cookies, validator, streaming, the typed client
import { Hono } from 'hono'
import { hc } from 'hono/client'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { html, raw } from 'hono/html'
import { jsx } from 'hono/jsx'
import { jsxRenderer } from 'hono/jsx-renderer'
import { stream, streamSSE, streamText } from 'hono/streaming'
import { validator } from 'hono/validator'

export default async say => {
  const app = new Hono()
  const Layout = ({ title, children }) => jsx('html', {}, jsx('title', {}, title), jsx('body', {}, children))
  app.get('/page', c => c.html(jsx(Layout, { title: 'A & B' }, jsx('p', { class: 'x' }, '<hello>')).toString()))
  app.use(
    '/rendered',
    jsxRenderer(({ children }) => jsx('main', {}, children)),
  )
  app.get('/rendered', c => c.render(jsx('i', {}, 'in')))
  app.get('/html', c => c.html(html`<b>${'<x>'}</b>${raw('<hr>')}`))
  app.get('/cookie', c => {
    setCookie(c, 'seen', 'yes', { path: '/', httpOnly: true, maxAge: 60, sameSite: 'Lax' })
    deleteCookie(c, 'old')
    return c.json(getCookie(c))
  })
  app.post(
    '/valid',
    validator('json', (value, c) => (typeof value.n === 'number' ? value : c.text('n?', 400))),
    c => c.json(c.req.valid('json')),
  )
  app.get('/stream', c => stream(c, async s => void (await s.write(new Uint8Array([104, 105])))))
  app.get('/text', c =>
    streamText(c, async s => {
      for (const word of ['one', 'two']) {
        await s.writeln(word)
        await s.sleep(10)
      }
    }),
  )
  app.get('/events', c => streamSSE(c, async s => void (await s.writeSSE({ event: 'tick', id: '1', data: 'a\nb' }))))
  const json = { 'Content-Type': 'application/json' }
  for (const [path, init] of [
    ['/page'],
    ['/rendered'],
    ['/html'],
    ['/cookie', { headers: { Cookie: 'a=1; b=%20' } }],
    ['/valid', { method: 'POST', body: '{"n":1}', headers: json }],
    ['/valid', { method: 'POST', body: '{}', headers: json }],
    ['/stream'],
    ['/text'],
    ['/events'],
  ]) {
    const response = await app.request(path, init)
    say([path, response.status, response.headers.getSetCookie(), await response.text()])
  }
  const client = hc('http://localhost', { fetch: app.request })
  say(await (await client.page.$get()).text())
}
