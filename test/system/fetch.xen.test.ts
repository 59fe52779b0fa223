/** fetch on real Xen: from a server of Linux in dom0, on both targets. */
import test from 'ava'
import { XenTests } from './harness.ts'
import { startQube, vif } from './qube.ts'

const xen = new XenTests(test)
const base = 'http://10.137.0.1:8080'

test.serial.before('dom0 serves pages', async () => {
  await xen.rig.must('mkdir -p /tmp/www && echo hello >/tmp/www/index.html && seq 1 300000 >/tmp/www/big')
  await xen.rig.spawn('exec httpd -f -p 8080 -h /tmp/www')
})

test.serial('target xen: pages, large ones whole and as streams, and what fails says why', async t => {
  const args = `ip=${vif.ip}/32 gateway=${vif.gateway} base=${base}`
  const { lines, reason } = await xen.run(t, 'programs/fetch.ts', { args, vif, memory: 64, seconds: 240 })
  t.is(reason, 'poweroff', lines.join('\n'))
  const said = lines.flatMap(line => / INF \[fetches\] (.*)/.exec(line)?.[1] ?? [])
  t.deepEqual(said.slice(0, 4), ['whole: 1988895 bytes, right', 'stream: 1988895 bytes, right', 'pages: 30 of 30', 'missing: 404'])
  t.regex(said[4], /^ECONNREFUSED: fetch of http:\/\/10\.137\.0\.1:9\/ failed: .*10\.137\.0\.1:9.* refused/)
  t.regex(said[5], /^EPROTONOSUPPORT: .*https is not there yet/)
})

test.serial('target qubes: the example fetches a page twenty times, and ends', async t => {
  const qube = await startQube(xen, t, '../../examples/fetch', { args: `url=${base}/index.html times=20`, seconds: 120 })
  await qube.line(/\[fetch\] http:\/\/10\.137\.0\.1:8080\/index\.html: 200 OK, text\/html, 6 bytes/)
  t.log(await qube.line(/\[fetch\] 20 times, 120 bytes in \d+ ms/))
  t.is((await qube.ended).reason, 'poweroff')
})
