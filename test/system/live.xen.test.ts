/** The global WebSocket and EventSource on real Xen: two domains, dom0 routes between them. */
import test from 'ava'
import { XenTests } from './harness.ts'

const xen = new XenTests(test)
const domain = (host: number) => {
  const ip = `10.137.0.${host}`
  return { ip, vif: { ip, gateway: '10.137.0.1', mac: `00:16:3e:5e:6c:${host}` }, args: `ipv4=${ip}/32 ipv4-gateway=10.137.0.1` }
}

test.serial('messages come back as they were sent, and events go on where they stopped', async t => {
  const [server, client] = [domain(16), domain(17)]
  const image = await xen.image('programs/live.ts')
  const serving = await xen.start(t, image, { ...server, memory: 48, seconds: 240 })
  await serving.line(/listening on/)
  const asking = await xen.start(t, image, { vif: client.vif, args: `${client.args} peer=${server.ip}`, memory: 48, seconds: 180 })
  const { lines, reason } = await asking.ended
  t.is(reason, 'poweroff', lines.join('\n'))
  t.deepEqual(
    lines.flatMap(line => / INF \[live\] (.*)/.exec(line)?.[1] ?? []),
    [1, 2, 3, 4].map(i => `message ${i}: the same`).concat('closed: 1000, clean, protocol echo', 'events: 1,2,3,4,5,6'),
  )
})
