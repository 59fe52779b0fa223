/** Tells of changes in folders: by the kernel's notices, not by looking again and again. */
import { type FSWatcher, readdirSync, statSync, watch } from 'node:fs'
import { dirname, join } from 'node:path'

/** One save of an editor, or a checkout, is several notices within so many ms. */
const PAUSE = 25

export class Watcher {
  readonly #onChange: (paths: ReadonlySet<string>) => void
  readonly #watched = new Map<string, { watcher: FSWatcher; inode: number }>()
  readonly #changed = new Set<string>()
  #timer: NodeJS.Timeout | undefined

  /** @param onChange takes the paths in watched folders to which something happened, soon after */
  constructor(onChange: (paths: ReadonlySet<string>) => void) {
    this.#onChange = onChange
  }

  /**
   * Watches these folders, each without those in it, and no others. In the place of one that does not exist, the nearest above it that does.
   * @param since milliseconds since 1970: what changed in the folders that are new here, between this time and now, is told as well
   */
  set(folders: Iterable<string>, since: number): void {
    const wanted = new Map<string, number>()
    for (const folder of folders) {
      const [path, inode] = existing(folder)
      wanted.set(path, inode)
    }
    for (const [path, { watcher, inode }] of this.#watched) {
      if (wanted.get(path) === inode) continue
      watcher.close()
      this.#watched.delete(path)
    }
    for (const [path, inode] of wanted) {
      if (this.#watched.has(path)) continue
      const watcher = watch(path, (_, name) => this.#tell(name === null ? path : join(path, name)))
      // The folder has gone: its parent tells.
      watcher.on('error', () => this.#tell(path))
      this.#watched.set(path, { watcher, inode })
      for (const name of readdirSync(path)) if (changedAt(join(path, name)) >= since) this.#tell(join(path, name))
    }
  }

  close(): void {
    clearTimeout(this.#timer)
    for (const { watcher } of this.#watched.values()) watcher.close()
    this.#watched.clear()
  }

  #tell(path: string): void {
    this.#changed.add(path)
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      const changed = new Set(this.#changed)
      this.#changed.clear()
      this.#onChange(changed)
    }, PAUSE)
  }
}

function existing(folder: string): [path: string, inode: number] {
  for (let path = folder; ; path = dirname(path)) {
    const found = statSync(path, { throwIfNoEntry: false })
    if (found?.isDirectory() || path === dirname(path)) return [path, found?.ino ?? 0]
  }
}

const changedAt = (path: string): number => statSync(path, { throwIfNoEntry: false })?.ctimeMs ?? 0

/** A folder and all folders in it. Links are not followed. */
export function foldersIn(folder: string): string[] {
  try {
    const inner = readdirSync(folder, { withFileTypes: true }).filter(entry => entry.isDirectory())
    return [folder, ...inner.flatMap(entry => foldersIn(join(folder, entry.name)))]
  } catch {
    return [folder] // it went away meanwhile, or may not be read
  }
}
