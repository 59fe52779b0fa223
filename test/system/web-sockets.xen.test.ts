/** WebSocket and EventSource on real Xen: one guest is the server, another the client, and dom0 the router between them. */
import test from 'ava'
import { XenTests } from './harness.ts'

const xen = new XenTests(test)
const gateway = '10.137.0.1'
const server = { ip: '10.137.0.17', gateway, mac: '00:16:3e:5e:6c:17' }
const client = { ip: '10.137.0.16', gateway, mac: '00:16:3e:5e:6c:16' }

test.serial('two guests talk by WebSocket, and one listens to the other', async t => {
  t.timeout(400_000)
  await xen.rig.must('echo 1 > /proc/sys/net/ipv4/ip_forward')
  const image = await xen.image('programs/web-sockets.ts')
  const serving = await xen.start(t, image, { args: `ip=${server.ip}/32 gateway=${gateway}`, vif: server, memory: 64, seconds: 300 })
  await serving.line(/listening on/)
  const args = `ip=${client.ip}/32 gateway=${gateway} peer=${server.ip}`
  const { lines, reason } = await (await xen.start(t, image, { args, vif: client, memory: 64, seconds: 240 })).ended
  t.is(reason, 'poweroff', lines.join('\n'))
  const said = lines.flatMap(line => / INF \[sockets\] (.*)/.exec(line)?.[1] ?? [])
  t.deepEqual(said.slice(0, 4), [
    `open echo ws://${server.ip}/`,
    'echoes: 14 of 14',
    'closed 4000 true',
    'events: after none, after nonex, after nonexx',
  ])
  t.regex(said[4], /^refused: connection to 10\.137\.0\.17:9 was refused/)
  await serving.domain.shutdown()
  const other = await serving.ended
  t.is(other.reason, 'poweroff', other.lines.join('\n'))
  t.regex(other.lines.join('\n'), /INF \[sockets\] closes: 4000 enough, 1001 the client is to stop/)
})
