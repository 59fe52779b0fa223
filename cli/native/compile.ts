/** `make kernel`: compiles the hot functions of xen-ts itself, as programs have them: bodies.json in the kernel's build. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bodiesInputs, type Compilable, compileBodies, engineFolder, functionsOf, writeBodiesFile } from '@xen-ts/boot/engine'
import { snapshotOf } from '../build/build.ts'
import { bundleProgram } from '../build/image-bundle.ts'
import { findProject } from '../build/project.ts'
import { findTarget } from '../build/targets.ts'
import { hotShares } from './hot.ts'
import { keysOf, keyText } from './keys.ts'

/** Examples that have all of them, between them, and their targets. */
const programs = [
  ['website', 'qubes'],
  ['paint', 'qubes'],
  ['handler', 'xen'],
  ['fetch', 'xen'],
  ['vchan-echo', 'xen'],
  ['frame-echo', 'xen'],
] as const

/** What they may take together, about: an image gets what fits of them (nativeAuto), and no program has all. */
const BUDGET = 640 << 10
/** Bytes of machine code for one of bytecode, about. */
const GROWTH = 30

export interface CompileOptions {
  /** Where to. */
  readonly out: string
}

/** Writes bodies.json; does nothing when it is there and no input has changed. Takes some seconds to see what the functions are, and half a minute of gcc. */
export async function compileHot({ out }: CompileOptions): Promise<void> {
  const stamp = `${out}.sha256`
  const sources = hashSources()
  const [before, code] = existsSync(out) && existsSync(stamp) ? readFileSync(stamp, 'utf8').split('\n') : []
  if (before === sources) return
  const start = performance.now()
  const chosen = await hottest()
  const inputs = bodiesInputs(chosen, engineFolder)
  if (code !== inputs) {
    const compiled = await compileBodies(chosen, engineFolder)
    rmSync(stamp, { force: true })
    writeFileSync(`${out}.new`, writeBodiesFile(compiled))
    renameSync(`${out}.new`, out)
    const seconds = (performance.now() - start) / 1000
    console.log(`kernel: ${`compile ${compiled.bodies.size} hot functions`.padEnd(26)} ${seconds.toFixed(1)} s`)
  }
  writeFileSync(stamp, `${sources}\n${inputs}\n`)
}

const top = fileURLToPath(new URL('../../', import.meta.url))
/** Where the code is that programs are bundled of, and what bundles and compiles it. */
const folders = ['boot', 'cli', 'drivers', 'examples', 'qubes', 'runtime', 'stack', 'targets']
const notSources = /(?:^|\/)(?:node_modules|build|\.cache)(?:\/|$)|\.(?:test|cases)\.ts$/

/** Everything that may decide which functions there are, and what they are like. */
function hashSources(): string {
  const hash = createHash('sha256').update(readFileSync(join(engineFolder, 'inputs.sha256')))
  for (const name of ['package-lock.json', 'cli/native/hot.txt']) hash.update(readFileSync(join(top, name)))
  for (const folder of folders)
    for (const name of (readdirSync(join(top, folder), { recursive: true }) as string[]).sort())
      if (/\.(?:tsx?|h|json)$/.test(name) && !notSources.test(relative(top, join(top, folder, name)).replace(/^cli\/build\//, 'cli/')))
        hash.update(name).update(readFileSync(join(top, folder, name)))
  return hash.digest('hex')
}

/** The hottest functions of all these programs that fit into the budget. */
async function hottest(): Promise<Compilable[]> {
  const shares = hotShares()
  const found = new Map<string, Compilable & { readonly share: number; readonly size: number }>()
  for (const [example, target] of programs) {
    const project = findProject(join(top, 'examples', example))
    const bundle = await bundleProgram(project, await findTarget(target, project.root))
    const snapshot = await snapshotOf(bundle, project)
    const keyIn = keysOf({ file: `${project.name}.js`, code: bundle.code, map: bundle.map, root: project.root })
    for (const each of functionsOf(snapshot)) {
      const named = keyIn(each)
      const share = named?.isOwn ? shares.get(keyText(named)) : undefined
      if (share !== undefined) found.set(each.key, { key: each.key, code: each.code, share, size: sizeOf(each.code) * GROWTH })
    }
  }
  let left = BUDGET
  return [...found.values()]
    .sort((a, b) => b.share / b.size - a.share / a.size || (a.key < b.key ? -1 : 1))
    .filter(({ size }) => {
      if (size > left) return false
      left -= size
      return true
    })
}

const sizeOf = ({ instructions }: Compilable['code']): number => {
  const { at, opcode } = instructions[instructions.length - 1]
  return at + opcode.size
}

if (import.meta.main) await compileHot({ out: join(engineFolder, 'bodies.json') })
