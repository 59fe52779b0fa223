/** Pages that a guest grants to dom0, as a GUI daemon needs them for the pictures of windows. */
import type { Duplex } from 'node:stream'
import type { ImageReader } from '../dom0/gui-window.ts'
import { RigError } from './errors.ts'
import { readLine } from './link.ts'
import type { Rig } from './rig.ts'
import { byteChannel } from './vchan.ts'

/** Maps images of windows in dom0, read-only. Each has a process in dom0 for as long as it is mapped. */
export function rigImages(rig: Pick<Rig, 'spawn'>, domid: number): ImageReader {
  return async refs => {
    const stream = await rig.spawn(`exec granted-pages ${domid}`)
    stream.write(words([refs.length, ...refs]))
    const answer = await readLine(stream)
    if (answer !== 'mapped') {
      stream.destroy()
      throw new RigError('dom0 cannot map the pages of a window', answer, 'Are they granted to dom0? xl dmesg may tell more.')
    }
    return mappedImage(stream)
  }
}

function mappedImage(stream: Duplex) {
  const channel = byteChannel(stream)
  return {
    async read({ offset, length, stride, rows }: { offset: number; length: number; stride: number; rows: number }): Promise<Uint8Array> {
      await channel.write(words([offset, length, stride, rows]))
      const bytes = await channel.readExactly(length * rows)
      if (bytes === undefined)
        throw new RigError('dom0 lost the pages of a window', undefined, "Its console may tell why: see the rig's log.")
      return bytes
    },
    async release(): Promise<void> {
      // The program unmaps before it ends, and its stream ends with it.
      stream.end()
      stream.resume()
      await channel.closed
    },
  }
}

function words(values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  values.forEach((value, index) => bytes.writeUInt32LE(value, index * 4))
  return bytes
}
