/** Ends of a vchan that misbehave, and the other end that must bear it. The tables are in vchan-server.ts and vchan-client.ts. */
import type { Assert } from '@xen-ts/boot/cases'
import { type EventChannel, ForeignPages, SharedPages } from '@xen-ts/drivers'
import { type ByteChannel, ChannelClosedError } from '@xen-ts/drivers/channel'
import { inStoreRing, type Supervision, supervise, type WriteRule } from '@xen-ts/drivers/hostile'
import { Access, type SimulatedDomain } from '@xen-ts/drivers/sim'
import { Byte, Live, Order, Word } from '../layout.ts'
import { pattern, setUp } from '../testing.ts'

export const RING = 4096
export const SIZES = { readSize: RING, writeSize: RING }
const PORT = 512

/**
 * What must come of it, once the channel is open:
 * `closes`: one warning that says that the peer broke the ring, what waits is rejected, so is what comes later;
 * `ends`: no warning; reads say that it is over, writes are rejected;
 * `bears`: nothing at all, bytes flow on.
 */
export type Outcome = 'closes' | 'ends' | 'bears'

export interface Row<Peer> {
  readonly act: (peer: Peer) => void | Promise<void>
  readonly outcome?: Outcome
}
export type Table<Peer> = Readonly<Record<string, Row<Peer> | Row<Peer>['act']>>

const ALLOWED = [
  { offset: Byte.clientLive, length: 2, why: 'each look at a live byte decides by itself; no value of it is kept' },
  {
    offset: 0,
    length: 16,
    why: 'indices: each waiting read or write looks by itself, and checks what it finds; drivers/interleave is strict about those of one',
  },
  { offset: 2048, length: 4, why: 'req_cons of xenstore: each request that finds the ring full looks by itself, and checks what it finds' },
]

/** A client's: its indices, its live byte and the notify bytes in the control page, which it maps first; the LEFT ring. */
const asClient =
  (domain: SimulatedDomain): WriteRule =>
  (how, { buffer, offset }) => {
    if (how === 'store') return inStoreRing(offset)
    const control = [...domain.mappings].find(mapping => mapping.owner.domid !== domain.domid)?.buffer
    return (
      how === 'foreign' &&
      (buffer !== control ||
        (offset >= 4 && offset < 12) ||
        offset === Byte.clientLive ||
        offset === Byte.clientNotify ||
        offset === Byte.serverNotify)
    )
  }

/**
 * A server's: all of the control page but the client's indices; the RIGHT ring. It allocates control page, LEFT and RIGHT in this
 * order.
 */
const asServer =
  (domain: SimulatedDomain): WriteRule =>
  (how, { buffer, offset }) => {
    if (how === 'store') return inStoreRing(offset)
    const shared = [...domain.allocations.values()].slice(1) // the guard of supervise() is the first
    return (
      how === 'granted' && (shared.length > 3 || (buffer === shared[0].buffer ? offset < 4 || offset >= 12 : buffer !== shared[1].buffer))
    )
  }

/** What both kinds of peers have. */
class HostilePeer {
  readonly set = setUp({ stepLimit: 20_000 })
  readonly supervision: Supervision
  readonly attacker: SimulatedDomain
  /** The end under test, once it is open. */
  channel!: ByteChannel
  /** The control page as the attacker sees it. */
  control!: Uint8Array
  words!: Uint32Array
  halves!: Uint16Array
  event!: EventChannel

  constructor(victim: 'server' | 'client') {
    const { domain } = this.set[victim]
    this.supervision = supervise(this.set.xen, domain, victim === 'client' ? asClient(domain) : asServer(domain), ALLOWED, true)
    this.attacker = this.set[victim === 'client' ? 'server' : 'client'].domain
  }

  adopt(page: Uint8Array): void {
    this.control = page
    this.words = new Uint32Array(page.buffer, 0, 1024)
    this.halves = new Uint16Array(page.buffer, 0, 2048)
  }

  /** Makes what was changed visible, and kicks. */
  kick(): void {
    this.attacker.abi.fence()
    this.event.notify()
  }

  async settle(): Promise<void> {
    await this.set.xen.settle()
  }
}

/** Plays the server; domain 2's client is under test. */
export class HostileServer extends HostilePeer {
  readonly #pages: SharedPages
  /** Index of the ring of the victim that it reads from, by its producer; and of that it writes to, by its consumer. */
  readonly produced = Word.rightProducer
  readonly consumed = Word.leftConsumer
  readonly inbound = Word.rightConsumer
  readonly outbound = Word.leftProducer
  readonly ownLive = Byte.serverLive

