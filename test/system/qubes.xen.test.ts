/** The whole: a website as a qube on real Xen, beside the miniature dom0. QubesDB → address → ping → curl → qrexec → shutdown. */
import test from 'ava'
import { XenTests } from './harness.ts'
import { type Qube, startQube, vif } from './qube.ts'

const xen = new XenTests(test)

let running: Qube
let url: string

test.serial.before('a website starts as a qube with 12 MiB', async t => {
  running = await startQube(xen, t, '../../examples/website', { memory: 12, args: 'greeting="Good day"', seconds: 240, keep: true })
  const port = await xen.rig.forward(0, vif.ip, 80)
  url = `http://127.0.0.1:${port}`
  await running.line(/listening on/)
})

test.after.always('the qube ends', async () => {
  await running?.domain.destroy()
})

test.serial('the console shows banner, QubesDB, agents, MAC, address, argument and listening, in the order of things', t => {
  const expected = [
    new RegExp(`^xen-ts .* on Xen ${xen.rig.files.release.xen.replace('.', '\\.')}, 12 MiB`),
    /\[qubesdb\] connecting to server/,
    /\[qubesdb\] connected, \d+ keys/,
    /\[net-xen\] vif 0: backend domain 0, MAC 00:16:3e:5e:6c:00/,
    /\[stack\] 10\.137\.0\.16\/32 via 10\.137\.0\.1, DNS 10\.139\.1\.1 10\.139\.1\.2/,
    /\[www\] greeting is Good day/,
    /listening on http:\/\/10\.137\.0\.16\//,
  ]
  const found = expected.map(pattern => running.lines.findIndex(line => pattern.test(line)))
  t.false(found.includes(-1), running.lines.join('\n'))
  t.deepEqual(
    found,
    [...found].sort((a, b) => a - b),
  )
})

test.serial('qrexec and GUI agents have shaken hands with dom0', async t => {
  await running.line(/\[qrexec\] connected to dom0, protocol 3/)
  await running.line(/\[gui\] connected to dom0, protocol 1\.7/)
  t.true(
    running.dom0.some(line => line.startsWith('qrexec: agent connected')),
    running.dom0.join('\n'),
  )
})

test.serial('ping from dom0, small and of 1,400 bytes', async t => {
  for (const size of [56, 1400]) t.regex(await xen.rig.must(`ping -c 3 -s ${size} -w 10 ${vif.ip}`), / 3 packets received/)
})

test.serial('the image has no UDP, and says so to who sends a datagram', async t => {
  // Of busybox, by datagrams to ports that nobody has: the host answers with ICMP's port unreachable.
  t.regex(await xen.rig.must(`traceroute -n -q 1 -m 3 -w 5 ${vif.ip}`), /^ 1 {2}10\.137\.0\.16 {2}[\d.]+ ms/m)
})

test.serial('the page comes through Linux netback, with its length', async t => {
  const response = await fetch(`${url}/`)
  t.is(response.status, 200)
  t.is(response.headers.get('content-type'), 'text/html; charset=UTF-8')
  const text = await response.text()
  t.is(response.headers.get('content-length'), String(Buffer.byteLength(text)))
  t.true(text.startsWith('<!DOCTYPE html>\n'))
  t.true(text.includes('<h1>Good day</h1>'))
})

test.serial('argument, query, 404, revalidation, HEAD and a bad request', async t => {
  t.regex(await (await fetch(`${url}/greeting`)).text(), /^Good day from 127\.0\.0\.1/)
  t.is((await fetch(`${url}/nowhere?x=1`)).status, 404)
  const etag = (await fetch(`${url}/style.css`)).headers.get('etag')!
  t.is((await fetch(`${url}/style.css`, { headers: { 'if-none-match': etag } })).status, 304)
  const head = await fetch(`${url}/`, { method: 'HEAD' })
  t.is(head.status, 200)
  t.is(await head.text(), '')
  t.is((await fetch(`${url}/style.css`, { method: 'DELETE' })).status, 405)
})

test.serial(
  'a post, the feed and the API; a message that is written arrives as an event, and through a WebSocket it comes back',
  async t => {
    t.regex(await (await fetch(`${url}/posts/written-in-markdown`)).text(), /<em>as data<\/em>/)
    t.regex(await (await fetch(`${url}/feed.xml`)).text(), /<id>http:\/\/127\.0\.0\.1:\d+\/posts\/hello-from-xen<\/id>/)
    const leaving = new AbortController()
    const events = (await fetch(`${url}/events`, { signal: leaving.signal })).body!.pipeThrough(new TextDecoderStream()).getReader()
    t.regex((await events.read()).value!, /^event: uptime\ndata: \d+\n\n$/)
    const body = JSON.stringify({ text: 'from a visitor' })
    const written = await fetch(`${url}/api/messages`, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
    t.is(written.status, 201)
    t.is((await events.read()).value, 'event: message\ndata: {"id":1,"text":"from a visitor"}\nid: 1\n\n')
    leaving.abort()
    t.deepEqual(await (await fetch(`${url}/api/messages`)).json(), [{ id: 1, text: 'from a visitor' }])
    const socket = new WebSocket(url.replace('http', 'ws') + '/echo')
    socket.onopen = () => socket.send('said')
    t.is(await new Promise(resolve => (socket.onmessage = ({ data }) => resolve(data))), 'said')
    socket.close()
  },
)

test.serial('200 requests on 10 connections', async t => {
  t.timeout(120_000)
  const get = async (): Promise<number> => (await (await fetch(`${url}/`)).text()).length
  const lengths = new Set<number>()
  for (let round = 0; round < 20; round++) for (const length of await Promise.all(Array.from({ length: 10 }, get))) lengths.add(length)
  t.is(lengths.size, 1)
})

test.serial('qrexec: a service nobody provides is answered with 127, a shell is refused with 126', async t => {
  t.is((await running.qubes.call('xen-ts.Nothing')).code, 127)
  const shell = await running.qubes.call('qubes.VMShell', { input: 'ls; exit\n' })
  t.is(shell.code, 126)
  t.true(shell.stderr.length > 0)
  t.is((await running.qubes.call('qubes.WaitForSession', { input: 'user' })).code, 0)
})

test.serial('dom0 is told what the stack has counted, by qrexec and by xl sysrq', async t => {
  const { code, stdout } = await running.qubes.call('xen-ts.Counters')
  t.is(code, 0)
  const counted = Object.fromEntries(
    stdout
      .toString()
      .trimEnd()
      .split('\n')
      .map(line => line.split(' ')),
  )
  t.is(counted.echoReplies, '6')
  t.is(counted['http.refused'], undefined)
  t.true(Number(counted.framesIn) > 400)
  t.true(Number(counted['memory.free']) > 1_000_000)
  await xen.rig.must(`xl sysrq ${running.domain.domid} m`)
  await running.line(/INF \[counters\] memory\.free \d+, .*echoReplies 6/)
})

test.serial('xl shutdown: a clean end, without a warning (the time is printed)', async t => {
  const start = performance.now()
  await running.domain.shutdown()
  const { reason, lines } = await running.ended
  t.is(reason, 'poweroff', lines.join('\n'))
  t.log(`${(performance.now() - start).toFixed(0)} ms`)
  t.true(lines.some(line => /shutdown requested: poweroff/.test(line)))
  t.false(
    lines.some(line => / (ERR|WRN) /.test(line)),
    lines.join('\n'),
  )
})
