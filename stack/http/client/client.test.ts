/** The client against our own server, over the simulated wire. */
import test from 'ava'
import { known } from '../server/testing.ts'
import { fetching, textOf } from './testing.ts'

const base = 'http://10.0.0.2'

test('a page, and another over the same connection', async t => {
  const { web, run, serve } = fetching()
  let requests = ''
  const stop = serve(request => {
    requests += `${request.method} ${request.url} ${JSON.stringify([...request.headers])}\n`
    return known(`page ${new URL(request.url).pathname}`, { headers: { 'x-one': '1' }, statusText: 'Fine' })
  })
  const first = await run(web.fetch(`${base}/a?b=c#d`))
  t.deepEqual([first.status, first.statusText, first.headers.get('x-one')], [200, 'Fine', '1'])
  t.deepEqual([first.ok, first.redirected, first.url], [true, false, `${base}/a?b=c`])
  t.is(await run(first.text()), 'page /a')
  t.is(await run((await run(web.fetch(new URL(`${base}/b`)))).text()), 'page /b')
  t.is(web.connections, 1)
  const headers = '[["accept","*/*"],["host","10.0.0.2"],["user-agent","xen-ts"]]'
  t.is(requests, `GET ${base}/a?b=c ${headers}\nGET ${base}/b ${headers}\n`)
  web.close()
  await stop()
})
