import { runs } from '@xen-ts/boot/fuzz'
import type { EthernetDevice, Frame } from '@xen-ts/runtime/machine'
import test from 'ava'
import fc from 'fast-check'
import { watchDrops } from './drops.ts'
import { packetBytes, writeHeader, writePacket } from './pcapng.ts'
import { record } from './recorder.ts'

const MAC = Uint8Array.of(0, 0x16, 0x3e, 0x5e, 0x6c, 1)
const hex = (bytes: Uint8Array): string => Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
const ascii = (text: string): string => hex(new TextEncoder().encode(text))

test('golden bytes of a header', t => {
  const section = `0a0d0d0a 2c000000 4d3c2b1a 0100 0000 ffffffffffffffff 0400 0600 ${ascii('xen-ts')}0000 0000 0000 2c000000`
  const description = `01000000 34000000 0100 0000 40000000 0200 0400 ${ascii('eth0')} 0600 0600 00163e5e6c01 0000 0900 0100 09000000 0000 0000 34000000`
  t.is(hex(writeHeader('xen-ts', { name: 'eth0', mac: MAC, snapLength: 64 })), (section + description).replaceAll(' ', ''))
})

test('golden bytes of a packet', t => {
  const bytes = Uint8Array.of(...MAC, 1, 2, 3)
  const packet = writePacket({ time: 0x0123456789abcdefn, outbound: false, bytes, length: 60, comment: 'dropped: ü' })
  const body = `00000000 67452301 efcdab89 09000000 3c000000 ${hex(bytes)}000000`
  const comment = `0100 0b00 ${ascii('dropped: ü')} 00`
  t.is(hex(packet), `06000000 48000000 ${body} 0200 0400 05000000 ${comment} 0000 0000 48000000`.replaceAll(' ', ''))
})

test('flags: direction, and kind of address', t => {
  const flags = (outbound: boolean, ...bytes: number[]): number =>
    writePacket({ time: 0n, outbound, bytes: Uint8Array.from(bytes), length: 60 })[28 + ((bytes.length + 3) & ~3) + 4]
  t.is(flags(false, 0, 1, 2, 3, 4, 5), 0b00101)
  t.is(flags(true, 0, 1, 2, 3, 4, 5), 0b00110)
  t.is(flags(true, 1, 0, 0x5e, 0, 0, 1), 0b01010)
  t.is(flags(false, 255, 255, 255, 255, 255, 255), 0b01101)
  t.is(flags(false, 255, 255), 0b00001)
})

interface Read {
  readonly type: number
  readonly body: DataView
}

/** Reads blocks as a reader of such files does, and checks their shape. */
function blocks(file: Uint8Array): Read[] {
  const view = new DataView(file.buffer, file.byteOffset, file.length)
  const all: Read[] = []
  for (let at = 0; at < file.length; ) {
    const length = view.getUint32(at + 4, true)
    if (length % 4 !== 0 || length < 12 || view.getUint32(at + length - 4, true) !== length) throw new Error(`a wrong length at byte ${at}`)
    all.push({ type: view.getUint32(at, true), body: new DataView(file.buffer, file.byteOffset + at + 8, length - 12) })
    at += length
  }
  return all
}

function packets(file: Uint8Array) {
  return blocks(file)
    .filter(({ type }) => type === 6)
    .map(({ body }) => {
      const captured = body.getUint32(12, true)
      const bytes = new Uint8Array(body.buffer, body.byteOffset + 20, captured)
      const options: Record<number, Uint8Array> = {}
      for (let at = 20 + ((captured + 3) & ~3); body.getUint16(at, true) !== 0; ) {
        const length = body.getUint16(at + 2, true)
        options[body.getUint16(at, true)] = new Uint8Array(body.buffer, body.byteOffset + at + 4, length)
        at += 4 + ((length + 3) & ~3)
      }
      const time = (BigInt(body.getUint32(4, true)) << 32n) | BigInt(body.getUint32(8, true))
      const comment = options[1] === undefined ? undefined : new TextDecoder().decode(options[1])
      return { time, bytes, length: body.getUint32(16, true), outbound: (options[2][0] & 3) === 2, comment }
    })
}

test('a packet that was written is read again', t => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      fc.boolean(),
      fc.uint8Array({ maxLength: 100 }),
      fc.nat(70_000),
      fc.option(fc.string({ unit: 'grapheme', minLength: 1 }), { nil: undefined }),
      (time, outbound, bytes, length, comment) => {
        t.deepEqual(packets(writePacket({ time, outbound, bytes, length, comment })), [{ time, outbound, bytes, length, comment }])
      },
    ),
    runs(),
  )
})

