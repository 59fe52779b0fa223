// Echoes on several hundred vchans at once, as the server or the client of dom0, and tells what Xen holds for the domain before and after.
import { type ByteChannel, vchan } from '@xen-ts/drivers'
import type { XenMachine } from '@xen-ts/runtime/machine'
import { arg, device, unikernel } from 'xen-ts'

const PORTS = 1024,
  ENTRIES = 512
const PERMIT_ACCESS = 1

/** What the hypervisor knows, not what the drivers believe. */
const resources = device({
  name: 'resources',
  connect: (_needs, { machine }) => ({
    get held(): string {
      const { abi } = machine as XenMachine // this program is for Xen
      let ports = 0,
        grants = 0
      for (let port = 1; port < PORTS; port++) if (abi.evtchnStatus(port) > 0) ports++
      for (let frame = 0; frame < abi.grantFrames(); frame++) {
        const table = abi.grantTable(frame)
        if (table === undefined) break
        const halves = new Uint16Array(table)
        let used = 0
        for (let entry = 0; entry < ENTRIES; entry++) if ((halves[entry * 4] & PERMIT_ACCESS) !== 0) used++
        if (used === 0 && frame > 3) break // the table grows with each frame that is looked at
        grants += used
      }
      return `${ports} ports, ${grants} grants, ${abi.memory(3)} bytes of pages`
    },
  }),
})

export default unikernel({
  name: 'many-vchans',
  args: {
    role: arg.choice(['server', 'client'], { default: 'server', doc: 'which end of the vchans this is' }),
    count: arg.number({ default: 300, min: 1, max: 400, integer: true, doc: 'how many' }),
  },
  devices: { vchan: vchan(), resources },
  async start({ vchan, resources, args: { role, count }, log }) {
    const before = resources.held
    log.info(`before: ${before}`)
    let open = 0,
      most = 0,
      bytes = 0
    await Promise.all(
      Array.from({ length: count }, async (_, i) => {
        const channel =
          role === 'server' ? await vchan.serve(0, 6000 + i, { readSize: 1024, writeSize: 2048 }) : await vchan.connect(0, 6000 + i)
        most = Math.max(most, ++open)
        if (open === count) log.info(`open: ${resources.held}`)
        const echoed = await echo(channel)
        bytes += echoed
        channel.close()
        open--
      }),
    )
    log.info(`${most} were open at once, ${bytes} bytes echoed`)
    // Pages that the peer had mapped come back when it lets go of them.
    for (let wait = 0; resources.held !== before && wait < 1000; wait++) await new Promise<void>(resolve => setTimeout(resolve, 100))
    log.info(`after: ${resources.held}`)
  },
})

async function echo(channel: ByteChannel): Promise<number> {
  let bytes = 0
  for (let arrived; (arrived = await channel.read()) !== undefined; bytes += arrived.length) await channel.write(arrived)
  return bytes
}
