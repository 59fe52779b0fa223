// cors, etag, secure-headers, logger, pretty-json, body-limit, powered-by, trailing-slash, csrf, method-override, timeout, request-id, ip-restriction, language
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { some } from 'hono/combine'
import { cors } from 'hono/cors'
import { csrf } from 'hono/csrf'
import { languageDetector } from 'hono/language'
import { logger } from 'hono/logger'
import { poweredBy } from 'hono/powered-by'
import { prettyJSON } from 'hono/pretty-json'
import { requestId } from 'hono/request-id'
import { secureHeaders } from 'hono/secure-headers'
import { timeout } from 'hono/timeout'
import { trimTrailingSlash } from 'hono/trailing-slash'

export default async say => {
  const app = new Hono({ strict: true })
  app.use(logger(line => say(line.replace(/\x1b\[\d+m/g, '').replace(/\d+m?s$/, 'TIME'))))
  app.use(trimTrailingSlash(), poweredBy(), prettyJSON(), secureHeaders())
  app.use('/api/*', cors({ origin: ['https://a.example'], allowMethods: ['GET', 'PUT'], maxAge: 60 }))
  app.use('/form', csrf({ origin: 'https://a.example' }))
  app.use('/big', bodyLimit({ maxSize: 4, onError: c => c.text('too much', 413) }))
  app.use('/slow', timeout(20))
  app.use('/id', requestId({ generator: () => 'one' }))
  app.use('/lang', languageDetector({ supportedLanguages: ['en', 'de'], fallbackLanguage: 'en', order: ['header'], caches: false }))
  app.use(
    '/some',
    some(
      async c => c.text('first'),
      async c => c.text('second'),
    ),
  )
  app.get('/api/one', c => c.json({ one: 1 }))
  app.post('/form', c => c.text('taken'))
  app.post('/big', async c => c.text(`${(await c.req.text()).length}`))
  app.get('/slow', async c => {
    await new Promise(resolve => setTimeout(resolve, 500))
    return c.text('late')
  })
  app.get('/id', c => c.text(c.get('requestId')))
  app.get('/lang', c => c.text(c.get('language')))
  const ask = async (path, init) => {
    const response = await app.request(path, init)
    say([response.status, [...response.headers].filter(([name]) => !/^content-security|^date/.test(name)), await response.text()])
  }
  await ask('/api/one?pretty')
  await ask('/api/one/', { headers: { Origin: 'https://a.example' } })
  await ask('/api/one', { method: 'OPTIONS', headers: { Origin: 'https://a.example', 'Access-Control-Request-Method': 'PUT' } })
  const form = { method: 'POST', body: 'a=1' }
  await ask('/form', { ...form, headers: { Origin: 'https://evil.example', 'Content-Type': 'application/x-www-form-urlencoded' } })
  await ask('/form', { ...form, headers: { Origin: 'https://a.example', 'Content-Type': 'application/x-www-form-urlencoded' } })
  await ask('/big', { method: 'POST', body: 'abc', headers: { 'Content-Length': '3' } })
  await ask('/big', { method: 'POST', body: 'abcdefgh', headers: { 'Content-Length': '8' } })
  await ask('/slow')
  await ask('/id')
  await ask('/lang', { headers: { 'Accept-Language': 'fr;q=0.9, de;q=0.8' } })
  await ask('/some')
}
