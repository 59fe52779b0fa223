/** Files out of the bare git directories in a folder. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export interface Repository {
  readonly gitDir: string
  readonly commit: string
  /** Day of the commit. */
  readonly date: string
}

/** The first of the repositories (owner/name) that lies in the folder, in any of the layouts that are usual. */
export function findRepository(fetched: string, names: readonly string[]): Repository {
  for (const name of names) {
    const short = name.replace(/.*\//, '')
    const folders = [name.replace('/', '+'), name, short, `${short}.git`]
    for (const folder of folders)
      for (const inner of ['repo', 'repo/.git', '.git', '']) {
        const gitDir = join(fetched, folder, inner)
        if (!existsSync(join(gitDir, 'HEAD')) || !existsSync(join(gitDir, 'objects'))) continue
        const [commit, date] = git(gitDir, 'log', '-1', '--format=%H %cs').toString().trim().split(' ')
        return { gitDir, commit, date }
      }
  }
  throw new Error(`none of these is in ${fetched}: ${names.join(', ')}; bring one of these (github:OWNER/NAME) as a bare git directory`)
}

const git = (gitDir: string, ...args: string[]): Buffer => execFileSync('git', ['--git-dir', gitDir, ...args], { maxBuffer: 1 << 30 })

/** Paths of the files below the folders. */
export function listFiles({ gitDir }: Repository, folders: readonly string[]): string[] {
  return entries(gitDir, folders).map(entry => entry.path)
}

function entries(gitDir: string, folders: readonly string[]): { object: string; path: string }[] {
  return git(gitDir, 'ls-tree', '-r', '-z', '--full-tree', 'HEAD', '--', ...folders)
    .toString()
    .split('\0')
    .filter(Boolean)
    .map(line => /^\d+ (\w+) (\w+)\t(.*)$/s.exec(line)!)
    .filter(match => match[1] === 'blob')
    .map(match => ({ object: match[2], path: match[3] }))
}

/**
 * Writes the files below the folders (or the files) to `into`, once for a commit: returns their paths. A snapshot lacks its largest files:
 * those are left out. (git archive would stop at the first.)
 */
export function unpack(repository: Repository, folders: readonly string[], into: string): string[] {
  const { gitDir, commit } = repository
  const wanted = entries(gitDir, folders)
  const stamp = join(into, '.unpacked'),
    what = `${commit} ${folders.join(' ')}`
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === what)
    return wanted.map(entry => entry.path).filter(path => existsSync(join(into, path)))
  const { stdout } = spawnSync('git', ['--git-dir', gitDir, 'cat-file', '--batch'], {
    input: wanted.map(entry => entry.object).join('\n') + '\n',
    maxBuffer: 2 ** 31 - 1,
  })
  const written: string[] = []
  let at = 0
  for (const { path } of wanted) {
    const end = stdout.indexOf(10, at)
    const [, kind, size] = stdout.subarray(at, end).toString().split(' ')
    at = end + 1
    if (kind !== 'blob') continue // 'missing'
    const file = join(into, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, stdout.subarray(at, at + Number(size)))
    at += Number(size) + 1
    written.push(path)
  }
  writeFileSync(stamp, what)
  return written
}
