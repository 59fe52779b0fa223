/**
 * The simulated xenstore daemon. Guests reach it through their ring page, so the client's ring, framing and matching are really
 * used; tests that play the toolstack write as dom0 with the methods below.
 */
import { setOwner } from './accesses.ts'
import { Uint8Array } from './arrays.ts'
import type { SimulatedDomain } from './domain.ts'
import type { Change, Permission, StoreView } from './store.ts'
import { Access, mayAccess, Store, StoreFailure } from './store.ts'
import type { Reply, StoreWatch } from './store-connection.ts'
import { MAX_PAYLOAD, StoreConnection } from './store-connection.ts'
import { bytesOf, latin1 } from './text.ts'
import type { SimulatedXen } from './xen.ts'

const Type = {
  directory: 1,
  read: 2,
  getPermissions: 3,
  watch: 4,
  unwatch: 5,
  transactionStart: 6,
  transactionEnd: 7,
  write: 11,
  mkdir: 12,
  remove: 13,
  setPermissions: 14,
  watchEvent: 15,
  error: 16,
  isDomainIntroduced: 17,
  resetWatches: 21,
  directoryPart: 22,
}
/** Requests that take something of what the store allows a domain. */
const TAKERS = new Set([Type.watch, Type.transactionStart, Type.transactionEnd, Type.write, Type.mkdir, Type.setPermissions])
const MAX_WATCHES = 128
const MAX_TRANSACTIONS = 10
const letters = ['n', 'r', 'w', 'b']

export class SimulatedXenstore {
  readonly store = new Store()
  readonly connections = new Map<number, StoreConnection>()
  /** Whether guests are told when a domain ends; a dom0 with the default permissions does not (XSA-115). */
  tellsReleases = true
  /** Messages that arrived, for tests that count them. */
  requests = 0
  readonly #xen: SimulatedXen
  #nextTransaction = 1

  constructor(xen: SimulatedXen) {
    this.#xen = xen
  }

  // What dom0's toolstack does, directly.

