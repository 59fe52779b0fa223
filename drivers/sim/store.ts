/**
 * The tree of the simulated xenstore: keys with permissions, transactions that notice collisions, and what a watch must be told.
 * After the behaviour of C xenstored (xen/tools/xenstored). No messages here, only operations.
 */

export const Access = { none: 0, read: 1, write: 2, both: 3 } as const

/** The first entry names the owner and what everybody else may do. */
export interface Permission {
  readonly domid: number
  readonly access: number
}

interface Node {
  readonly value: string
  readonly permissions: readonly Permission[]
  readonly children: ReadonlySet<string>
  readonly generation: number
}

/** A change a watch may be interested in. `exact`: only for watches of this very path (its parent went, and tells the others). */
export interface Change {
  readonly path: string
  readonly exact: boolean
  readonly permissions: readonly Permission[]
}

export class StoreFailure extends Error {
  readonly code: string

  constructor(code: string) {
    super(code)
    this.code = code
  }
}

/** Bytes of a key: value, permissions and the names of the keys below it (xenstored's quota for guests). */
const MAX_KEY = 2048
const MAX_NODES = 1000
const VALID_PATH = /^[-\w/@]+$/

/** As in xenstored's database: a header, 8 bytes a permission, the value, and each name with its NUL. */
const sizeOf = ({ value, permissions, children }: Node): number => {
  let size = 24 + 8 * permissions.length + value.length
  for (const name of children) size += name.length + 1
  return size
}
export const parentOf = (path: string): string => path.slice(0, Math.max(1, path.lastIndexOf('/')))
const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

export const mayAccess = (domid: number, permissions: readonly Permission[], wanted: number): boolean => {
  const [owner, ...listed] = permissions
  if (domid === 0 || domid === owner.domid) return true
  const access = listed.find(entry => entry.domid === domid)?.access ?? owner.access
  return (access & wanted) === wanted
}

/** What requests work on: the store itself, or the copy of a transaction. */
export class StoreView {
  nodes: Map<string, Node>
  readonly changes: Change[] = []
  /** Every path read or written, for finding collisions. */
  readonly touched = new Set<string>()
  readonly #store: Store

  constructor(store: Store, nodes: Map<string, Node>) {
    this.#store = store
    this.nodes = nodes
  }

  read(domid: number, path: string): string {
    return this.#get(domid, path, Access.read).value
  }

  directory(domid: number, path: string): { names: string[]; generation: number } {
    const { children, generation } = this.#get(domid, path, Access.read)
    return { names: [...children], generation }
  }

  permissions(domid: number, path: string): readonly Permission[] {
    return this.#get(domid, path, Access.read).permissions
  }

  write(domid: number, path: string, value: string): void {
    if (value.length > MAX_KEY) throw new StoreFailure('ENOSPC')
    this.#check(path)
    const node = this.#look(path)
    if (node === undefined) this.#create(domid, path, value)
    else {
      this.#allow(domid, node, Access.write)
      this.#put(path, { ...node, value })
    }
    this.#changed(path, false)
  }

  mkdir(domid: number, path: string): void {
    this.#check(path)
    const node = this.#look(path)
    if (node !== undefined) return this.#allow(domid, node, Access.write)
    this.#create(domid, path, '')
    this.#changed(path, false)
  }

  remove(domid: number, path: string): void {
    this.#check(path)
    if (path === '/') throw new StoreFailure('EINVAL')
    const node = this.#look(path)
    if (node === undefined) {
      if (this.#look(parentOf(path)) === undefined) throw new StoreFailure('ENOENT')
      return
    }
    this.#allow(domid, node, Access.write)
    const parent = parentOf(path)
    const above = this.#look(parent) as Node
    this.#put(parent, { ...above, children: new Set([...above.children].filter(name => name !== nameOf(path))) })
    this.#removeTree(path, true)
  }

  setPermissions(domid: number, path: string, permissions: readonly Permission[]): void {
    if (permissions.length === 0) throw new StoreFailure('EINVAL')
    const node = this.#get(domid, path, Access.none)
    if (domid !== 0 && (node.permissions[0].domid !== domid || permissions[0].domid !== domid)) throw new StoreFailure('EPERM')
    this.#put(path, { ...node, permissions })
    this.#changed(path, false)
  }

  exists(path: string): boolean {
    return this.nodes.has(path)
  }

  #look(path: string): Node | undefined {
    this.touched.add(path)
    return this.nodes.get(path)
  }

