/**
 * A copy of dom0's keys, as far as they fit into this domain: dom0's daemon has no limit. A key that does not fit is left out, and is
 * never there with an old value. Keys that every qube needs have a space of their own.
 */

/** Characters of all paths and values below a folder (/vm-config/x) together, and of those that are in none (/name, /qubes-ip). */
const LIMIT = 1 << 20
const TOP_LIMIT = 1 << 18
/** What a key takes beside its characters, as so many of them. */
const OVERHEAD = 64
/** Names of keys that were left out and are remembered: they can be removed. */
const MOST_NAMES = 4096

export class Copy {
  readonly #keys = new Map<string, string>()
  readonly #leftOut = new Set<string>()
  /** Characters in the copy, in both spaces. */
  #top = 0
  #below = 0
  /** Keys left out without their names. */
  #nameless = 0
  /** Characters that were left out so far. */
  #excess = 0

  get keys(): ReadonlyMap<string, string> {
    return this.#keys
  }

  /** Whether all of dom0's keys are here. */
  get isWhole(): boolean {
    return this.#leftOut.size + this.#nameless === 0
  }

  /** Whether it is known that there is such a key in dom0, or below such a folder (ending in `/`); undefined: it may be. */
  has(path: string): boolean | undefined {
    const found = path.endsWith('/')
      ? [...this.#keys.keys(), ...this.#leftOut].some(key => key.startsWith(path))
      : this.#keys.has(path) || this.#leftOut.has(path)
    return found || (this.#nameless > 0 ? undefined : false)
  }

  /** Whether the key is in the copy now. */
  put(path: string, value: string): boolean {
    this.#delete(path)
    const size = sizeOf(path, value)
    const fits = isTop(path) ? this.#top + size <= TOP_LIMIT : this.#below + size <= LIMIT
    if (fits) {
      this.#count(path, size)
      this.#keys.set(path, value)
      return true
    }
    this.#excess += size
    if (this.#leftOut.size < MOST_NAMES) this.#leftOut.add(path)
    else this.#nameless++
    return false
  }

  /** Removes a key, or with a `/` at the end everything below. Gives the paths of those that were in the copy. */
  remove(path: string): string[] {
    const isFolder = path.endsWith('/')
    const gone = isFolder ? [...this.#keys.keys()].filter(key => key.startsWith(path)) : this.#keys.has(path) ? [path] : []
    if (isFolder) for (const key of [...this.#leftOut]) if (key.startsWith(path)) this.#leftOut.delete(key)
    for (const key of isFolder ? gone : [path]) this.#delete(key)
    return gone
  }

  /** One line for a log about what is left out. */
  describe(): string {
    const count = this.#leftOut.size + this.#nameless
    const size = this.#top + this.#below + this.#excess
    const [name] = this.#leftOut
    return (
      `dom0's database has ${size} characters, of which ${LIMIT} fit into this qube: ` +
      `${count} keys are left out, ${name} is one of them. Remove keys in dom0 (qubesdb-rm)`
    )
  }

  #delete(path: string): void {
    const value = this.#keys.get(path)
    if (value !== undefined) this.#count(path, -sizeOf(path, value))
    this.#keys.delete(path)
    this.#leftOut.delete(path)
  }

  #count(path: string, size: number): void {
    if (isTop(path)) this.#top += size
    else this.#below += size
  }
}

const isTop = (path: string): boolean => path.lastIndexOf('/') === 0
const sizeOf = (path: string, value: string): number => path.length + value.length + OVERHEAD
