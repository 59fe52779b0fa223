/** A xenstore daemon that misbehaves, and the client that must bear it. The tables are in xenstored-tables.ts. */
import type { Assert } from '@xen-ts/boot/cases'
import type { Reply, SimulatedDomain, StoreConnection } from '../sim/index.ts'
import { SimulatedXen, unwatched } from '../sim/index.ts'
import { XenstoreError } from '../xenstore/error.ts'
import { Xenstore } from '../xenstore/xenstore.ts'
import type { Supervision } from './supervise.ts'
import { inStoreRing, supervise } from './supervise.ts'

const ALLOWED = [
  { offset: 2048, length: 4, why: 'req_cons: each request that finds the ring full looks by itself, and checks what it finds' },
]

const TRANSACTION_START = 6
const WATCH_EVENT = 15

/** Requests of each kind at the same time: what the daemon then does may break any of them, with an error that says so. */
const workload = (xenstore: Xenstore): Promise<unknown>[] => [
  xenstore.read('domid'),
  xenstore.directory('data'),
  xenstore.write('data/x', '1'),
  xenstore.transaction(view => view.mkdir('data/y')),
  xenstore.transaction(async view => view.write('data/z', await view.read('domid'))),
  xenstore.domainExists(1),
  xenstore.tryRead('data/nothing'),
]

export class HostileStore {
  readonly xen = new SimulatedXen({ stepLimit: 50_000 })
  readonly domain: SimulatedDomain
  readonly connection: StoreConnection
  readonly supervision: Supervision
  readonly xenstore: Xenstore
  /** The ring's page, as words. */
  readonly words: Uint32Array
  readonly bytes: Uint8Array
  /** Times the watch of `play` was told. */
  events = 0

  constructor() {
    this.domain = this.xen.createDomain(1)
    this.connection = this.xen.store.connections.get(1) as StoreConnection
    this.supervision = supervise(this.xen, this.domain, (how, { offset }) => how === 'store' && inStoreRing(offset), ALLOWED, true)
    // What the daemon does is no access of the guest's.
    this.bytes = unwatched(new Uint8Array(this.domain.xenstore?.page as ArrayBuffer))
    this.words = unwatched(new Uint32Array(this.bytes.buffer))
    this.xenstore = new Xenstore(this.domain.machine)
  }

  /** Gives the guest an event. */
  event(): void {
    this.domain.dispatch(this.connection.port)
  }

  /** All kinds of requests work. */
  async works(t: Assert): Promise<void> {
    const results = await this.xen.run(Promise.all(workload(this.xenstore)))
    t.is(results[0], '1')
    const value = `v${this.xen.now}-${this.events}`
    await this.xen.run(this.xenstore.write('data/k', value))
    t.is(await this.xen.run(this.xenstore.read('data/k')), value)
  }
}

/**
 * `bears`: all that was asked for is answered, and rightly;
 * `errors`: what could not be answered rightly is rejected with a XenstoreError; once the daemon is good again all is well.
 * `breaks`: one error in the log, and everything is rejected with EIO from then on.
 */
export type Outcome = 'bears' | 'errors' | 'breaks'

export interface Row {
  /** What is sent instead of each message. */
  readonly tamper?: (reply: Reply, peer: HostileStore) => Reply[]
  /** Or what is done to the ring, with requests waiting for a daemon that has stopped. */
  readonly spoil?: (peer: HostileStore) => void | Promise<void>
  readonly outcome: Outcome
  /** No transaction can have begun: nothing of what is done in one may have happened. */
  readonly noTransaction?: boolean
  /** Lines in the log that say so: 1 for what breaks the connection, by default none for the rest. */
  readonly warnings?: number
}

/** Plays a row, and checks what came of it. */
export async function play(
  t: Assert,
  { tamper, spoil, outcome, noTransaction = false, warnings = outcome === 'breaks' ? 1 : 0 }: Row,
): Promise<void> {
  const peer = new HostileStore()
  const { xen, connection, xenstore, supervision } = peer
  const watch = xenstore.watch('data', () => peer.events++)
  await peer.works(t)
  for (const key of ['y', 'z']) xen.store.remove(`/local/domain/1/data/${key}`)
  await xen.settle()
  if (tamper !== undefined)
    connection.tamper = reply => {
      const sent = reply.type === WATCH_EVENT ? [reply] : tamper(reply, peer)
      // A transaction that we were never told of is the daemon's own.
      if (outcome === 'errors' && reply.type === TRANSACTION_START && !sent.includes(reply))
        connection.transactions.delete(Number(String.fromCharCode(...reply.payload.subarray(0, -1))))
      return sent
    }
  else connection.stopped = true
  const work = Promise.allSettled(workload(xenstore))
  if (spoil !== undefined) {
    await xen.settle()
    await spoil(peer)
    if (outcome !== 'breaks') {
      connection.stopped = false
      connection.wake()
    }
  }
  const results = await xen.run(work)
  for (const result of results) if (result.status === 'rejected') t.true(result.reason instanceof XenstoreError, String(result.reason))
  if (noTransaction) for (const key of ['y', 'z']) t.is(xen.store.read(`/local/domain/1/data/${key}`), undefined)
  if (outcome === 'bears')
    t.deepEqual(
      results.filter(({ status }) => status === 'rejected'),
      [],
    )
  else
    t.true(
      results.some(({ status }) => status === 'rejected'),
      'nothing was rejected',
    )
  if (outcome === 'breaks') {
    await isBroken(t, peer)
  } else {
    connection.tamper = undefined
    await xen.settle()
    await peer.works(t)
    const before = peer.events
    xen.store.write('/local/domain/1/data/told', '1')
    await xen.settle()
    t.is(peer.events, before + 1)
  }
  watch.close()
  await xen.settle()
  t.is(supervision.warnings().length, warnings, supervision.warnings().join('; '))
  if (outcome === 'breaks') peer.domain.destroy() // nobody can unwatch any more
  await supervision.verdict()
}

async function isBroken(t: Assert, { xen, xenstore, supervision, events }: HostileStore): Promise<void> {
  t.true(/^the connection is broken: /.test(supervision.warnings()[0]), supervision.warnings()[0])
  const asks: (() => Promise<unknown>)[] = [
    () => xenstore.read('domid'),
    () => xenstore.until('data', () => true),
    () => xenstore.transaction(async () => {}),
  ]
  for (const ask of asks) {
    const error = await t.rejects(xen.run(ask))
    t.is((error as XenstoreError).code, 'EIO')
  }
  t.true(events > 0)
}