  #put(path: string, node: Node): void {
    this.touched.add(path)
    this.nodes.set(path, { ...node, generation: this.#store.nextGeneration() })
  }

  #check(path: string): void {
    if (!VALID_PATH.test(path) || path.includes('//') || (path.length > 1 && path.endsWith('/'))) throw new StoreFailure('EINVAL')
  }

  #get(domid: number, path: string, wanted: number): Node {
    this.#check(path)
    const node = this.#look(path)
    if (node !== undefined) {
      this.#allow(domid, node, wanted)
      return node
    }
    // Who may not look into the nearest parent is not told that there is nothing either.
    throw new StoreFailure(mayAccess(domid, this.#nearest(path).permissions, Access.read) ? 'ENOENT' : 'EACCES')
  }

  #allow(domid: number, node: Node, wanted: number): void {
    if (!mayAccess(domid, node.permissions, wanted)) throw new StoreFailure('EACCES')
  }

  #nearest(path: string): Node {
    let above = parentOf(path)
    while (!this.nodes.has(above)) above = parentOf(above)
    return this.nodes.get(above) as Node
  }

  #create(domid: number, path: string, value: string): void {
    const above = this.#nearest(path)
    this.#allow(domid, above, Access.write)
    if (domid !== 0 && this.#ownedBy(domid) >= MAX_NODES) throw new StoreFailure('ENOSPC')
    const parent = parentOf(path)
    if (this.#look(parent) === undefined) this.#create(domid, parent, '')
    const parentNode = this.#look(parent) as Node
    const [owner, ...others] = parentNode.permissions
    const permissions = [domid === 0 ? owner : { ...owner, domid }, ...others]
    if (domid !== 0 && sizeOf(parentNode) + nameOf(path).length + 1 >= MAX_KEY) throw new StoreFailure('ENOSPC')
    this.#put(parent, { ...parentNode, children: new Set([...parentNode.children, nameOf(path)]) })
    this.#put(path, { value, permissions, children: new Set(), generation: 0 })
  }

  #ownedBy(domid: number): number {
    let count = 0
    for (const { permissions } of this.nodes.values()) if (permissions[0].domid === domid) count++
    return count
  }

  #removeTree(path: string, top: boolean): void {
    const node = this.#look(path) as Node
    for (const name of node.children) this.#removeTree(`${path}/${name}`, false)
    this.nodes.delete(path)
    this.changes.push({ path, exact: !top, permissions: node.permissions })
  }

  #changed(path: string, exact: boolean): void {
    this.changes.push({ path, exact, permissions: (this.nodes.get(path) as Node).permissions })
  }
}

export interface Transaction {
  readonly view: StoreView
  readonly base: ReadonlyMap<string, Node>
}

export class Store {
  #generation = 0
  #nodes: Map<string, Node>
  /** For tests: so many of the next commits collide. */
  collisions = 0

  constructor() {
    this.#nodes = new Map([
      ['/', { value: '', permissions: [{ domid: 0, access: Access.none }], children: new Set<string>(), generation: 0 }],
    ])
  }

  nextGeneration(): number {
    return ++this.#generation
  }

  /** A view outside of any transaction; its changes are to be told to watches by the caller. */
  direct(): StoreView {
    return new StoreView(this, this.#nodes)
  }

  begin(): Transaction {
    return { view: new StoreView(this, new Map(this.#nodes)), base: new Map(this.#nodes) }
  }

  /** Makes what a transaction did happen. @throws StoreFailure EAGAIN when what it touched has changed since */
  commit({ view, base }: Transaction): readonly Change[] {
    if (this.collisions > 0) {
      this.collisions--
      throw new StoreFailure('EAGAIN')
    }
    for (const path of view.touched) if (this.#nodes.get(path) !== base.get(path)) throw new StoreFailure('EAGAIN')
    for (const path of view.touched) {
      const node = view.nodes.get(path)
      if (node === undefined) this.#nodes.delete(path)
      else this.#nodes.set(path, node)
    }
    return view.changes
  }
}