class FakeDevice implements EthernetDevice {
  readonly mac = MAC
  readonly mtu = 1500
  onReceive: EthernetDevice['onReceive'] = undefined
  onWritable: EthernetDevice['onWritable'] = undefined
  onIdle: EthernetDevice['onIdle'] = undefined
  readonly sent: string[] = []
  reserve(): Frame {
    const u8 = new Uint8Array(1514)
    return { u8, u16: new Uint16Array(u8.buffer) }
  }
  send(_frame: Frame, length: number, offload?: number): void {
    this.sent.push(`${length} ${offload}`)
  }
  discard(): void {}
  async close(): Promise<void> {}

  /** Each packet has its number as its first bytes of payload. */
  packet(number: number): Frame {
    const frame = this.reserve()
    frame.u8.set([...MAC, ...MAC, 8, 0, number >>> 8, number])
    return frame
  }
  transmit(number: number, length = 60, offload?: number): void {
    this.send(this.packet(number), length, offload)
  }
  arrive(number: number, length = 60): void {
    const frame = this.packet(number)
    this.onReceive?.(frame, length)
    frame.u8.fill(0xa5) // the frame is the receiver's during the call only
  }
}

const clock = (): { clockMonotonic(): number; clockWall(): number; now: number } => ({
  now: 0,
  clockMonotonic() {
    return this.now
  },
  clockWall() {
    return 1_795_000_000_000.25 + this.now
  },
})
const numbers = (file: Uint8Array): number[] => packets(file).map(({ bytes }) => (bytes[14] << 8) | bytes[15])

test('both ways, in order, with times to the nanosecond', t => {
  const abi = clock()
  abi.now = 500
  const device = new FakeDevice()
  const got: number[] = []
  device.onReceive = (_, length) => {
    got.push(length)
    device.transmit(2) // an answer
  }
  const recording = record(abi, device)
  abi.now = 1500.000001
  device.arrive(1, 61)
  device.transmit(3, 1514, 1)
  device.transmit(4, 1514, 1448)
  t.deepEqual(got, [61])
  t.deepEqual(device.sent, ['60 undefined', '1514 1', '1514 1448'])
  const seen = packets(recording.read())
  t.deepEqual(
    seen.map(({ outbound, length, comment }) => [outbound, length, comment]),
    [
      [false, 61, undefined],
      [true, 60, undefined],
      [true, 1514, undefined],
      [true, 1514, 'to be cut into segments of 1448 bytes by the device'],
    ],
  )
  t.is(seen[0].time, 1_795_000_001_500_250_001n)
  t.deepEqual(numbers(recording.read()), [1, 2, 3, 4])
  t.deepEqual(
    blocks(recording.read()).map(({ type }) => type),
    [0x0a0d0d0a, 1, 6, 6, 6, 6],
  )
})

test('a device is afterwards what it was before', t => {
  const device = new FakeDevice()
  const handler = (): void => {}
  device.onReceive = handler
  const before = Object.getOwnPropertyDescriptors(device)
  const recording = record(clock(), device)
  t.not(device.send, FakeDevice.prototype.send)
  recording.stop()
  recording.stop()
  t.is(device.onReceive, handler)
  t.is(device.send, FakeDevice.prototype.send)
  t.deepEqual(Object.getOwnPropertyDescriptors(device), before)
  device.arrive(1)
  device.transmit(1)
  t.is(recording.packets, 0)
  t.false(recording.active)
})

test('so is a device whose methods are its own; and it is recorded once at a time', t => {
  const sent: number[] = []
  const device: EthernetDevice = {
    mac: MAC,
    mtu: 1500,
    reserve: () => undefined,
    send: (_, length) => void sent.push(length),
    discard() {},
    onReceive: undefined,
    onWritable: undefined,
    onIdle: undefined,
    close: async () => {},
  }
  const before = Object.getOwnPropertyDescriptors(device)
  const recording = record(clock(), device)
  t.throws(() => record(clock(), device), { message: /recorded already/ })
  recording.stop()
  t.deepEqual(Object.getOwnPropertyDescriptors(device), before)
  const again = record(clock(), device)
  device.send(new FakeDevice().packet(1), 60)
  recording.stop()
  device.send(new FakeDevice().packet(2), 60)
  again.stop()
  t.deepEqual(sent, [60, 60])
  t.is(again.packets, 2)
})

