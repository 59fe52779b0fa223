// A qube whose agent slips: what it sends makes a daemon of dom0 exit. For target xen, which has no agents of its own, and `run --qubes`.
import { type ByteChannel, type Channels, vchan } from '@xen-ts/drivers'
import { arg, once, unikernel } from 'xen-ts'

const words = (...values: number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer)

const serve = (vchan: Channels, port: number): Promise<ByteChannel> => vchan.serve(0, port, { readSize: 4096, writeSize: 4096 })

const slips = {
  /** RM of a key that is not there, after a MULTIREAD. */
  async qubesdb(vchan: Channels): Promise<void> {
    const channel = await vchan.connect(0, 111)
    const [multiread, rm] = [2, 4].map(type => Uint8Array.from({ length: 72 }, (_, at) => (at === 0 ? type : 0)))
    rm.set(
      [...'/nothing'].map(letter => letter.charCodeAt(0)),
      1,
    )
    await channel.write(multiread)
    await channel.write(rm)
  },
  /** After HELLO, the end of a call that there never was. */
  async qrexec(vchan: Channels): Promise<void> {
    const channel = await serve(vchan, 512)
    await channel.write(words(0x300, 4, 3))
    await channel.write(words(0x211, 8, 0, 600))
  },
  /** MAP of a window that was not created. */
  async gui(vchan: Channels): Promise<void> {
    const channel = await serve(vchan, 6000)
    await channel.write(words((1 << 16) | 7))
    await channel.write(words(132, 1, 8, 0, 0))
  },
}

export default unikernel({
  name: 'wrong-agent',
  args: {
    daemon: arg.choice(['qubesdb', 'qrexec', 'gui'], { default: 'qubesdb', doc: "which of dom0's daemons" }),
  },
  devices: { vchan: vchan() },
  async start({ vchan, args: { daemon }, signal }) {
    await slips[daemon](vchan)
    await once(signal)
  },
})
