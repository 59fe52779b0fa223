/** The website by `app.request`: no network, no Xen. Node does not read JSX; esbuild translates it. */
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { transformSync } from 'esbuild'
import { posts } from './posts.build.ts'

registerHooks({
  load(url, context, next) {
    if (!url.endsWith('.tsx')) return next(url, context)
    const source = readFileSync(fileURLToPath(url), 'utf8')
    const { code } = transformSync(source, { loader: 'tsx', jsx: 'automatic', jsxImportSource: 'hono/jsx', sourcemap: 'inline' })
    return { format: 'module', source: code, shortCircuit: true }
  },
})
const { website } = await import('./website.tsx')

const site = () =>
  website({
    greeting: 'Good <day>',
    file: request => (new URL(request.url).pathname === '/style.css' ? new Response('body {}') : undefined),
  })
const say = (text: unknown) => ({ method: 'POST', body: JSON.stringify({ text }), headers: { 'content-type': 'application/json' } })

test('the front page: document type on a line of its own, greeting escaped, a link to each post', async t => {
  const answer = await site().request('/')
  t.is(answer.status, 200)
  t.is(answer.headers.get('content-type'), 'text/html; charset=UTF-8')
  const text = await answer.text()
  t.is(text.split('\n')[0], '<!DOCTYPE html>')
  t.true(text.includes('<h1>Good &lt;day&gt;</h1>'))
  for (const { slug, title } of posts) t.true(text.includes(`<a href="/posts/${slug}">${title}</a>`))
})

test('posts are the Markdown files as HTML, the newest first', async t => {
  t.true(posts.length > 1)
  t.deepEqual(
    posts.map(({ date }) => date),
    posts.map(({ date }) => date).sort((a, b) => (a < b ? 1 : -1)),
  )
  const text = await (await site().request('/posts/written-in-markdown')).text()
  t.true(text.includes('<h1>Written in Markdown</h1>'))
  t.true(text.includes('<em>as data</em>'))
  t.true(text.includes('Text with &lt; and &amp; and &quot;quotes&quot;'))
})

test('what is not there: a page that says so, in HTML without holes, and 404; files come before it', async t => {
  for (const path of ['/posts/none', '/no/<b>']) {
    const answer = await site().request(path)
    t.is(answer.status, 404)
    t.notRegex(await answer.text(), /<b>/)
  }
  t.is(await (await site().request('/style.css')).text(), 'body {}')
  t.is(await (await site().request('/greeting', { headers: { host: 'here' } })).text(), 'Good <day> from here\n')
})

test('the feed has an entry for each post, with absolute addresses', async t => {
  const answer = await site().request('http://www.example.org/feed.xml')
  t.is(answer.headers.get('content-type'), 'application/atom+xml; charset=utf-8')
  const text = await answer.text()
  t.deepEqual(
    [...text.matchAll(/<id>http:\/\/www\.example\.org\/posts\/(.*)<\/id>/g)].map(([, slug]) => slug),
    posts.map(({ slug }) => slug),
  )
  t.is(text.match(/<updated>2026-11-30T00:00:00Z<\/updated>/g)?.length, 2)
  t.notRegex(text, /<p>|<h2>/)
})

test('the API: posts, messages, and errors as JSON', async t => {
  const app = site()
  const list = (await (await app.request('/api/posts')).json()) as { slug: string; html?: string }[]
  t.deepEqual(
    list.map(({ slug, html }) => [slug, html]),
    posts.map(({ slug }) => [slug, undefined]),
  )
  t.deepEqual(await (await app.request(`/api/posts/${posts[0].slug}`)).json(), posts[0])
  const written = await app.request('/api/messages', say('first'))
  t.deepEqual([written.status, await written.json()], [201, { id: 1, text: 'first' }])
  t.deepEqual(await (await app.request('/api/messages')).json(), [{ id: 1, text: 'first' }])
  for (const [path, init, status] of [
    ['/api/posts/none', {}, 404],
    ['/api/nothing', {}, 404],
    ['/api/messages', { method: 'DELETE' }, 404],
    ['/api/messages', { method: 'POST', body: '{' }, 400],
    ['/api/messages', { method: 'POST', body: 'null' }, 422],
    ['/api/messages', say(' '), 422],
    ['/api/messages', say('x'.repeat(201)), 422],
    ['/api/messages', say(7), 422],
  ] as const) {
    const answer = await app.request(path, init)
    t.is(answer.status, status, path)
    t.is(typeof ((await answer.json()) as { error: string }).error, 'string')
  }
})

test('of many messages the last 50 are kept, and the page shows them as text', async t => {
  const app = site()
  for (let i = 0; i < 60; i++) await app.request('/api/messages', say(`<i>${i}`))
  const messages = (await (await app.request('/api/messages')).json()) as { id: number }[]
  t.deepEqual([messages.length, messages[0].id, messages.at(-1)!.id], [50, 11, 60])
  const text = await (await app.request('/')).text()
  t.true(text.includes('<li>&lt;i&gt;59</li>') && !text.includes('<i>'))
})

test('events: how long it is up, then each message; they end when the reader leaves', async t => {
  const app = site()
  const leaving = new AbortController()
  const answer = await app.request('/events', { signal: leaving.signal })
  t.is(answer.headers.get('content-type'), 'text/event-stream')
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
  t.regex((await reader.read()).value!, /^event: uptime\ndata: \d+\n\n$/)
  await app.request('/api/messages', say('to all'))
  t.is((await reader.read()).value, 'event: message\ndata: {"id":1,"text":"to all"}\nid: 1\n\n')
  leaving.abort()
  t.true((await reader.read()).done)
})

test('a reader that takes nothing is left behind', async t => {
  const app = site()
  const answer = await app.request('/events')
  for (let i = 0; i < 200; i++) await app.request('/api/messages', say('more'))
  const got = (await answer.text()).match(/^event: message$/gm)?.length ?? 0
  t.true(got < 100, `${got}`)
})

test('who asks for the WebSocket without being one is told', async t => {
  const answer = await site().request('/echo')
  t.deepEqual([answer.status, answer.headers.get('upgrade')], [426, 'websocket'])
})
