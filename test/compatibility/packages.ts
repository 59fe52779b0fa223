/** Packages of npm: each program of test/packages under Node, which is the judge, and in the guest's engine. */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { added, make, run } from './guest.ts'
import { compileComponents, install, packages } from './install.ts'
import type { Row } from './page.ts'

const folder = join(packages, 'programs')

export const programs: readonly string[] = readdirSync(folder)
  .filter(file => file.endsWith('.js'))
  .map(file => basename(file, '.js'))
  .sort()

const sourceOf = (program: string) => readFileSync(join(folder, `${program}.js`), 'utf8')

/** What programs say under Node: lines by program. To be called first: it installs the packages. */
export async function judged(chosen: readonly string[] = programs): Promise<Record<string, readonly string[]>> {
  await install()
  await compileComponents()
  const judge = join(import.meta.dirname, 'judge.ts')
  const args = [judge, ...chosen.map(program => join(folder, `${program}.js`))]
  const env = { ...process.env, TZ: 'UTC', LANG: 'en_US.UTF-8', NODE_ENV: 'production' }
  const { stdout } = await promisify(execFile)(process.execPath, args, { env, maxBuffer: 1 << 24 })
  return JSON.parse(stdout)
}

/** Packages, and what was tried. */
export function titleOf(program: string): [packages: string, what: string] {
  const source = sourceOf(program)
  return [packagesOf(source).join(', '), /^\/\/ (.+)/.exec(source)?.[1] ?? '']
}

/** A row of the table: package, what was tried, whether it works, KiB. */
export async function packageRow(program: string, expected: readonly string[]): Promise<Row> {
  const cells = (works: string, kib = ''): Row => [...titleOf(program), works, kib]
  try {
    const made = await make(program, wrapped(program))
    return cells(verdict(await run(made), expected), String(await added(made)))
  } catch (error) {
    return cells(`no: ${firstLine((error as Error).message)}`)
  }
}

/** What is between the marks cannot be mistaken for lines of the log. */
const wrapped = (program: string) => `import { unikernel } from 'xen-ts'
import program from ${JSON.stringify(join(folder, `${program}.js`))}
import { show } from ${JSON.stringify(join(packages, 'show.js'))}
export default unikernel({
  name: 'app',
  async start({ log }) {
    const write = (mark: string, text: string) => {
      const json = JSON.stringify(text).replace(/[^ -~]/g, unit => '\\\\u' + unit.charCodeAt(0).toString(16).padStart(4, '0'))
      for (let at = 0; at < json.length; at += 800) log.info('<<' + (at + 800 < json.length ? '+' : mark) + json.slice(at, at + 800) + '>>')
    }
    try {
      await program((value: unknown) => write('=', show(value)))
      write('.', '')
    } catch (error) {
      write('!', String(error))
    }
  },
})
`

function verdict(output: string, expected: readonly string[]): string {
  const lines: string[] = []
  let text = ''
  for (const [, mark, json] of output.matchAll(/<<([=.!+])(.*)>>/g)) {
    text += json
    if (mark === '+') continue
    const said = JSON.parse(text)
    text = ''
    if (mark === '!') return `no: ${firstLine(said)}`
    if (mark === '=') lines.push(said)
    else {
      const wrong = Array.from({ length: Math.max(lines.length, expected.length) }, (_, i) => i).find(i => lines[i] !== expected[i])
      if (wrong === undefined) return 'yes'
      if (process.env.XEN_TS_SHOW) console.log(`${lines[wrong]}\n is not\n${expected[wrong]}`)
      return `partly: line ${wrong + 1} of what it says is not what it says under Node`
    }
  }
  // It stopped before: what the log says of that.
  return `no: ${firstLine(/ (?:ERR|APP) \[[^\]]*\] (.+)/.exec(output)?.[1] ?? output.trim().split('\n').at(-1) ?? 'it says nothing')}`
}

const firstLine = (text: string) => text.split('\n')[0].slice(0, 120).trim()

/** Packages that a program imports, with their versions. */
function packagesOf(source: string): string[] {
  const names = [...source.matchAll(/^import .*? from '((?:@[^/']+\/)?[^./'][^/']*)/gm)].map(([, name]) => name)
  return [...new Set(names)].map(name => {
    const { version } = JSON.parse(readFileSync(join(packages, 'node_modules', name, 'package.json'), 'utf8'))
    return `${name} ${version}`
  })
}
