/** Programs as `xen-ts build` makes them, from their snapshot in the guest's engine, on a target that provides nothing. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeSnapshot } from '@xen-ts/boot'
import { hostAbi, restoreSnapshot, runLoop, writeSnapshot } from '@xen-ts/boot/testing'
import { bundleProgram, findProject } from 'xen-ts/tool'
import { target } from './target.ts'

const cache = join(import.meta.dirname, '../../.cache/compatibility')

export interface Made {
  /** What the kernel maps: header and pages. */
  readonly segment: Uint8Array
  /** Warnings of the build. */
  readonly warnings: readonly string[]
}

/** Builds a program from its source. Throws what the tool says. */
export async function make(name: string, source: string): Promise<Made> {
  const folder = join(cache, name)
  mkdirSync(folder, { recursive: true })
  try {
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'app' }))
    writeFileSync(join(folder, 'app.ts'), source)
    const module = join(import.meta.dirname, 'target.ts')
    const bundle = await bundleProgram(findProject(folder), { name: 'test', becomes: 'image', module, elsewhere: {}, target })
    const { code, bytes } = bundle
    const snapshot = await makeSnapshot({ bundle: code, bytes, filename: 'app.js', program: 'app', output: () => {} })
    const segment = writeSnapshot(snapshot, { buildId: '0123456789abcdef', version: '0.0.0' })
    return { segment, warnings: [...bundle.warnings, ...bundle.globalWarnings(snapshot.globals)] }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Boots it and runs it to its end: what it wrote on the console. */
export async function run({ segment }: Made): Promise<string> {
  let output = ''
  const write = (text: string): void => {
    output += text
  }
  const { engine, hooks } = await restoreSnapshot(segment, 1n, engine => hostAbi(engine, { output: write, realClock: true }))
  try {
    runLoop(engine, hooks)
  } catch (error) {
    output += `${(error as Error).message}\n`
  }
  return output
}

/** KiB that a program is larger than one that does nothing. */
export async function added({ segment }: Made): Promise<number> {
  nothing ??= make('nothing', `import { unikernel } from 'xen-ts'\nexport default unikernel({ name: 'app', async start({ log }) {} })`)
  return Math.round((segment.length - (await nothing).segment.length) / 1024)
}

let nothing: Promise<Made> | undefined
