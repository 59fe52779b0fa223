/** A qube and its GUI daemon on the simulated Xen, for tests of windows. Not part of any image. */
import { EventChannels, ForeignPages, GrantTable, Xenstore } from '@xen-ts/drivers'
import { restore, type SimulatedDomain, SimulatedXen } from '@xen-ts/drivers/sim'
import { GuiDaemon, type ImageReader } from '@xen-ts/rig/dom0'
import { vchanChannels } from '@xen-ts/vchan'
import { Gui } from './agent.ts'

function channelsOf({ machine }: SimulatedDomain) {
  const grants = new GrantTable(machine)
  return { grants, channels: vchanChannels({ machine, events: new EventChannels(machine), grants, xenstore: new Xenstore(machine) }) }
}

interface Options {
  readonly minor?: number
  readonly seed?: number
  /** Called before the agent runs. */
  prepare?(guest: SimulatedDomain): void
}

export function setUp({ minor, seed, prepare }: Options = {}) {
  const xen = new SimulatedXen({ seed })
  const [dom0, guest] = [xen.createDomain(0), xen.createDomain(5)]
  const image: ImageReader = refs => {
    const pages = new ForeignPages(dom0.machine, guest.domid, refs, true, 'image')
    return {
      read({ offset, length, stride, rows }) {
        const bytes = new Uint8Array(length * rows)
        for (let row = 0; row < rows; row++) dom0.abi.copy(bytes, row * length, pages.bytes, offset + row * stride, length)
        return bytes
      },
      release: () => pages.release(),
    }
  }
  const { channels, grants } = channelsOf(guest)
  const theirs = channelsOf(dom0).channels
  prepare?.(guest)
  const gui = new Gui({ machine: guest.machine, channels, grants, domain: async () => 0 })
  const daemon = new GuiDaemon({ connect: signal => theirs.connect(guest.domid, 6000, { signal }), minor, image })
  const died = daemon.run()
  const running = gui.run()
  const finish = async (): Promise<void> => {
    gui.close()
    daemon.stop()
    await xen.run(running)
    await xen.advance(30_000)
    xen.assertNoLeaks()
  }
  /** Saves the qube and restores it as another domain, whose daemon goes on as `daemon`. */
  const restored = async (domid: number): Promise<void> => {
    guest.onSuspend = () => restore(guest, domid)
    await xen.run(guest.machine.suspension.suspend())
  }
  died.catch(() => {})
  const ready = (): Promise<void> => xen.run(daemon.until(() => daemon.minor > 0))
  return { xen, guest, grants, gui, daemon, died, ready, restored, finish, free: guest.freePages }
}