  write(path: string, value: string, permissions?: readonly Permission[]): void {
    this.#directly(view => {
      view.write(0, path, value)
      if (permissions !== undefined) view.setPermissions(0, path, permissions)
    })
  }

  remove(path: string): void {
    this.#directly(view => view.remove(0, path))
  }

  /** Value of a key, undefined when there is none. */
  read(path: string): string | undefined {
    const view = this.store.direct()
    return view.exists(path) ? view.read(0, path) : undefined
  }

  permissions(path: string): readonly Permission[] {
    return this.store.direct().permissions(0, path)
  }

  /** Gives a domain its directory and connection. */
  introduce(domain: SimulatedDomain): void {
    const { domid } = domain
    const base = `/local/domain/${domid}`
    const readable = [
      { domid: 0, access: Access.none },
      { domid, access: Access.read },
    ]
    const owned = [{ domid, access: Access.none }]
    this.write(base, '', readable)
    this.write(`${base}/domid`, String(domid), readable)
    this.write(`${base}/control`, '', readable)
    for (const name of ['shutdown', 'feature-poweroff', 'feature-reboot', 'feature-suspend', 'sysrq'])
      this.write(`${base}/control/${name}`, '', owned)
    for (const name of ['data', 'device']) this.write(`${base}/${name}`, '', name === 'data' ? owned : readable)
    const page = new ArrayBuffer(4096)
    setOwner(page, domain)
    const connection = new StoreConnection(domain, page, (connection, message) => this.#handle(connection, message))
    this.connections.set(domid, connection)
    domain.xenstore = { page, port: connection.port }
    this.#tell([{ path: '@introduceDomain', exact: false, permissions: [{ domid: 0, access: Access.read }] }])
  }

  release(domain: SimulatedDomain): void {
    this.connections.delete(domain.domid)
    if (this.tellsReleases) this.#tell([{ path: '@releaseDomain', exact: false, permissions: [{ domid: 0, access: Access.read }] }])
  }

  leaks(): string[] {
    return [...this.connections.values()].flatMap(({ domain: { domid }, watches, transactions }) => [
      ...watches.map(({ given }) => `domain ${domid}: a xenstore watch on ${given} is set`),
      ...[...transactions.keys()].map(id => `domain ${domid}: xenstore transaction ${id} is open`),
    ])
  }

  #directly(change: (view: StoreView) => void): void {
    const view = this.store.direct()
    change(view)
    this.#tell(view.changes)
  }

  #handle(connection: StoreConnection, { type, requestId, transactionId, payload }: Reply): void {
    this.requests++
    const reply = { type, requestId, transactionId, payload: bytesOf('OK\0') }
    let changes: readonly Change[] = []
    try {
      if (TAKERS.has(type) && connection.domain.refuses('store')) throw new StoreFailure('ENOSPC')
      const transaction = connection.transactions.get(transactionId)
      if (transactionId !== 0 && transaction === undefined) throw new StoreFailure('ENOENT')
      const view = transaction?.view ?? this.store.direct()
      const result = this.#perform(connection, type, transactionId, view, payload)
      if (typeof result === 'string') reply.payload = Uint8Array.from(result, character => character.charCodeAt(0))
      else if (result !== undefined) changes = result
      if (transaction === undefined) changes = [...changes, ...view.changes]
    } catch (error) {
      if (!(error instanceof StoreFailure)) throw error
      reply.type = Type.error
      reply.payload = bytesOf(`${error.code}\0`)
    }
    connection.send(reply)
    if (type === Type.watch && reply.type === Type.watch) this.#sendEvent(connection, connection.watches.at(-1) as StoreWatch, undefined)
    this.#tell(changes)
  }

  /** The text to answer, or the changes a commit brings, or nothing special. */
  #perform(
    connection: StoreConnection,
    type: number,
    transactionId: number,
    view: StoreView,
    payload: Uint8Array,
  ): string | readonly Change[] | undefined {
    const { domid } = connection.domain
    const text = latin1(payload, 0, payload.length)
    const nul = text.indexOf('\0')
    const [first, ...rest] = text.split('\0')
    const path = first.startsWith('/') || first.startsWith('@') ? first : `/local/domain/${domid}/${first}`
    switch (type) {
      case Type.read:
        return view.read(domid, path)
      case Type.write: {
        if (nul < 0) throw new StoreFailure('EINVAL')
        view.write(domid, path, text.slice(nul + 1))
        return undefined
      }
      case Type.mkdir:
        return view.mkdir(domid, path) ?? undefined
      case Type.remove:
        return view.remove(domid, path) ?? undefined
      case Type.directory: {
        const list = view
          .directory(domid, path)
          .names.map(name => `${name}\0`)
          .join('')
        if (list.length > MAX_PAYLOAD) throw new StoreFailure('E2BIG')
        return list
      }
      case Type.directoryPart:
        return directoryPart(view.directory(domid, path), Number(rest[0]))
      case Type.getPermissions:
        return view
          .permissions(domid, path)
          .map(({ domid, access }) => `${letters[access]}${domid}\0`)
          .join('')
      case Type.setPermissions: {
        const permissions = rest
          .filter(entry => entry !== '')
          .map(entry => ({ domid: Number(entry.slice(1)), access: letters.indexOf(entry[0]) }))
        if (permissions.some(({ domid, access }) => access < 0 || !Number.isInteger(domid))) throw new StoreFailure('EINVAL')
        return view.setPermissions(domid, path, permissions) ?? undefined
      }
      case Type.watch:
        return this.#watch(connection, path, first, rest[0])
      case Type.unwatch: {
        const index = connection.watches.findIndex(watch => watch.path === path && watch.token === rest[0])
        if (index < 0) throw new StoreFailure('ENOENT')
        connection.watches.splice(index, 1)
        return undefined
      }
      case Type.transactionStart: {
        if (connection.transactions.size >= MAX_TRANSACTIONS) throw new StoreFailure('ENOSPC')
        connection.transactions.set(this.#nextTransaction, this.store.begin())
        return `${this.#nextTransaction++}\0`
      }
      case Type.transactionEnd: {
        const transaction = connection.transactions.get(transactionId)
        if (transaction === undefined || (first !== 'T' && first !== 'F')) throw new StoreFailure('EINVAL')
        connection.transactions.delete(transactionId)
        return first === 'T' ? this.store.commit(transaction) : undefined
      }
      case Type.isDomainIntroduced:
        return this.connections.has(Number(first)) ? 'T\0' : 'F\0'
      case Type.resetWatches: {
        connection.watches.length = 0
        connection.transactions.clear()
        return undefined
      }
      default:
        throw new StoreFailure('EINVAL')
    }
  }

  #watch(connection: StoreConnection, path: string, given: string, token: string | undefined): undefined {
    if (token === undefined || path.length > 3071) throw new StoreFailure('EINVAL')
    if (connection.watches.some(watch => watch.path === path && watch.token === token)) throw new StoreFailure('EEXIST')
    if (connection.domain.domid !== 0 && connection.watches.length >= MAX_WATCHES) throw new StoreFailure('E2BIG')
    connection.watches.push({ path, given, token })
  }

  /** Sends an event for each watch that covers a change, if its domain may know. */
  #tell(changes: readonly Change[]): void {
    for (const connection of this.connections.values()) {
      for (const { path, exact, permissions } of changes) {
        if (!mayAccess(connection.domain.domid, permissions, Access.read)) continue
        for (const watch of connection.watches) {
          const below = watch.path === '/' || path.startsWith(`${watch.path}/`)
          if (path === watch.path || (below && !exact)) this.#sendEvent(connection, watch, path)
        }
      }
      connection.flush()
    }
  }

  /** A watch that was given a relative path is told relative paths. */
  #sendEvent(connection: StoreConnection, { path, given, token }: StoreWatch, changed: string | undefined): void {
    const seen = changed === undefined ? given : given === path ? changed : given + changed.slice(path.length)
    connection.send({ type: Type.watchEvent, requestId: 0, transactionId: 0, payload: bytesOf(`${seen}\0${token}\0`) })
    this.#xen.enqueue(() => connection.flush())
  }
}

/** A listing in parts: generation, then whole names as far as they fit, then an empty name when it was the last part. */
function directoryPart({ names, generation }: { names: string[]; generation: number }, offset: number): string {
  const list = names.map(name => `${name}\0`).join('')
  const head = `${generation}\0`
  if (!Number.isInteger(offset) || offset < 0 || offset > list.length) throw new StoreFailure('EINVAL')
  const room = MAX_PAYLOAD - head.length - 1
  const rest = list.slice(offset)
  if (rest.length <= room) return `${head}${rest}\0`
  return head + rest.slice(0, rest.lastIndexOf('\0', room - 1) + 1)
}
