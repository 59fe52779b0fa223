/** A network backend that misbehaves, and the guest that must bear it. The tables are in netback-rings.ts and netback-life.ts. */
import type { Assert } from '@xen-ts/boot/cases'
import type { Frame } from '@xen-ts/runtime/machine'
import type { Netfront, NetfrontOptions } from '../index.ts'
import { connectNetfront } from '../index.ts'
import { FIRST_SLOT, packet, setUp, transmit } from '../netfront/testing.ts'
import type { ForeignPages } from '../shared-pages.ts'
import type { NetbackOptions, SimulatedDomain } from '../sim/index.ts'
import type { Supervision, WriteRule } from './supervise.ts'
import { inFrontRing, inStoreRing, supervise } from './supervise.ts'

/**
 * What must come of it:
 * `closes`: one warning that says that the backend broke the ring, no more of it, our state Closed;
 * `leaves`: no warning, one line that says that the backend has gone or closed;
 * `drops`: one warning, nothing delivered, the connection serves on;
 * `bears`: nothing at all, the connection serves on.
 * After the first two a good backend is attached, and must serve.
 */
export type Outcome = 'closes' | 'leaves' | 'drops' | 'bears'

export interface Row {
  readonly act: (peer: HostileNetback) => void | Promise<void>
  readonly outcome?: Outcome
  readonly backend?: NetbackOptions
  readonly options?: NetfrontOptions
  /** Packets that the guest gets of it; none by default. */
  readonly delivers?: number
  /** More to check, before a good backend comes. */
  readonly check?: (peer: HostileNetback, t: Assert) => void | Promise<void>
}

/** By its name what the backend does, and what is expected if it is not `closes`. */
export type Table = Readonly<Record<string, Row | Row['act']>>

const LARGE: NetfrontOptions = { largePackets: true }
const RSP_PROD = 2

const ALLOWED = [
  {
    offset: 8,
    length: 4,
    why: 'rsp_prod: the look before going to sleep only says whether to look again; what that finds is checked anew',
  },
  { offset: 2048, length: 4, why: 'req_cons of xenstore: each request that finds the ring full looks by itself, and checks what it finds' },
]

/** Rings are a page each. Pages for packets to come are the backend's to write, those for packets to send are ours. */
const mayWrite =
  (guest: SimulatedDomain): WriteRule =>
  (how, { buffer, offset }) =>
    how === 'store'
      ? inStoreRing(offset)
      : how === 'granted'
        ? guest.allocations.get(buffer)?.count === 1 && inFrontRing(offset % 4096)
        : how === 'granted read-only'

export class HostileNetback {
  readonly set = setUp(undefined, { stepLimit: 20_000 })
  readonly supervision: Supervision
  /** What the guest got. */
  packets: Uint8Array[] = []
  device!: Netfront
  /** Pages that it maps besides. */
  kept!: ForeignPages

  constructor(backend: NetbackOptions | undefined) {
    this.supervision = supervise(this.set.xen, this.set.guest, mayWrite(this.set.guest), ALLOWED)
    if (backend === undefined) return
    this.set.netback.vanish()
    this.set.netback = this.set.attach(backend)
  }

  async connect(options: NetfrontOptions = LARGE): Promise<void> {
    const { xen, drivers } = this.set
    await this.adopt(await xen.run(connectNetfront(drivers, { sendBuffers: 8, receiveBuffers: 32, ...options })))
  }

  async adopt(device: Netfront): Promise<void> {
    this.device = device
    device.onReceive = (frame: Frame, length: number) => {
      this.packets.push(frame.u8.slice(0, length))
    }
    await this.settle()
  }

  // The rings as the backend has them.

  get rx(): Uint32Array {
    if (this.set.netback.rx === undefined) throw new Error('the backend is not connected')
    return this.set.netback.rx.words
  }

  get tx(): Uint32Array {
    if (this.set.netback.tx === undefined) throw new Error('the backend is not connected')
    return this.set.netback.tx.words
  }

  /** Writes a response into slot `index` of the receive ring. */
  respond(index: number, id: number, offset: number, flags: number, status: number): void {
    this.rx[FIRST_SLOT + index * 2] = id | (offset << 16)
    this.rx[FIRST_SLOT + index * 2 + 1] = flags | (status << 16)
  }

  /** Writes extra info into slot `index` of the receive ring. */
  inform(index: number, type: number, flags: number, size: number, segments: number): void {
    this.rx[FIRST_SLOT + index * 2] = type | (flags << 8) | (size << 16)
    this.rx[FIRST_SLOT + index * 2 + 1] = segments
  }

