/**
 * What a program does before its first request: its image's bundle runs in the guest's engine, under Node, with devices that are not there.
 * It is a measure of shares: native code on Xen takes other times than the engine's .wasm under V8.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hostAbi, restoreSnapshot, runLoop, writeSnapshot } from '@xen-ts/boot/testing'
import { snapshotOf } from '../build/build.ts'
import { bundleProgram } from '../build/bundle.ts'
import type { Project } from '../build/project.ts'
import type { FoundTarget } from '../build/targets.ts'
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
  /** From then until the program's `start` is called, without the devices, in ms. */
  readonly prepare: number
  /** From there to the end, in ms. */
  readonly start: number
  /** How it ended: `serves HTTP 80`, `waits qubesdb.get()`, `ends`, `waits`. */
  readonly end: string
  /** What it wrote. */
  readonly output: string
  /** Its devices, in words, if it came so far. */
  readonly graph: string | undefined
}

const own = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** @throws CliError when the program cannot be bundled, or loaded */
export async function profileOf(project: Project, target: FoundTarget): Promise<Profile> {
  const folder = mkdtempSync(join(tmpdir(), 'xen-ts-check-'))
  try {
    const module = join(folder, 'target.ts')
    writeFileSync(module, targetModule(project, target))
    const { bytes, map, code, ...rest } = await bundleProgram(project, { ...target, module })
    const snapshot = await snapshotOf({ ...rest, bytes, map, code: instrument(code) }, project, () => {})
    const segment = writeSnapshot(snapshot, { buildId: '0'.repeat(16), version: project.version })
    return await measure(segment)
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
      // Nothing can happen any more: that is the end of what is looked at.
      wait: (deadline, ports) => (deadline === Infinity || serving(marks) ? abi.shutdown(0) : abi.wait(deadline, ports)),
      shutdown(reason) {
        marks.push({ text: 'ends', at: performance.now() })
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
  let [load, connected, end, endAt] = [begin, begin, 'waits', over]
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
      else if (connected === begin) load = at
    } else if (text.startsWith('graph ')) graph = text.slice('graph '.length)
    else if (text === 'connected') connected = at
    else if (text !== 'started') {
      ;[end, endAt] = [text, at]
      if (text.startsWith('serves ')) break
    }
  }
  if (connected === begin) connected = load
  return {
    modules: [...times].map(([name, milliseconds]) => ({ name, milliseconds })).sort((a, b) => b.milliseconds - a.milliseconds),
    load: load - begin,
    prepare: connected - load,
    start: Math.max(0, endAt - connected),
    end,
    output,
    graph,
  }
}
