/** The command line that all suites share: FETCHED [--name=value | --name | word]... */
import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

export interface Options {
  /** The folder with bare git directories in it. */
  readonly fetched: string
  /** Where results go, and what is unpacked: a folder of the suite in --out, or in one in the system's temporary folder. */
  readonly out: string
  /** Processes or threads at once: --jobs. */
  readonly jobs: number
  /** What stands by itself: parts of paths or names to run only. */
  readonly words: readonly string[]
  /** The same folder of another run: --against. */
  readonly against: string | undefined
  flag(name: string): boolean
  value(name: string): string | undefined
}

export function readOptions(suite: string): Options {
  const [fetched, ...rest] = process.argv.slice(2)
  const named = new Map<string, string>()
  const words: string[] = []
  for (const word of rest) {
    const match = /^--([\w-]+)(?:=(.*))?$/s.exec(word)
    if (match) named.set(match[1], match[2] ?? '')
    else words.push(word)
  }
  const out = join(resolve(named.get('out') ?? join(tmpdir(), 'xen-ts-suites')), suite)
  mkdirSync(out, { recursive: true })
  return {
    fetched: resolve(fetched),
    out,
    words,
    jobs: Number(named.get('jobs') ?? 2),
    against: named.has('against') ? join(resolve(named.get('against')!), suite) : undefined,
    flag: name => named.has(name),
    value: name => named.get(name),
  }
}
