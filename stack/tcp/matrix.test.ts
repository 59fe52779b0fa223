/** Every state, every kind of segment, left of the window, in it and right of it: what we do is what the oracle of the RFCs says. */
import test from 'ava'
import { type Arrival, judge, type Reply, type Situation, type State } from '../testing/oracle.ts'
import { type Raw, raw } from '../testing/raw.ts'
import type { SeenSegment } from '../testing/raw-peer.ts'
import { record, text, write } from '../testing/session.ts'
import { ACK, FIN, PSH, RST, SYN } from '../wire/tcp.ts'
import type { Connection } from './connection.ts'
import { stateNames } from './state.ts'
import { portsOf } from './table.ts'

const WINDOW = 4096
const PEER_WINDOW = 65_535
const URG = 0x20
const states: State[] = [
  'CLOSED',
  'LISTEN',
  'SYN-SENT',
  'SYN-RECEIVED',
  'ESTABLISHED',
  'FIN-WAIT-1',
  'FIN-WAIT-2',
  'CLOSE-WAIT',
  'CLOSING',
  'LAST-ACK',
  'TIME-WAIT',
]

/** Where a segment begins, from what is expected next. */
const positions = {
  'far left': -3000,
  left: -3,
  exact: 0,
  inside: 100,
  'last inside': WINDOW - 1,
  'right edge': WINDOW,
  'far right': WINDOW + 5000,
}

/** Acknowledgment from the first unacknowledged byte; `all` is all that was sent. */
type Acknowledgment = 'all' | number
const kinds: { name: string; flags: number; acknowledgment?: Acknowledgment; bytes?: number }[] = [
  { name: 'SYN', flags: SYN },
  { name: 'SYN+ACK', flags: SYN | ACK, acknowledgment: 'all' },
  { name: 'SYN+ACK of what was never sent', flags: SYN | ACK, acknowledgment: 5000 },
  { name: 'ACK of all', flags: ACK, acknowledgment: 'all' },
  { name: 'ACK, the same again', flags: ACK, acknowledgment: 0 },
  { name: 'ACK, old', flags: ACK, acknowledgment: -5 },
  { name: 'ACK, too old', flags: ACK, acknowledgment: -100_000 },
  { name: 'ACK of what was never sent', flags: ACK, acknowledgment: 5000 },
  { name: 'RST', flags: RST },
  { name: 'RST+ACK', flags: RST | ACK, acknowledgment: 'all' },
  { name: 'FIN', flags: FIN | ACK, acknowledgment: 0 },
  { name: 'FIN, ACK of all', flags: FIN | ACK, acknowledgment: 'all' },
  { name: 'FIN with data', flags: FIN | ACK | PSH, acknowledgment: 0, bytes: 10 },
  { name: 'FIN with data, ACK of all', flags: FIN | ACK | PSH, acknowledgment: 'all', bytes: 10 },
  { name: 'data', flags: ACK | PSH, acknowledgment: 0, bytes: 10 },
  { name: 'data, ACK of all', flags: ACK, acknowledgment: 'all', bytes: 10 },
  { name: 'data, ACK of what was never sent', flags: ACK, acknowledgment: 5000, bytes: 10 },
  { name: 'urgent data', flags: ACK | URG, acknowledgment: 0, bytes: 10 },
  { name: 'more data than the window', flags: ACK, acknowledgment: 0, bytes: 1400 },
  { name: 'data without ACK', flags: PSH, bytes: 10 },
  { name: 'FIN without ACK', flags: FIN },
  { name: 'no flag', flags: 0 },
]

interface Scene extends Raw {
  situation: Situation
  events: string[]
  /** RCV.NXT and SND.UNA. */
  next: number
  una: number
  ports: { sourcePort: number; destinationPort: number }
}

/** A connection in `state`, without anything on its way but what the state is made of. */
async function reach(state: State): Promise<Scene> {
  const r = raw({ limits: { receiveWindow: WINDOW } })
  const { world, peer, stack } = r
  const events: string[] = []
  const scene = (flight: number, next: number, una: number, ports = { sourcePort: 5000, destinationPort: 80 }): Scene => {
    peer.segments()
    return { ...r, events, next, una, ports, situation: { state, flight, window: WINDOW, largestWindow: PEER_WINDOW } }
  }
  peer.arp(1)
  await world.run(1)
  if (state === 'CLOSED') return scene(0, 7000, 9000)
  let socket!: Connection
  stack.tcp.bind(80, {}, accepted => {
    socket = accepted as Connection
    return record(events)
  })
  if (state === 'LISTEN') return scene(0, 7000, 9000)
  if (state === 'SYN-SENT') {
    stack.tcp.connect({ host: '10.0.0.1', port: 4000 }).then(
      () => {},
      () => {},
    )
    await world.run(2)
    const [{ seq, sourcePort }] = peer.segments()
    return scene(1, 7000, seq, { sourcePort: 4000, destinationPort: sourcePort })
  }
  peer.tcp({ seq: 1000, flags: SYN })
  await world.run(2)
  const iss = peer.segments()[0].seq
  if (state === 'SYN-RECEIVED') return scene(1, 1001, iss)
  peer.tcp({ seq: 1001, ack: iss + 1 })
  await world.run(2)
  const una = iss + 1
  const closes = async (acknowledgment = 0): Promise<void> => {
    peer.tcp({ seq: 1001, ack: una + acknowledgment, flags: FIN | ACK })
    await world.run(2)
  }
  if (state === 'CLOSE-WAIT' || state === 'LAST-ACK') await closes()
  if (state === 'ESTABLISHED' || state === 'CLOSE-WAIT') {
    write(socket, '1234567890')
    await world.run(2)
    return scene(10, state === 'ESTABLISHED' ? 1001 : 1002, una)
  }
  socket.end()
  await world.run(2)
  if (state === 'LAST-ACK') return scene(1, 1002, una)
  if (state === 'FIN-WAIT-1') return scene(1, 1001, una)
  if (state === 'CLOSING') {
    await closes()
    return scene(1, 1002, una)
  }
  peer.tcp({ seq: 1001, ack: una + 1 })
  await world.run(2)
  if (state === 'FIN-WAIT-2') return scene(0, 1001, una + 1)
  await closes(1)
  return scene(0, 1002, una + 1)
}

