/** The JSON API. */
import { type Context, Hono } from 'hono'
import { type Board, LONGEST_MESSAGE } from './board.ts'
import { posts } from './posts.build.ts'

export function api(board: Board): Hono {
  const app = new Hono()
  app.get('/posts', c => c.json(posts.map(({ slug, title, date, summary }) => ({ slug, title, date, summary }))))
  app.get('/posts/:slug', c => {
    const post = posts.find(({ slug }) => slug === c.req.param('slug'))
    return post === undefined ? wrong(c, 404, 'there is no such post') : c.json(post)
  })
  app.get('/messages', c => c.json(board.messages))
  app.post('/messages', async c => {
    let text: unknown
    try {
      text = (await c.req.json())?.text
    } catch {
      return wrong(c, 400, 'the body is not JSON')
    }
    if (typeof text !== 'string' || text.trim() === '' || text.length > LONGEST_MESSAGE)
      return wrong(c, 422, `text must be a string of 1 to ${LONGEST_MESSAGE} characters`)
    return c.json(board.write(text), 201)
  })
  app.all('*', c => wrong(c, 404, `there is no ${c.req.method} ${c.req.path}`))
  return app
}

const wrong = (c: Context, status: 400 | 404 | 422, error: string) => c.json({ error }, status)
