// routes, parameters, queries, JSON, groups, errors
import { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'

export default async say => {
  const app = new Hono()
  const api = new Hono().basePath('/v1')
  api.get('/posts/:id{[0-9]+}', c => c.json({ id: c.req.param('id'), tags: c.req.queries('tag') }))
  api.post('/posts', async c => c.json({ got: await c.req.json() }, 201))
  app.route('/api', api)
  app.get('/files/*', c => c.text(c.req.path))
  app.get('/old', c => c.redirect('/new', 301))
  app.get('/teapot', () => {
    throw new HTTPException(418, { message: 'short and stout' })
  })
  app.onError((error, c) => c.text(`error: ${error.message}`, error.status ?? 500))
  app.notFound(c => c.text(`nothing at ${c.req.path}`, 404))
  const ask = async (path, init) => {
    const response = await app.request(path, init)
    say([response.status, response.headers.get('content-type'), response.headers.get('location'), await response.text()])
  }
  await ask('/api/v1/posts/7?tag=a&tag=b')
  await ask('/api/v1/posts/x')
  await ask('/api/v1/posts', { method: 'POST', body: JSON.stringify({ a: 1 }), headers: { 'Content-Type': 'application/json' } })
  await ask('/files/a/b.txt')
  await ask('/old')
  await ask('/teapot')
}
