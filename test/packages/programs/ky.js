// requests with retries, hooks and errors, by a fetch of the program
import ky from 'ky'

export default async say => {
  let tries = 0
  const fetch = async request => {
    const { pathname, search } = new URL(request.url)
    if (pathname === '/flaky' && ++tries < 2) return new Response('busy', { status: 503 })
    if (pathname === '/none') return new Response('none', { status: 404 })
    const sent = request.method === 'GET' ? null : await request.text()
    return Response.json({ path: pathname + search, method: request.method, sent, header: request.headers.get('x-a') })
  }
  const api = ky.create({ fetch, headers: { 'x-a': 'b' }, retry: { limit: 2, delay: () => 5 }, hooks: { beforeRequest: [() => {}] } })
  say(await api.get('http://a.example/one', { searchParams: { q: 'x y' } }).json())
  say(await api.post('http://a.example/two', { json: { a: 1 } }).json())
  say([(await api('http://a.example/flaky').json()).path, tries])
  say(await api('http://a.example/none').catch(error => [error.name, error.response.status]))
}
