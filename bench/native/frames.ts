/** The work on examples/frame-echo: frames of 60 bytes to the guest, and each back, ten at a time. */
import { Wire } from './wire.ts'
import { begin, logged } from './world.ts'

const wire = new Wire(4)
const frame = new Uint8Array(60)
frame.set([0, 0x16, 0x3e, 0x5e, 0x6c, 0, 2, 0, 0, 0, 0, 9, 0x88, 0xb5])

begin('', async () => {
  await logged('answering frames')
  return async () => {
    const before = wire.frames
    for (let i = 0; i < 10; i++) wire.netback.send(frame)
    await wire.until(() => wire.frames >= before + 10)
  }
})
