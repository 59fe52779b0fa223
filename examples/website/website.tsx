/** The routes. What they need from outside is given: tests give their own. */
import { type Context, Hono } from 'hono'
import type { HtmlEscapedString } from 'hono/utils/html'
import { upgradeWebSocket } from 'xen-ts'
import { api } from './api.ts'
import { Board } from './board.ts'
import { events } from './events.ts'
import { feed } from './feed.ts'
import { FrontPage } from './pages/front-page.tsx'
import { NotFoundPage } from './pages/not-found-page.tsx'
import { PostPage } from './pages/post-page.tsx'
import { posts } from './posts.build.ts'

export interface WebsiteOptions {
  /** What the front page says. */
  greeting: string
  /** The answer with a file; undefined when there is none of that path. */
  file(request: Request): Response | undefined
}

export function website({ greeting, file }: WebsiteOptions): Hono {
  const board = new Board()
  const app = new Hono()

  app.get('/', c => page(c, <FrontPage greeting={greeting} posts={posts} messages={board.messages} />))
  app.get('/posts/:slug', c => {
    const post = posts.find(({ slug }) => slug === c.req.param('slug'))
    return post === undefined ? c.notFound() : page(c, <PostPage post={post} />)
  })
  app.get('/greeting', c => c.text(`${greeting} from ${c.req.header('host')}\n`))
  app.get('/feed.xml', c => c.body(feed(new URL(c.req.url).origin, posts), 200, { 'content-type': 'application/atom+xml; charset=utf-8' }))
  app.route('/api', api(board))
  app.get('/events', c => events(c, board))
  app.get(
    '/echo',
    upgradeWebSocket(() => ({ onMessage: ({ data }, ws) => ws.send(data) })),
    c => c.text('this is for WebSockets\n', 426, { upgrade: 'websocket' }),
  )

  app.notFound(c => file(c.req.raw) ?? page(c, <NotFoundPage greeting={greeting} path={c.req.path} />, 404))
  return app
}

/** hono's own renderer writes no line end after the document type, and people look at the first line. */
async function page(c: Context, content: HtmlEscapedString | Promise<HtmlEscapedString>, status: 200 | 404 = 200): Promise<Response> {
  return c.html(`<!DOCTYPE html>\n${await content}\n`, status)
}
