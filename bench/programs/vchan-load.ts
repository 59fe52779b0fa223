// The measured end of dom0's vchan-load: echo, sink and source on ports 5010 to 5012, as in the Linux guest.
import { type ByteChannel, type Channels, vchan } from '@xen-ts/drivers'
import { once, unikernel } from 'xen-ts'

const RING = 65536
const piece = new Uint8Array(65536)

export default unikernel({
  name: 'vchan-load',
  devices: { vchan: vchan() },
  async start({ vchan, log, signal }) {
    for (const [port, serve] of [
      [5010, echo],
      [5011, sink],
      [5012, source],
    ] as const)
      void serveAll(vchan, port, serve)
    log.info('ready')
    await once(signal)
  },
})

async function serveAll(vchan: Channels, port: number, serve: (channel: ByteChannel) => Promise<void>): Promise<void> {
  for (;;) {
    const channel = await vchan.serve(0, port, { readSize: RING, writeSize: RING })
    // A measurement that is broken off is dom0's affair.
    await serve(channel).catch(() => {})
    channel.close()
  }
}

async function echo(channel: ByteChannel): Promise<void> {
  for (let bytes; (bytes = await channel.read()); ) await channel.write(bytes)
}

async function sink(channel: ByteChannel): Promise<void> {
  let { left } = await request(channel)
  while (left > 0) left -= (await channel.read())?.length ?? left
  await channel.write(piece.subarray(0, 1))
  await channel.read()
}

async function source(channel: ByteChannel): Promise<void> {
  let { left, chunk } = await request(channel)
  const whole = piece.subarray(0, chunk)
  for (; left > 0; left -= chunk) {
    const bytes = left < chunk ? piece.subarray(0, left) : whole
    if (!channel.tryWrite(bytes)) await channel.write(bytes)
  }
  await channel.read()
}

async function request(channel: ByteChannel): Promise<{ left: number; chunk: number }> {
  const bytes = await channel.readExactly(8)
  if (bytes === undefined) return { left: 0, chunk: 1 }
  const [left, chunk] = new Uint32Array(bytes.buffer)
  return { left, chunk }
}
