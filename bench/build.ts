/**
 * What a person waits for who changes a program: `xen-ts build` as a process of its own, from its start to its end, and `xen-ts dev` from the
 * change to the first answer of the changed program. In seconds of the clock: on a busy machine they say nothing.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const at = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url))
const tool = at('cli/launch.js')
const TIMES = 7

/** What is changed, how often so far: the same each time, but for the number. */
const changes: Readonly<Record<string, (root: string, count: number) => void>> = {
  nothing: () => {},
  'a text of a page': (root, count) =>
    change(root, 'pages/layout.tsx', text => text.replace('</footer>', `Edition ${1000 + count}</footer>`)),
  'code of a page': (root, count) =>
    change(
      root,
      'website.tsx',
      text => `${text}\nObject.freeze([${Array.from({ length: count + 1 }, (_, i) => i)}].map(n => n + ${count}))\n`,
    ),
}

const originals = at('examples/website')

function change(root: string, file: string, edit: (text: string) => string): void {
  const text = readFileSync(join(originals, file), 'utf8')
  const edited = edit(text)
  if (edited === text) throw new Error(`${file} has no place for the change`)
  writeFileSync(join(root, file), edited)
}

export async function benchBuild(): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'xen-ts-bench-'))
  try {
    cpSync(originals, root, { recursive: true })
    symlinkSync(at('node_modules'), join(root, 'node_modules'))
    build(root)
    for (const [what, make] of Object.entries(changes)) {
      const times = Array.from({ length: TIMES }, (_, i) => {
        make(root, i)
        return build(root)
      })
      console.log(`xen-ts build, changed: ${what.padEnd(18)} ${shown(times)}`)
    }
    console.log(`xen-ts dev, from the change to its answer  ${shown(await restarts(root))}`)
  } finally {
    rmSync(root, { recursive: true })
  }
}

const shown = (times: readonly number[]): string => {
  const sorted = [...times].sort((a, b) => a - b)
  return `best ${sorted[0].toFixed(0)} ms, median ${sorted[sorted.length >> 1].toFixed(0)} ms`
}

function build(root: string): number {
  const start = performance.now()
  const { status, stderr } = spawnSync(process.execPath, [tool, 'build', '-t', 'qubes', '-o', 'www.xen'], { cwd: root, encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return performance.now() - start
}

async function restarts(root: string): Promise<number[]> {
  const dev = spawn(process.execPath, [tool, 'dev', '--port', '0'], { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  const url = new Promise<string>((resolve, reject) => {
    dev.stderr.setEncoding('utf8').on('data', text => {
      said += text
      const found = /(http:\/\/localhost:\d+\/) leads to/.exec(said)
      if (found !== null) resolve(found[1])
    })
    dev.on('close', () => reject(new Error(said)))
  })
  try {
    const page = await url
    const answered = async (text: string): Promise<void> => {
      while (!(await (await fetch(page)).text()).includes(text));
    }
    await answered('<html')
    const times: number[] = []
    for (let i = 0; i < TIMES; i++) {
      const start = performance.now()
      changes['a text of a page'](root, 100 + i)
      await answered(`Edition ${1100 + i}`)
      times.push(performance.now() - start)
    }
    return times
  } finally {
    dev.kill('SIGTERM')
    await once(dev, 'close')
  }
}