function stateOf({ stack, ports }: Scene): State {
  const { connections } = stack.link.ipv4.routeTo('10.0.0.1')!
  const connection = connections?.get(portsOf(ports.destinationPort, ports.sourcePort))
  return connection === undefined ? 'CLOSED' : stateNames[connection.state]
}

const int = (value: number): number => value >>> 0

/** The name of what was answered, if it is one of those there are, with the right numbers. */
function replyOf(seen: readonly SeenSegment[], scene: Scene, s: Arrival, received: number): string {
  if (seen.length === 0) return 'none'
  const [{ flags, seq, ack }] = seen
  const numbers = `${flags} <SEQ=UNA+${(seq - scene.una) | 0}><ACK=NXT+${(ack - scene.next) | 0}>`
  if (seen.length > 1) return `${seen.length} segments, the first ${numbers}`
  const { flight } = scene.situation
  const length = s.bytes + (s.syn ? 1 : 0) + (s.fin ? 1 : 0)
  const synNext = scene.next + s.sequence + 1
  const isNext = scene.situation.state === 'SYN-SENT' ? ack === int(synNext) : ack === int(scene.next + received)
  if (flags === ACK && seq === int(scene.una + flight) && isNext) return 'ACK'
  if (flags === (SYN | ACK) && ack === int(synNext)) return 'SYN-ACK'
  if (flags === RST && seq === int(scene.una + s.acknowledgment)) return 'RST <SEQ=SEG.ACK>'
  if (flags === (RST | ACK) && seq === 0 && ack === int(scene.next + s.sequence + length)) return 'RST <SEQ=0><ACK=SEG.SEQ+SEG.LEN>'
  return numbers
}

let cases = 0
for (const state of states) {
  test(`${state}: ${kinds.length} kinds of segment at ${Object.keys(positions).length} positions`, async t => {
    for (const { name, flags, acknowledgment = 0, bytes = 0 } of kinds) {
      for (const [position, sequence] of Object.entries(positions)) {
        const scene = await reach(state)
        const { peer, world, next, una, ports, events } = scene
        if (state !== 'LISTEN') t.is(stateOf(scene), state)
        const arrival: Arrival = {
          syn: (flags & SYN) !== 0,
          ack: (flags & ACK) !== 0,
          rst: (flags & RST) !== 0,
          fin: (flags & FIN) !== 0,
          sequence,
          acknowledgment: acknowledgment === 'all' ? scene.situation.flight : acknowledgment,
          bytes,
        }
        const expected = judge(scene.situation, arrival)
        const before = events.length
        const ack = arrival.ack ? una + arrival.acknowledgment : 0
        peer.tcp({ ...ports, seq: next + sequence, ack, flags, payload: text('x'.repeat(bytes)) })
        await world.run(60) // longer than an acknowledgment is held back, shorter than the least retransmission timeout
        const seen = peer.segments()
        const after = stateOf(scene)
        const delivered = events.slice(before).reduce((sum, event) => sum + (event.startsWith('data ') ? event.length - 5 : 0), 0)
        const reply = replyOf(seen, scene, arrival, expected.received)
        const where = `${state}, ${name}, ${position}`
        t.is(after, expected.state === 'LISTEN' ? 'CLOSED' : expected.state, `${where}: the state`)
        t.true(expected.replies.includes(reply as Reply), `${where}: answered ${reply}, not ${expected.replies.join(' or ')}`)
        t.is(delivered, expected.delivered, `${where}: bytes delivered`)
        const connection = scene.stack.link.ipv4.routeTo('10.0.0.1')!.connections?.get(portsOf(ports.destinationPort, ports.sourcePort))
        if (connection !== undefined && after !== 'SYN-RECEIVED' && state !== 'SYN-SENT') {
          t.is((connection.rcvNxt - next) | 0, expected.received, `${where}: RCV.NXT`)
          t.is((connection.sndUna - una) | 0, expected.acknowledged, `${where}: SND.UNA`)
        }
        cases++
      }
    }
    t.log(`${cases} cases so far`)
  })
}
