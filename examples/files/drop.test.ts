/** The drop box by `app.request`: no network, no Xen. */
import test from 'ava'
import { drop, LARGEST } from './drop.ts'

const box = () => drop({ password: 'pass', secret: 'a secret' })
const basic = (password: string) => ({ authorization: `Basic ${btoa(`me:${password}`)}` })
const me = basic('pass')

function form(name: string, ...parts: (string | Uint8Array<ArrayBuffer>)[]): FormData {
  const data = new FormData()
  data.append('file', new File(parts, name))
  return data
}

test('only who knows the password sees the list, gets a token and puts files in', async t => {
  const app = box()
  for (const path of ['/', '/token']) {
    t.is((await app.request(path)).status, 401)
    t.is((await app.request(path, { headers: basic('past') })).status, 401)
    t.is((await app.request(path, { headers: me })).status, 200)
  }
  t.is((await app.request('/', { method: 'POST', body: form('a', 'text') })).status, 401)
})

test('a file that was sent is in the list, and comes back for a token', async t => {
  const app = box()
  const sent = await app.request('/', { method: 'POST', headers: me, body: form('a <b>.txt', 'text', new Uint8Array([0, 255])) })
  t.is(sent.status, 303)
  t.true((await (await app.request('/', { headers: me })).text()).includes('<li>a &lt;b&gt;.txt, 6 bytes</li>'))
  const path = `/files/${encodeURIComponent('a <b>.txt')}`
  t.is((await app.request(path)).status, 401)
  const token = await (await app.request('/token', { headers: me })).text()
  t.is((await app.request(path, { headers: { authorization: `Bearer ${token.slice(0, -1)}` } })).status, 401)
  const answer = await app.request(path, { headers: { authorization: `Bearer ${token}` } })
  t.deepEqual([...(await answer.bytes())], [116, 101, 120, 116, 0, 255])
  t.is((await app.request('/files/b', { headers: { authorization: `Bearer ${token}` } })).status, 404)
})

test('the list has a tag, and goes compressed when it is long', async t => {
  const app = box()
  const tag = (await app.request('/', { headers: me })).headers.get('etag')!
  t.is((await app.request('/', { headers: { ...me, 'if-none-match': tag } })).status, 304)
  for (let i = 0; i < 50; i++) await app.request('/', { method: 'POST', headers: me, body: form(`file number ${i}`, 'x') })
  const packed = await app.request('/', { headers: { ...me, 'accept-encoding': 'gzip' } })
  t.is(packed.headers.get('content-encoding'), 'gzip')
  const text = await new Response(packed.body!.pipeThrough(new DecompressionStream('gzip'))).text()
  t.true(text.includes('file number 49'))
})

test('older files go when there are too many bytes; a form without a file is refused', async t => {
  const app = box()
  for (const name of ['first', 'second'])
    await app.request('/', { method: 'POST', headers: me, body: form(name, new Uint8Array(LARGEST - 1000)) })
  const list = await (await app.request('/', { headers: me })).text()
  t.deepEqual([list.includes('first'), list.includes('second')], [false, true])
  t.is((await app.request('/', { method: 'POST', headers: me, body: new FormData() })).status, 400)
})
