/** Names of the global object: which are there in a program that uses them, with which members, and what they add to an image. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { alwaysThere, madeNames, webNames } from '@xen-ts/runtime/web/names'
import { buildProgram } from 'xen-ts/tool'
import { added, make, run } from './guest.ts'
import type { Row } from './page.ts'
import { ecma429, interfaces, limits, localeMethods, membersOf } from './web.ts'

export const nameTables = [
  { table: 'ECMA-429', head: ['name', 'there', 'missing', 'KiB'] },
  { table: 'more', head: ['name', 'there', 'missing', 'KiB'] },
] as const

/** What targets add to the global object where a program uses it, as the tool links it: targets/kinds.ts. */
const ofTargets: Readonly<Record<string, string>> = {
  EventSource: "new EventSource('http://a/')",
  WebSocket: "new WebSocket('ws://a/')",
  fetch: "await fetch('http://a/')",
}

/** Names that we have beside those of ECMA-429; and of those that other hosts have, the ones of the language and of the web. */
const more = [...webNames, ...alwaysThere, ...madeNames, ...Object.keys(ofTargets), 'Intl', 'Worker', 'caches', 'localStorage']
  .filter((name, i, all) => all.indexOf(name) === i && !ecma429.includes(name))
  .sort()

/** A module of WebAssembly, in base64: without one the name is not there. */
const EMPTY_MODULE = "'AGFzbQEAAAA='"

interface Probe {
  readonly there: boolean
  readonly missing: readonly string[]
}

/** Asks in the guest's engine, in a program that names them all. */
async function probe(): Promise<Record<string, Probe>> {
  const names = [...ecma429, ...more].filter(name => !Object.hasOwn(ofTargets, name))
  const source = `import { unikernel } from 'xen-ts'
const values: Record<string, any> = {}
${names.map(name => `try { values.${name} = typeof ${name} === 'undefined' ? ${JSON.stringify(name)} in globalThis || undefined : ${name} } catch {}`).join('\n')}
const interfaces = ${JSON.stringify(Object.keys(interfaces))}
const members: Record<string, string[]> = ${JSON.stringify(Object.fromEntries(names.map(name => [name, membersOf(name)])))}
const instance = (value: any) => {
  for (const args of [['a:b', 'c'], [['a'], 'b'], []]) try { return new value(...args) } catch {}
  return {}
}
const has = (name: string, value: any, member: string) =>
  member[0] === '.' ? member.slice(1) in value
  : !interfaces.includes(name) ? value[member] !== undefined
  : member in value.prototype || member in instance(value)
const limits: [string, () => unknown][] = [${limits.map(({ name, what, gone }) => `[${JSON.stringify(`${name} ${what}`)}, () => ${gone}]`)}]
export const named = () => crypto.subtle
export const module = ${EMPTY_MODULE}
export default unikernel({
  name: 'app',
  async start({ log }) {
    for (const name of Object.keys(members)) {
      const there = values[name] !== undefined
      const missing = there ? members[name].filter(member => !has(name, values[name], member)).map(member => member.replace('.', name + '.')) : []
      log.info('<<' + JSON.stringify({ name, there, missing }) + '>>')
    }
    for (const [what, gone] of limits) {
      let holds = true
      try { holds = (await gone()) !== true } catch {}
      if (holds) log.info('<<' + JSON.stringify({ limit: what }) + '>>')
    }
  },
})
`
  const output = await run(await make('names', source))
  const found: Record<string, { there: boolean; missing: string[] }> = {}
  for (const [, json] of output.matchAll(/<<(.*)>>/g)) {
    const { name, there, missing, limit } = JSON.parse(json)
    if (limit === undefined) found[name] = { there, missing }
    else {
      const [of, ...what] = limit.split(' ')
      if (found[of]?.there) found[of].missing.push(what.join(' '))
    }
  }
  for (const name of names) if (found[name] === undefined) throw new Error(`the guest does not speak of ${name}: ${output.slice(-500)}`)
  return found
}

const saying = (expression: string) => `import { unikernel } from 'xen-ts'
export default unikernel({ name: 'app', async start({ log }) { log.info('<<' + (${expression}) + '>>') } })`

/** Module of runtime/web by the names that inject.ts has from it. */
function modules(): Map<string, readonly string[]> {
  const text = readFileSync(fileURLToPath(import.meta.resolve('@xen-ts/runtime/web/inject')), 'utf8')
  const found = new Map<string, readonly string[]>()
  for (const [, list, module] of text.matchAll(/export \{([^}]+)\} from '([^']+)'/g))
    found.set(
      module,
      list
        .split(',')
        .map(name => name.trim())
        .filter(name => name !== ''),
    )
  return found
}

/** KiB of each name: modules are in an image as a whole, or nearly. */
async function sizes(): Promise<Record<string, string>> {
  const result: Record<string, string> = {}
  for (const names of modules().values()) {
    const kib = String(await added(await make('size', saying(`[${names}].length`))))
    for (const name of names) result[name] = kib
  }
  for (const name of alwaysThere) result[name] = '0'
  for (const name of madeNames) {
    const uses = `import { unikernel } from 'xen-ts'
export default unikernel({ name: 'app', async start({ log }) { log.info(typeof ${name}) } })`
    result[name] = String(await added(await make('size', uses)))
  }
  const webAssembly = `export const module = ${EMPTY_MODULE}\n${saying('typeof WebAssembly')}`
  result.WebAssembly = String(await added(await make('size', webAssembly)))
  Object.assign(result, await targetSizes())
  return result
}

/** Against a program with the same stack, on target xen. */
async function targetSizes(): Promise<Record<string, string>> {
  const folder = mkdtempSync(join(tmpdir(), 'xen-ts-globals-'))
  try {
    const app = join(folder, 'app.ts')
    const built = async (expression: string) => {
      writeFileSync(
        app,
        `import { stack, unikernel } from 'xen-ts'\nexport default unikernel({ name: 'app', devices: { net: stack() }, async start({ log }) { log.info(String(${expression})) } })`,
      )
      return (await buildProgram({ app, target: 'xen', output: join(folder, 'app.xen') })).bytes
    }
    const without = await built("'nothing'")
    const sizes: Record<string, string> = {}
    for (const [name, use] of Object.entries(ofTargets)) sizes[name] = String(Math.round(((await built(use)) - without) / 1024))
    return sizes
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export async function nameRows(): Promise<Record<string, Row[]>> {
  const probed: Record<string, Probe> = await probe()
  for (const name of Object.keys(ofTargets)) probed[name] = { there: true, missing: [] }
  const kib = await sizes()
  const row = (name: string): Row => {
    const { there, missing } = probed[name]
    const state = !there ? 'no' : missing.length > 0 ? 'partly' : 'yes'
    return [
      `\`${name}\``,
      state,
      missing.map(member => (/^[\w.]+$/.test(member) ? `\`${member}\`` : member)).join(', '),
      there ? (kib[name] ?? '0') : '',
    ]
  }
  const methods: Row[] = []
  for (const { name, call, gives } of localeMethods) {
    const made = await make('method', saying(call))
    methods.push([name, (await run(made)).includes(`<<${gives}>>`) ? 'yes' : 'no', '', String(await added(made))])
  }
  return { 'ECMA-429': ecma429.map(row), more: [...more.map(row), ...methods] }
}
