// routes, parameters, middleware
import { AutoRouter, error, json } from 'itty-router'

export default async say => {
  const router = AutoRouter({ before: [request => void (request.user = 'ann')] })
  router
    .get('/hello/:name?', ({ params, user, query }) => ({ name: params.name ?? user, query }))
    .post('/sum', async request => json({ sum: (await request.json()).reduce((a, b) => a + b, 0) }))
    .get('/no', () => error(403, 'not you'))
  for (const [path, init] of [['/hello/bob?a=1'], ['/hello'], ['/sum', { method: 'POST', body: '[1,2]' }], ['/no'], ['/none']]) {
    const response = await router.fetch(new Request(`http://a.example${path}`, init))
    say([response.status, await response.text()])
  }
}
