/** `make kernel`: compiles the hot functions of xen-ts itself, as programs have them: bodies.json in the kernel's build. */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bodiesInputs, type Compilable, compileBodies, engineFolder, functionsOf, writeBodiesFile } from '@xen-ts/boot/engine'
import { snapshotOf } from '../build/build.ts'
import { bundleProgram } from '../build/bundle.ts'
import { findProject } from '../build/project.ts'
import { findTarget } from '../build/targets.ts'
import { hotShares } from './hot.ts'
import { keysOf, keyText } from './keys.ts'

/** Programs that have all of them, between them. */
const programs = [
  ['../../examples/website', 'qubes'],
  ['../../bench/programs/native.ts', 'xen'],
  ['../../bench/programs/native-qubes.ts', 'qubes'],
  ['../../examples/frame-echo', 'xen'],
] as const

/** What they may take together, about: an image gets what fits of them (nativeAuto), and no program has all. */
const BUDGET = 640 << 10
/** Bytes of machine code for one of bytecode, about. */
const GROWTH = 36

export interface CompileOptions {
  /** Where to. */
  readonly out: string
}

/** Writes bodies.json; does nothing when it is there and no input has changed. Takes a minute of gcc. */
export async function compileHot({ out }: CompileOptions): Promise<void> {
  const chosen = await hottest()
  const stamp = `${out}.sha256`
  const inputs = bodiesInputs(chosen, engineFolder)
  if (existsSync(out) && existsSync(stamp) && readFileSync(stamp, 'utf8') === inputs) return
  const start = performance.now()
  const compiled = await compileBodies(chosen, engineFolder)
  rmSync(stamp, { force: true })
  writeFileSync(`${out}.new`, writeBodiesFile(compiled))
  renameSync(`${out}.new`, out)
  writeFileSync(stamp, inputs)
  console.log(`bodies: ${compiled.bodies.size} functions of xen-ts compiled`.padEnd(42), `${((performance.now() - start) / 1000).toFixed(1)} s`)
}

/** The hottest functions of all these programs that fit into the budget. */
async function hottest(): Promise<Compilable[]> {
  const shares = hotShares()
  const found = new Map<string, Compilable & { readonly share: number; readonly size: number }>()
  for (const [path, target] of programs) {
    const project = findProject(fileURLToPath(new URL(path, import.meta.url)))
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
