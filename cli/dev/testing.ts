/** For tests: `xen-ts dev` as a process. */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'

const bin = fileURLToPath(new URL('../bin.ts', import.meta.url))

/** Any port, unless one is asked for; `--port default` is none. */
const portOf = (words: readonly string[]): string[] => (words.includes('--port') ? [] : ['--port', '0'])

/** What a test that was killed has started ends as well. */
const WITH_PARENT = `data:text/javascript,${encodeURIComponent("process.on('disconnect', () => process.exit()); process.channel?.unref()")}`

export interface Dev {
  readonly child: ChildProcess
  /** What it wrote so far. */
  log(): string
  /** Waits for a text, which may not stand there yet. Gives what came before it. */
  says(part: string | RegExp): Promise<string>
  readonly ended: Promise<number | null>
  /** Where the program is reached. */
  url(): Promise<string>
}

export function dev(t: ExecutionContext, app: string, ...more: string[]): Dev {
  const child = spawn(
    process.execPath,
    [
      '--import',
      WITH_PARENT,
      bin,
      'dev',
      app,
      ...portOf(more),
      ...more.filter((word, i) => word !== 'default' && more[i + 1] !== 'default'),
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // A group of its own, to which a test may send what a terminal sends.
      detached: more.includes('--xen'),
    },
  )
  let [log, seen] = ['', 0]
  const waiting = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream!.setEncoding('utf8').on('data', (text: string) => {
      log += text
      for (const look of waiting) look()
    })
  }
  const ended = new Promise<number | null>(resolve => child.on('close', resolve))
  t.teardown(async () => {
    if (!t.passed) t.log(log)
    child.kill('SIGTERM')
    await ended
  })
  const says = (part: string | RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = (): void => {
        const rest = log.slice(seen)
        const found = typeof part === 'string' ? rest.indexOf(part) : rest.search(part)
        if (found < 0) return
        waiting.delete(look)
        seen += found + (typeof part === 'string' ? part : part.exec(rest)![0]).length
        resolve(rest.slice(0, found))
      }
      waiting.add(look)
      look()
      void ended.then(code => reject(new Error(`it ended (${code}) without saying ${part}:\n${log}`)))
    })
  let url: Promise<string> | undefined
  const findUrl = async (): Promise<string> => {
    await says('leads to')
    return /http:\/\/localhost:\d+/.exec(log)![0].replace('localhost', '127.0.0.1')
  }
  return { child, log: () => log, says, ended, url: () => (url ??= findUrl()) }
}