  /** Writes an answer into slot `index` of the send ring. */
  answer(index: number, id: number, status = 0): void {
    this.tx[FIRST_SLOT + index * 3] = id | (status << 16)
  }

  /** Shows the guest `count` more responses, or fewer, and gives it an event. */
  showReceived(count: number): void {
    this.rx[RSP_PROD] += count
    this.event()
  }

  showAnswers(count: number): void {
    this.tx[RSP_PROD] += count
    this.event()
  }

  /** Changes words of a ring, lets the guest run, and puts back what was there. */
  async meanwhile(words: Uint32Array, from: number, to: number, change: () => void): Promise<void> {
    this.set.dom0.abi.fence()
    const saved = words.slice(from, to)
    change()
    this.event()
    await this.settle()
    words.set(saved, from)
    this.set.dom0.abi.fence()
  }

  /** On all event channels there are. */
  event(): void {
    this.set.netback.channel?.notify()
    this.set.netback.txChannel?.notify()
  }

  /** The backend's own bookkeeping follows: it has used the first `count` receive buffers. */
  took(count: number): void {
    const { rx } = this.set.netback
    if (rx === undefined) return
    rx.consumed += count
    rx.produced += count
  }

  /** The guest sends packets until it has no buffers left, and gets no answers. */
  async fillSendRing(): Promise<void> {
    this.set.netback.holdResponses = true
    while (transmit(this.device, packet(60))) {
      /* as long as there are buffers */
    }
    await this.settle()
  }

  /** A key of the backend's directory, or of the guest's. undefined removes it. */
  write(key: string, value: string | undefined, whose: 'backend' | 'guest' = 'backend'): void {
    const {
      netback: { path, frontendPath },
      xen: { store },
    } = this.set
    const full = `${whose === 'backend' ? path : frontendPath}${key === '' ? '' : '/'}${key}`
    if (value !== undefined) store.write(full, value)
    else if (store.read(full) !== undefined) store.remove(full)
  }

  async settle(): Promise<void> {
    await this.set.xen.settle()
  }

  /** A packet each way. */
  async serves(t: Assert): Promise<void> {
    const { netback, xen } = this.set
    const before = this.packets.length
    const sent = netback.received.length
    t.true(transmit(this.device, packet(99, 5)), 'it cannot send')
    netback.send(packet(77, 9))
    await xen.advance(10)
    t.is(netback.received.length, sent + 1, 'packets the backend got')
    t.is(this.packets.length, before + 1, 'packets the guest got')
    t.deepEqual(this.packets.at(-1), packet(77, 9))
    t.is(netback.fatal, undefined)
  }

  /** A good backend comes in place of this one. */
  async replace(): Promise<void> {
    this.set.netback.vanish()
    await this.set.xen.advance(1500) // longer than a backend that broke the rules is kept waiting
    this.set.netback = this.set.attach({})
    await this.set.xen.advance(1500)
  }

  async end(): Promise<void> {
    await this.set.xen.run(this.device.close())
    this.set.netback.vanish()
    await this.supervision.verdict()
  }
}

/** Plays a row, and checks what must come of it. */
export async function play(t: Assert, row: Row | Row['act']): Promise<void> {
  const { act, outcome = 'closes', backend, options, delivers = 0, check } = typeof row === 'function' ? ({ act: row } as Row) : row
  const peer = new HostileNetback(backend)
  await peer.connect(options)
  await peer.serves(t)
  const delivered = peer.packets.length
  const quiet = peer.set.guest.log.length
  await act(peer)
  await peer.settle()
  const lines = peer.set.guest.log.slice(quiet).map(({ level, text }) => `${level}: ${text}`)
  const warnings = lines.filter(line => !line.startsWith('info') && !line.startsWith('debug'))
  t.is(warnings.length, outcome === 'closes' || outcome === 'drops' ? 1 : 0, `warnings (${lines.join('; ')})`)
  if (outcome === 'closes') {
    t.true(/^warn: the backend in domain 0 broke the ring: .*The connection is closed/.test(warnings[0]), warnings[0])
    t.is(peer.set.xen.store.read(`${peer.set.netback.frontendPath}/state`), '6')
  }
  if (outcome === 'leaves') t.is(lines.filter(line => /^info: vif 0: disconnected/.test(line)).length, 1, lines.join('; '))
  t.is(peer.packets.length, delivered + delivers, 'packets delivered')
  const closed = outcome === 'closes' || outcome === 'leaves'
  if (closed) t.is(peer.device.reserve(), undefined)
  await check?.(peer, t)
  if (closed) await peer.replace()
  await peer.serves(t)
  await peer.end()
}