test('a stack that takes the device while it is recorded gets the packets, then and afterwards', t => {
  const device = new FakeDevice()
  const recording = record(clock(), device)
  device.arrive(1)
  let got = 0
  device.onReceive = () => {
    got++
  }
  device.arrive(2)
  recording.stop()
  device.arrive(3)
  t.is(got, 2)
  t.deepEqual(numbers(recording.read()), [1, 2])
})

test('the size is bounded: the oldest go, or the recording ends', t => {
  const size = packetBytes(60)
  const device = new FakeDevice()
  const header = record(clock(), device)
  const limit = header.bytes + 4 * size
  header.stop()
  const ring = record(clock(), device, { limit })
  for (let i = 0; i < 10; i++) device.arrive(i)
  t.deepEqual(numbers(ring.read()), [6, 7, 8, 9])
  t.is(ring.read().length, limit)
  t.is(ring.bytes, limit)
  t.deepEqual([ring.packets, ring.evicted], [10, 6])
  device.arrive(10, 1514)
  t.deepEqual(numbers(ring.read()), [], 'one that is too large is not kept either')
  t.is(ring.bytes, limit - 4 * size)
  ring.stop()

  const stop = record(clock(), device, { limit, full: 'stop' })
  for (let i = 0; i < 10; i++) device.transmit(i)
  t.deepEqual(numbers(stop.read()), [0, 1, 2, 3])
  t.false(stop.active)
  t.is(device.send, FakeDevice.prototype.send)
  t.is(device.sent.length, 10)
})

test('a file that grows: a header once, then what is new', t => {
  const device = new FakeDevice()
  const recording = record(clock(), device)
  device.arrive(1)
  const first = recording.take()
  device.arrive(2)
  device.arrive(3)
  const second = recording.take()
  t.deepEqual(numbers(first), [1])
  t.deepEqual(numbers(second), [2, 3])
  t.is(blocks(second).length, 2)
  t.is(recording.take().length, 0)
  const fresh = record(clock(), new FakeDevice())
  t.is(recording.bytes, fresh.bytes, 'what was taken takes no room')
})

test('packets may be cut; the Ethernet header stays', t => {
  const device = new FakeDevice()
  const recording = record(clock(), device, { snapLength: 20 })
  device.arrive(1, 1000)
  const [{ bytes, length }] = packets(recording.read())
  t.is(bytes.length, 20)
  t.is(length, 1000)
  recording.stop()
  const least = record(clock(), device, { snapLength: 1 })
  device.arrive(1, 1000)
  t.is(packets(least.read())[0].bytes.length, 14)
})

test('what was dropped says why', t => {
  const device = new FakeDevice()
  const counters = { malformed: 0, badChecksum: 0, framesIn: 0 }
  const recording = record(clock(), device, { drops: watchDrops(counters, ['malformed', 'badChecksum']) })
  device.onReceive = (frame, length) => {
    counters.framesIn++
    if (length < 60) counters.malformed++
    if (frame.u8[15] === 3) counters.badChecksum++
  }
  device.arrive(1)
  device.arrive(2, 59)
  counters.malformed++ // of something else, between packets
  device.arrive(3, 59)
  device.arrive(4)
  t.deepEqual(
    packets(recording.read()).map(({ comment }) => comment),
    [undefined, 'dropped: malformed', 'dropped: malformed, badChecksum', undefined],
  )
})

test('a reason of any length fits its option', t => {
  const [{ comment }] = packets(writePacket({ time: 0n, outbound: false, bytes: MAC, length: 6, comment: 'ü'.repeat(100_000) }))
  t.is(comment, 'ü'.repeat(4096))
})

test('a packet that had to go before its reason was known takes no room', t => {
  const device = new FakeDevice()
  const counters = { malformed: 0 }
  const header = record(clock(), device)
  const limit = header.bytes + packetBytes(60)
  header.stop()
  const recording = record(clock(), device, { limit, drops: watchDrops(counters, ['malformed']) })
  device.onReceive = () => {
    device.transmit(2) // for which the first one goes
    counters.malformed++
  }
  device.arrive(1)
  t.deepEqual(numbers(recording.read()), [2])
  t.is(recording.bytes, limit)
})

test('a stack that throws does so as before', t => {
  const device = new FakeDevice()
  const recording = record(clock(), device)
  device.onReceive = () => {
    throw new Error('a fault of the stack')
  }
  t.throws(() => device.arrive(1), { message: 'a fault of the stack' })
  t.deepEqual(numbers(recording.read()), [1])
})
