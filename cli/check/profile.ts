/**
 * What a program does before its first request: its image's bundle runs in the guest's engine, under Node, with devices that are not there.
 * It is a measure of shares: native code on Xen takes other times than the engine's .wasm under V8.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { TraceMap } from '@jridgewell/trace-mapping'
import { hostAbi, restoreSnapshot, runLoop, writeSnapshot } from '@xen-ts/boot/host'
import { snapshotOf } from '../build/build.ts'
import { bundleProgram } from '../build/image-bundle.ts'
import { isOwnAssets } from '../build/own-assets.ts'
import type { Project } from '../build/project.ts'
import type { FoundTarget } from '../build/targets.ts'
import { rewriterFor } from '../run/positions.ts'
import { instrument, MARK } from './instrument.ts'

export interface ModuleTime {
  /** As the bundle calls it: relative to the project. */
  readonly name: string
  /** Of its own top level, without that of modules it imports, in ms. */
  readonly milliseconds: number
}

export interface Profile {
  /** Top levels of modules that run at boot, the longest first. */
  readonly modules: readonly ModuleTime[]
  /** All of them, in ms. */
  readonly load: number
  /** What else comes before the program's `start`: its arguments, its devices (which are not there), in ms. */
  readonly prepare: number
  /** From there to the end, in ms. */
  readonly start: number
  /** How far it came: `serves HTTP 80`, `waits qubesdb.get()`, `waits` (for other things), `ends`, `fails`. */
  readonly end: string
  /** What it wrote. */
  readonly output: string
  /** Its devices, in words, if it came so far. */
  readonly graph: string | undefined
}

/** Of the program's time, in ms. */
const LONGEST = 60_000
/** Each time differs, by what else the computer does: the least of so many is the nearest. */
const RUNS = 5
/** SHUTDOWN_poweroff, xen/include/public/sched.h. */
const POWEROFF = 0

const own = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** @throws CliError when the program cannot be bundled, or loaded */
export async function profileOf(project: Project, target: FoundTarget): Promise<Profile> {
  const folder = mkdtempSync(join(tmpdir(), 'xen-ts-check-'))
  try {
    const module = join(folder, 'target.ts')
    writeFileSync(module, targetModule(project, target))
    const { bytes, map, code, ...rest } = await bundleProgram(project, { ...target, module })
    const snapshot = await snapshotOf({ ...rest, bytes, map, code: instrument(code) }, project, { output: () => {} })
    const segment = writeSnapshot(snapshot, { buildId: '0'.repeat(16), version: project.version })
    const runs: Profile[] = []
    for (let i = 0; i < RUNS; i++) runs.push(await measure(segment))
    return inShort(leastOf(runs), project, map)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The target as it is, connected to nothing. What it adds to the global object stays its own. */
const targetModule = ({ name, entry }: Project, target: FoundTarget): string =>
  [
    `import { target } from ${JSON.stringify(target.module)}`,
    `import { connectNothing } from ${JSON.stringify(own('./absent.ts'))}`,
    ...(target.globals?.length ? [`export { ${target.globals.join(', ')} } from ${JSON.stringify(target.module)}`] : []),
    `export { target }`,
    `export const connect = connectNothing(target, ${JSON.stringify(name)}, () => import(${JSON.stringify(entry)}))`,
  ].join('\n')

async function measure(segment: Uint8Array): Promise<Profile> {
  const marks: { text: string; at: number }[] = []
  let output = ''
  const write = (text: string): void => {
    if (text.startsWith(MARK)) marks.push({ text: text.slice(MARK.length), at: performance.now() })
    else output += text
  }
  const { engine, hooks } = await restoreSnapshot(segment, 1n, engine => {
    const abi = hostAbi(engine, { output: write })
    return {
      ...abi,
      // The clock jumps from timer to timer. What comes after so long is not looked at.
      wait(deadline, ports) {
        if (deadline <= LONGEST && !serving(marks)) return abi.wait(deadline, ports)
        if (!serving(marks)) marks.push({ text: 'waits', at: performance.now() })
        return abi.shutdown(POWEROFF)
      },
      shutdown(reason) {
        marks.push({ text: reason === POWEROFF ? 'ends' : 'fails', at: performance.now() })
        return abi.shutdown(reason)
      },
    }
  })
  const begin = performance.now()
  runLoop(engine, hooks)
  return profileFrom(marks, begin, performance.now(), output)
}

const serving = (marks: readonly { readonly text: string }[]): boolean => marks.some(({ text }) => text.startsWith('serves '))

function profileFrom(
  marks: readonly { readonly text: string; readonly at: number }[],
  begin: number,
  over: number,
  output: string,
): Profile {
  const times = new Map<string, number>()
  const above: { name: string; since: number }[] = []
  let [connected, end, endAt] = [begin, '', over]
  let graph: string | undefined
  const pass = (at: number): void => {
    const inner = above.at(-1)
    if (inner === undefined) return
    times.set(inner.name, (times.get(inner.name) ?? 0) + at - inner.since)
    inner.since = at
  }
  for (const { text, at } of marks) {
    if (text.startsWith('module ')) {
      pass(at)
      above.push({ name: text.slice('module '.length), since: at })
    } else if (text === 'end') {
      pass(at)
      above.pop()
      const outer = above.at(-1)
      if (outer) outer.since = at
    } else if (text.startsWith('graph ')) graph = text.slice('graph '.length)
    else if (text === 'connected') connected = at
    else if (text !== 'started' && end === '') {
      ;[end, endAt] = [text, at]
    }
  }
  const load = [...times.values()].reduce((sum, one) => sum + one, 0)
  return {
    modules: [...times].map(([name, milliseconds]) => ({ name, milliseconds })).sort((a, b) => b.milliseconds - a.milliseconds),
    load,
    prepare: connected - begin - load,
    start: Math.max(0, endAt - connected),
    end,
    output,
    graph,
  }
}

function leastOf(runs: readonly Profile[]): Profile {
  const least = (one: (run: Profile) => number): number => Math.min(...runs.map(one))
  const timeOf = (name: string) => (run: Profile) => run.modules.find(module => module.name === name)?.milliseconds ?? Infinity
  return {
    ...runs[0],
    modules: runs[0].modules.map(({ name }) => ({ name, milliseconds: least(timeOf(name)) })),
    load: least(run => run.load),
    prepare: least(run => run.prepare),
    start: least(run => run.start),
  }
}

/** Our own modules as one, and places in what it wrote as those of the sources. */
function inShort(profile: Profile, { root, name }: Project, map: string): Profile {
  const rows = new Map<string, number>()
  for (const { name, milliseconds } of profile.modules) {
    const title = isOwnAssets(name) || name.startsWith('xen-ts:') ? 'xen-ts' : name
    rows.set(title, (rows.get(title) ?? 0) + milliseconds)
  }
  const modules = [...rows].map(([name, milliseconds]) => ({ name, milliseconds })).sort((a, b) => b.milliseconds - a.milliseconds)
  const rewrite = rewriterFor(new TraceMap(map), `${name}.js`, root)
  return { ...profile, modules, output: profile.output.split('\n').map(rewrite).join('\n') }
}
