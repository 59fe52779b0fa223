/** For tests of the RFCs' rules: a peer that speaks raw TCP, and a server that notes what happens. */
import type { ByteSocket, SocketHandler } from '../socket.ts'
import type { Connection } from '../tcp/connection.ts'
import { stateNames } from '../tcp/state.ts'
import { SYN } from '../wire/tcp.ts'
import { type Raw, raw } from './raw.ts'

/** A server on port 80 that notes what happens, and a peer that has shaken hands with it. */
export interface Session extends Raw {
  socket: Connection
  events: string[]
  /** The server's first sequence number after its SYN; the peer's is 1001. */
  iss: number
  state(): string
}

export const record = (events: string[], kept = 0): SocketHandler => ({
  onData(bytes, offset, length) {
    events.push(`data ${Buffer.from(bytes.slice(offset, offset + length))}`)
    return Math.min(kept, length)
  },
  onEnd: () => void events.push('end'),
  onWritable: () => void events.push('writable'),
  onClosed: error => void events.push(`closed ${error === undefined ? '' : (error as { code?: string }).code}`),
})

export async function session({
  options = [],
  window = 65535,
  kept = 0,
  ...config
}: { options?: number[]; window?: number; kept?: number } & Parameters<typeof raw>[0] = {}): Promise<Session> {
  const world = raw(config)
  const events: string[] = []
  let socket: ByteSocket | undefined
  world.stack.tcp.bind(80, {}, accepted => {
    socket = accepted
    return record(events, kept)
  })
  world.peer.tcp({ seq: 1000, flags: SYN, options, window })
  await world.world.run(5)
  const [synAck] = world.peer.segments()
  world.peer.tcp({ seq: 1001, ack: synAck.seq + 1, window })
  await world.world.run(5)
  const connection = socket as Connection
  return { ...world, socket: connection, events, iss: synAck.seq + 1, state: () => stateNames[connection.state] }
}

export const text = (value: string): Uint8Array => Buffer.from(value)
export function write(socket: ByteSocket, value: string | Uint8Array): void {
  const bytes = typeof value === 'string' ? text(value) : value
  socket.queue(bytes, 0, bytes.length)
  socket.flush()
}