  constructor() {
    super('client')
    const { machine, grants, events } = this.set.server
    this.#pages = new SharedPages(machine, grants, 3, 2, false, 'hostile')
    this.event = events.allocUnbound(2, 'hostile', () => {})
    this.adopt(this.#pages.bytes.subarray(0, RING))
    this.halves.set([12, 12], Order.left)
    this.words.set([this.refs[1], this.refs[2]], Word.grants)
    this.control[Byte.serverLive] = Live.connected
    this.control[Byte.clientLive] = Live.notYet
  }

  get refs(): readonly number[] {
    return this.#pages.refs
  }

  publish(ringRef: string | undefined = String(this.refs[0]), eventChannel: string | undefined = String(this.event.port)): void {
    const readable = [
      { domid: 1, access: Access.none },
      { domid: 2, access: Access.read },
    ]
    for (const [key, value] of [
      ['ring-ref', ringRef],
      ['event-channel', eventChannel],
    ])
      if (value !== undefined) this.key(key as string, value, readable)
  }

  key(
    name: string,
    value: string,
    permissions = [
      { domid: 1, access: Access.none },
      { domid: 2, access: Access.read },
    ],
  ): void {
    this.set.xen.store.write(`/local/domain/1/data/vchan/2/${PORT}/${name}`, value, permissions)
  }

  connecting(signal?: AbortSignal): Promise<ByteChannel> {
    return this.set.client.channels.connect(1, PORT, { signal })
  }

  async open(): Promise<void> {
    this.publish()
    this.channel = await this.set.xen.run(this.connecting())
    await this.settle()
  }

  leave(): void {
    this.event.close()
    this.#pages.release()
  }
}

/** Plays the client; domain 1's server is under test. */
export class HostileClient extends HostilePeer {
  pages!: ForeignPages
  readonly produced = Word.leftProducer
  readonly consumed = Word.rightConsumer
  readonly inbound = Word.leftConsumer
  readonly outbound = Word.rightProducer
  readonly ownLive = Byte.clientLive

  constructor() {
    super('server')
  }

  serving(signal?: AbortSignal): Promise<ByteChannel> {
    return this.set.server.channels.serve(2, PORT, { ...SIZES, signal })
  }

  /** Maps the page, binds the channel; `live` is what it says of itself. */
  async open(live: number = Live.connected): Promise<void> {
    const serving = this.serving()
    await this.settle()
    this.map()
    this.bind()
    this.control[Byte.clientLive] = live
    this.kick()
    this.channel = await this.set.xen.run(serving)
    await this.settle()
  }

  published(key: string): number {
    return Number(this.set.xen.store.read(`/local/domain/1/data/vchan/2/${PORT}/${key}`))
  }

  map(): void {
    this.pages = new ForeignPages(this.set.client.machine, 1, [this.published('ring-ref')], false, 'hostile')
    this.adopt(this.pages.bytes)
  }

  bind(): void {
    this.event = this.set.client.events.bindInterdomain(1, this.published('event-channel'), 'hostile', () => {})
  }

  leave(): void {
    this.event?.close()
    this.pages?.release()
  }
}

/** Bytes flow from the hostile peer, which plays by the rules for a moment, to us and back. */
async function flows(t: Assert, peer: HostileServer | HostileClient): Promise<void> {
  const {
    words,
    attacker,
    channel,
    set: { xen },
  } = peer
  attacker.abi.fence()
  words[peer.produced] = words[peer.inbound] + 5
  const got = channel.readExactly(5)
  const sent = channel.write(pattern(7))
  peer.kick()
  t.is((await xen.run(got))?.length, 5)
  await xen.run(sent)
  attacker.abi.fence()
  words[peer.consumed] = words[peer.outbound]
  peer.kick()
  await peer.settle()
}

/** A good pair on the same port, both ways. */
export async function serves(t: Assert, { set: { xen, server, client } }: HostilePeer): Promise<void> {
  const [a, b] = await xen.run(Promise.all([server.channels.serve(2, PORT, SIZES), client.channels.connect(1, PORT)]))
  await xen.run(Promise.all([a.write(pattern(9000)), b.write(pattern(100))].concat([b.readExactly(9000), a.readExactly(100)] as never[])))
  t.deepEqual(
    await xen.run(Promise.all([a.write(Uint8Array.of(1)).then(() => b.read()), b.write(Uint8Array.of(2)).then(() => a.read())])),
    [Uint8Array.of(1), Uint8Array.of(2)],
  )
  a.close()
  b.close()
}

/** Opens, plays a row, checks what came of it, and that the next pair is served. */
export async function play<Peer extends HostileServer | HostileClient>(
  t: Assert,
  peer: Peer,
  row: Row<Peer> | Row<Peer>['act'],
): Promise<void> {
  const { act, outcome = 'closes' } = typeof row === 'function' ? ({ act: row } as Row<Peer>) : row
  await peer.open()
  await flows(t, peer)
  const {
    channel,
    set: { xen },
  } = peer
  if (outcome === 'bears') {
    await act(peer)
    await peer.settle()
    await flows(t, peer)
    t.deepEqual(peer.supervision.warnings(), [])
  } else {
    const work = Promise.allSettled([channel.read(), channel.write(new Uint8Array(2 * RING))])
    await peer.settle()
    await act(peer)
    const [reading, writing] = await xen.run(work)
    t.is(reading.status, outcome === 'closes' ? 'rejected' : 'fulfilled')
    t.is(writing.status, 'rejected')
    const later = await xen.run(Promise.allSettled([channel.read(), channel.write(Uint8Array.of(1))]))
    for (const result of [reading, writing, ...later])
      if (result.status === 'rejected') t.true(result.reason instanceof ChannelClosedError, String(result.reason))
    t.is(later[1].status, 'rejected')
    await xen.run(channel.closed)
    const lines = peer.supervision.warnings()
    t.is(lines.length, outcome === 'closes' ? 1 : 0, lines.join('; '))
    if (outcome === 'closes') t.true(/^vchan [12]:512: the peer broke the ring: .*The channel is closed\.$/.test(lines[0]), lines[0])
  }
  channel.close()
  peer.leave()
  await serves(t, peer)
  await peer.supervision.verdict()
}
