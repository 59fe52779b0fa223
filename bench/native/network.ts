/** The works on bench/programs/native.ts: what a client does once, as often as it is counted. */
import { ACK, type Connection, commandLine, PSH, Wire } from './wire.ts'
import { begin, logged } from './world.ts'

const { WORK, FAMILY } = globalThis as unknown as { WORK: string; FAMILY: 4 | 6 }
const HOST = FAMILY === 4 ? '10.0.0.2' : '[fd00::2]'
const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, character => character.charCodeAt(0))
const request = (target: string, more = ''): Uint8Array =>
  bytesOf(`GET ${target} HTTP/1.1\r\nHost: ${HOST}\r\nUser-Agent: bench/1.0\r\nAccept: */*\r\n${more}\r\n`)

/** As many as fit a packet of 64 KiB. */
const LARGE_SEGMENTS = 44

const wire = new Wire(FAMILY)

/** A request on a connection that stays. */
async function requests(target: string): Promise<() => Promise<void>> {
  const connection = await wire.connect(5000, 80)
  const payload = request(target)
  const segment = connection.segment(payload, PSH | ACK)
  return async () => {
    const before = connection.received
    connection.send(segment, payload.length)
    await connection.until(before + 1)
  }
}

async function connections(): Promise<(i: number) => Promise<void>> {
  const payload = request('/', 'Connection: close\r\n')
  return async i => {
    const connection = await wire.connect(20_000 + i, 80)
    connection.send(connection.segment(payload, PSH | ACK), payload.length)
    await wire.until(() => connection.isEnded)
    await connection.end()
  }
}

/** Ten segments at a time. */
async function received(): Promise<() => Promise<void>> {
  const connection = await wire.connect(5000, 9)
  const payload = new Uint8Array(wire.segment)
  const segments = Array.from({ length: 10 }, () => connection.segment(payload, ACK))
  return async () => {
    const before = wire.frames
    for (const segment of segments) connection.send(segment, payload.length)
    await wire.until(() => wire.frames > before)
  }
}

/** 64 KiB, each two segments acknowledged. */
async function sent(): Promise<() => Promise<void>> {
  const connection: Connection = await wire.connect(5000, 19)
  const one = new Uint8Array(1)
  return async () => {
    const end = connection.received + 65_536
    connection.send(connection.segment(one, PSH | ACK), 1)
    let next = connection.received
    while (connection.received < end) {
      next = Math.min(connection.received + 2 * wire.segment, end)
      await connection.until(next)
      connection.acknowledge()
    }
  }
}

/** Four packets of the largest size, as a peer on the same host sends them: not cut into segments. */
async function receivedLarge(): Promise<() => Promise<void>> {
  const connection = await wire.connect(5000, 9)
  const payload = new Uint8Array(LARGE_SEGMENTS * wire.segment)
  const packets = Array.from({ length: 4 }, () => connection.segment(payload, ACK))
  return async () => {
    for (const packet of packets) {
      connection.send(packet, payload.length, wire.segment)
      await connection.acknowledged(connection.position)
    }
  }
}

/** 64 KiB eight times, one write after the other; each packet is acknowledged. */
async function sentMuch(): Promise<() => Promise<void>> {
  const connection = await wire.connect(5000, 19, 5)
  const pieces = new Uint8Array(8)
  return async () => {
    const end = connection.received + pieces.length * 65_536
    connection.send(connection.segment(pieces, PSH | ACK), pieces.length)
    while (connection.received < end) {
      await connection.until(connection.received + 1)
      connection.acknowledge()
    }
  }
}

/** Ten at a time, of which the last is answered, or all. */
async function datagrams(port: number): Promise<() => Promise<void>> {
  const datagram = wire.datagram(port, new Uint8Array(64))
  const last = wire.datagram(7, new Uint8Array(64))
  wire.send(last)
  await wire.until(() => wire.datagrams > 0) // the guest knows where the client is
  return async () => {
    const before = wire.datagrams
    for (let i = 0; i < 9; i++) wire.send(datagram)
    wire.send(last)
    await wire.until(() => wire.datagrams >= before + (port === 7 ? 10 : 1))
  }
}

const works: Record<string, () => Promise<(i: number) => Promise<void>>> = {
  request: () => requests('/'),
  api: () => requests('/api/posts?id=7'),
  connection: connections,
  received,
  sent,
  'received-large': receivedLarge,
  'sent-much': sentMuch,
  datagram: () => datagrams(9),
  echo: () => datagrams(7),
}

begin(commandLine(FAMILY), async () => {
  await logged('ready')
  return works[WORK]!()
})
