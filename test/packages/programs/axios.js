// requests with interceptors and errors, by the adapter for fetch
import axios from 'axios'

export default async say => {
  const fetch = async input => {
    const request = input instanceof Request ? input : new Request(input)
    const sent = request.method === 'GET' ? null : await request.text()
    return new Response(JSON.stringify({ url: request.url, method: request.method, sent }), {
      status: request.url.endsWith('/none') ? 404 : 200,
      headers: { 'Content-Type': 'application/json' },
    })
  }
  const api = axios.create({ baseURL: 'http://a.example', adapter: 'fetch', env: { fetch, Request, Response } })
  api.interceptors.request.use(config => {
    config.headers.set('x-a', 'b')
    return config
  })
  say((await api.get('/one', { params: { q: 'x y', list: [1, 2] } })).data)
  say((await api.post('/two', { a: 1 })).data)
  say(await api.get('/none').catch(error => [error.name, error.code, error.response?.status]))
}
