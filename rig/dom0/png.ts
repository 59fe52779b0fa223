/** Pictures as PNG files (ISO 15948): 8 bits a channel, no filter, one chunk of data. */
import { crc32, deflateSync } from 'node:zlib'

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex')
const TRUECOLOUR = 2

/** @param bgrx four bytes a pixel, rows without gaps */
export function encodePng(width: number, height: number, bgrx: Uint8Array): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header[8] = 8
  header[9] = TRUECOLOUR
  // Each row begins with the number of its filter: 0, none.
  const rows = Buffer.alloc(height * (1 + width * 3))
  let at = 0
  for (let y = 0; y < height; y++) {
    at++
    for (let from = y * width * 4, end = from + width * 4; from < end; from += 4) {
      rows[at++] = bgrx[from + 2]
      rows[at++] = bgrx[from + 1]
      rows[at++] = bgrx[from]
    }
  }
  return Buffer.concat([SIGNATURE, chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))])
}

function chunk(type: string, data: Buffer): Buffer {
  const bytes = Buffer.alloc(12 + data.length)
  bytes.writeUInt32BE(data.length, 0)
  bytes.write(type, 4, 'latin1')
  bytes.set(data, 8)
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length)
  return bytes
}
