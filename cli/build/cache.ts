/**
 * What a build has found out and the next one need not: a file in `node_modules/.cache/xen-ts`, beside what npm installed for the project. Keys
 * say all that a value depends on, so a cache changes no result: without one (there is no node_modules, nobody may write there, the file is
 * broken) all is found out again. Two builds at once write whole files; the last one stays.
 */
import { hash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Of what is kept for one program: bytes. */
const LARGEST = 16 << 20
/** Files: those of the programs that were built last. */
const MOST = 36

/** Of texts and bytes, one after the other; where one ends counts. */
export const sha256 = (...parts: readonly (string | Uint8Array)[]): string => {
  const [only] = parts
  if (parts.length === 1) return hash('sha256', only, 'base64url')
  return hash('sha256', parts.map(part => hash('sha256', part)).join(' '), 'base64url')
}

export class Cache<V> {
  readonly #path: string | undefined
  readonly #known: Readonly<Record<string, V>>
  readonly #used = new Map<string, V>()
  #isNew = false

  /**
   * @param root of the project
   * @param name of what is kept: a file name
   */
  constructor(root: string, name: string) {
    const folder = folderOf(root)
    this.#path = folder && join(folder, `${name}.json`)
    this.#known = this.#path === undefined ? {} : read(this.#path)
  }

  /** The value of a key, where it is known. */
  known(key: string): V | undefined {
    return this.#used.get(key) ?? (Object.hasOwn(this.#known, key) ? this.#known[key] : undefined)
  }

  set(key: string, value: V): void {
    this.#isNew ||= this.known(key) !== value
    this.#used.set(key, value)
  }

  /** The value of a key; found out where it is not known. */
  get(key: string, find: () => V): V {
    const value = this.known(key) ?? find()
    this.set(key, value)
    return value
  }

  /** Keeps what was asked for; what was not is of an older program. */
  save(): void {
    if (this.#path === undefined || !this.#isNew) return
    this.#isNew = false
    const text = JSON.stringify(Object.fromEntries(this.#used))
    if (text.length > LARGEST) return
    const folder = dirname(this.#path)
    const temporary = `${this.#path}.${process.pid}.tmp`
    try {
      mkdirSync(folder, { recursive: true })
      writeFileSync(temporary, `${sha256(text)}\n${text}`)
      renameSync(temporary, this.#path)
      prune(folder)
    } catch {
      remove(temporary)
    }
  }
}

/** The folder for a project: in the nearest node_modules above it. */
function folderOf(root: string): string | undefined {
  for (let at = root; ; at = dirname(at)) {
    if (existsSync(join(at, 'node_modules'))) return join(at, 'node_modules/.cache/xen-ts')
    if (dirname(at) === at) return undefined
  }
}

function read(path: string): Record<string, never> {
  try {
    const [sum, text] = readFileSync(path, 'utf8').split('\n', 2)
    return sum === sha256(text) ? JSON.parse(text) : {}
  } catch {
    return {}
  }
}

function prune(folder: string): void {
  const files = readdirSync(folder).map(name => join(folder, name))
  if (files.length <= MOST) return
  const age = new Map(files.map(file => [file, statSync(file).mtimeMs]))
  files.sort((a, b) => age.get(b)! - age.get(a)!)
  for (const file of files.slice(MOST)) remove(file)
}

function remove(file: string): void {
  try {
    rmSync(file, { force: true })
  } catch {
    // It cannot be there, or be removed: nothing depends on it.
  }
}
