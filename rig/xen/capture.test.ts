import test from 'ava'
import { type CapturedPacket, recordReader } from './capture.ts'

function record(time: bigint, flags: number, bytes: Uint8Array, length = bytes.length): Buffer {
  const header = Buffer.alloc(20)
  header.writeBigUInt64LE(time)
  header.writeUInt32LE(flags, 8)
  header.writeUInt32LE(bytes.length, 12)
  header.writeUInt32LE(length, 16)
  return Buffer.concat([header, bytes])
}

test('packets come whole, whatever pieces they arrive in, and know what was lost before them', t => {
  const output = Buffer.concat([
    record(1_795_000_000_123_456_789n, 1, Buffer.from('first')),
    record(0n, 4, Buffer.alloc(0), 7),
    record(0n, 4, Buffer.alloc(0), 2),
    record(2n, 2, Buffer.from('second'), 1000),
    record(3n, 0, Buffer.alloc(0)),
  ])
  const expected = [
    { time: 1_795_000_000_123_456_789n, inbound: true, blankChecksum: false, bytes: 'first', length: 5, lost: 0 },
    { time: 2n, inbound: false, blankChecksum: true, bytes: 'second', length: 1000, lost: 9 },
    { time: 3n, inbound: false, blankChecksum: false, bytes: '', length: 0, lost: 0 },
  ]
  for (const size of [1, 3, 19, 20, 21, 26, 50, output.length]) {
    const packets: CapturedPacket[] = []
    const push = recordReader(packet => packets.push(packet))
    for (let at = 0; at < output.length; at += size) push(output.subarray(at, at + size))
    t.deepEqual(
      packets.map(packet => ({ ...packet, bytes: Buffer.from(packet.bytes).toString() })),
      expected,
      `in pieces of ${size}`,
    )
  }
})

test('an end in the middle of a packet is the end', t => {
  const packets: CapturedPacket[] = []
  const push = recordReader(packet => packets.push(packet))
  const bytes = record(1n, 0, Buffer.from('whole'))
  push(Buffer.concat([bytes, bytes.subarray(0, 22)]))
  t.is(packets.length, 1)
})
