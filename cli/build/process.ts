/** Builds a program into a `.js` file that plain `node` runs (and its `.map` beside it). */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, relative, resolve } from 'node:path'
import { CliError } from '../errors.ts'
import { refuseNative } from '../native/option.ts'
import type { AssetReport } from './assets.ts'
import { checkWritable, replaceFile } from './build.ts'
import { type GivenOptions, prepare } from './prepare.ts'
import { bundleProcess, SCRIPT_START } from './process-bundle.ts'
import { findProject } from './project.ts'

export interface ProcessReport {
  readonly output: string
  readonly target: string
  readonly sha256: string
  readonly bytes: number
  readonly milliseconds: number
  readonly warnings: readonly string[]
  readonly assets: readonly AssetReport[]
}

export async function buildProcess(options: GivenOptions & { app: string; output?: string }): Promise<ProcessReport> {
  const start = performance.now()
  const project = findProject(options.app)
  const shown = options.output ?? `${project.name}.js`
  const output = resolve(shown)
  checkWritable(output, shown, 'script')
  if (existsSync(output) && !readFileSync(output, 'utf8').startsWith(SCRIPT_START))
    throw new CliError(`${shown} exists, and was not built by xen-ts`, `--output ${shown}`, 'name another file, or remove that one')
  const { target, main, warnings, check } = await prepare(project, options, 'unix')
  refuseNative(options.native, target.name)
  const checked = check()
  checked.catch(() => {}) // what the bundle says comes first
  const bundle = await bundleProcess(project, target, main)
  const noted = [...warnings, ...(await checked)]
  const map = JSON.parse(bundle.map)
  map.file = basename(output)
  map.sources = map.sources.map((source: string) => relative(dirname(output), resolve(project.root, source)))
  const code = `${bundle.code}//# sourceMappingURL=${basename(output)}.map\n`
  replaceFile(output, code, shown)
  replaceFile(`${output}.map`, JSON.stringify(map), shown)
  return {
    output,
    target: target.name,
    sha256: createHash('sha256').update(code).digest('hex'),
    bytes: Buffer.byteLength(code),
    milliseconds: performance.now() - start,
    warnings: [...noted, ...bundle.warnings],
    assets: bundle.assets,
  }
}
