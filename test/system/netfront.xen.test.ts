/** What netfront and Linux netback agree on: an event channel for each ring, and packets that neither cuts. */
import test from 'ava'
import { type Running, XenTests } from './harness.ts'

const xen = new XenTests(test)
const vif = { ip: '10.137.0.16', gateway: '10.137.0.1', mac: '00:16:3e:5e:6c:00' }

const warnings = ({ lines }: Running) => lines.filter(line => / (WRN|ERR) /.test(line))
const frames = async ({ domain }: Running, what: string) =>
  (await xen.rig.must(`frames vif${domain.domid}.0 ${vif.mac} ${what}`, { seconds: 90 })).trim()

test.serial(
  'each ring has its event channel when the backend offers that, and uncut packets of TCP over IPv4 and IPv6 go both ways',
  async t => {
    const running = await xen.start(t, await xen.image('../../examples/frame-echo'), { vif, seconds: 240 })
    await running.line(/answering frames/)
    const { domid } = running.domain
    const key = async (path: string) => (await xen.rig.exec(`xenstore-read ${path}`)).stdout.trim()
    const [frontend, backend] = [`/local/domain/${domid}/device/vif/0`, `/local/domain/0/backend/vif/${domid}/0`]
    t.is(await key(`${backend}/feature-split-event-channels`), '1')
    const ports = [await key(`${frontend}/event-channel-tx`), await key(`${frontend}/event-channel-rx`)].map(Number)
    t.true(ports.every(port => port > 0) && ports[0] !== ports[1], ports.join())
    t.is(await key(`${frontend}/event-channel`), '')
    // Each port is bound on both sides, and events have come.
    const interrupts = await xen.rig.must(`grep 'vif${domid}.0' /proc/interrupts`)
    t.regex(interrupts, /q0-tx/)
    t.regex(interrupts, /q0-rx/)
    for (const version of [4, 6]) {
      for (const [length, segment] of [
        [1600, 1000],
        [4096, 1428],
        [20_000, 1428],
        [60_000, 1428],
        [65_000, 536],
      ]) {
        t.is(await frames(running, `uncut ${version} ${length} ${segment} 50`), '50', `IPv${version}, ${length} bytes`)
      }
    }
    t.is(await frames(running, 'check 60 159'), '100')
    await running.domain.shutdown()
    const { reason } = await running.ended
    t.is(reason, 'poweroff')
    t.deepEqual(warnings(running), [])
  },
)
