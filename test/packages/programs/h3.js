// routes, bodies, queries, errors
import {
  createApp,
  createError,
  createRouter,
  defineEventHandler,
  getQuery,
  getRouterParam,
  readBody,
  setResponseStatus,
  toWebHandler,
} from 'h3'

export default async say => {
  const app = createApp()
  const router = createRouter()
  router.get(
    '/hello/:name',
    defineEventHandler(event => ({ hello: getRouterParam(event, 'name'), query: getQuery(event) })),
  )
  router.post(
    '/body',
    defineEventHandler(async event => {
      setResponseStatus(event, 201)
      return readBody(event)
    }),
  )
  router.get(
    '/no',
    defineEventHandler(() => {
      throw createError({ statusCode: 418, statusMessage: 'teapot' })
    }),
  )
  app.use(router)
  const handle = toWebHandler(app)
  for (const [path, init] of [
    ['/hello/ann?a=1'],
    ['/body', { method: 'POST', body: '{"a":1}', headers: { 'Content-Type': 'application/json' } }],
    ['/no'],
    ['/none'],
  ]) {
    const response = await handle(new Request(`http://a.example${path}`, init))
    say([response.status, (await response.text()).slice(0, 80)])
  }
}
