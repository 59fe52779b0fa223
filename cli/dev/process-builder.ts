/** Builds a program for Node again and again: what did not change is not read, parsed or written anew. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type BuildContext, context } from 'esbuild'
import { forgetBuildModules } from '../build/build-modules.ts'
import { reported } from '../build/bundle.ts'
import { processBundle, readProcess, scriptOptions } from '../build/process-bundle.ts'
import type { Project } from '../build/project.ts'
import type { FoundTarget } from '../build/targets.ts'
import type { Builder, Built } from './builder.ts'
import type { Sources } from './sources.ts'

export class ProcessBuilder implements Builder {
  readonly #project: Project
  readonly #target: FoundTarget
  readonly #sources: Sources
  readonly #modules = new Map<string, string>()
  readonly #folder = mkdtempSync(join(tmpdir(), 'xen-ts-dev-'))
  #context: Promise<BuildContext<ReturnType<typeof scriptOptions>>> | undefined
  #last: string | undefined

  constructor(project: Project, target: FoundTarget, sources: Sources) {
    this.#project = project
    this.#target = target
    this.#sources = sources
  }

  async build(): Promise<Built> {
    const [project, target] = [this.#project, this.#target]
    forgetBuildModules(project)
    const checked = readProcess(project, target)
    checked.catch(() => {}) // what the bundle says comes first
    this.#context ??= context(scriptOptions(project, target, this.#modules))
    const builder = await this.#context
    const result = await reported(project, target, () => builder.rebuild())
    await checked
    await this.#sources.read(result.metafile, project)
    const { code, map, warnings, assets } = await processBundle(result, project, target, this.#modules, { compress: false })
    this.#sources.assets = assets.map(({ folder }) => folder)
    const file = join(this.#folder, `${project.name}.js`)
    // A map alone may change as well: with a comment, every position below it.
    const whole = `${code}${map}`
    const changed = whole !== this.#last
    if (changed) {
      const positions = JSON.parse(map)
      positions.sources = positions.sources.map((source: string) => pathToFileURL(resolve(project.root, source)).href)
      writeFileSync(`${file}.map`, JSON.stringify(positions))
      writeFileSync(file, `${code}//# sourceMappingURL=${project.name}.js.map\n`)
      this.#last = whole
    }
    return { file, changed, warnings }
  }

  async dispose(): Promise<void> {
    await (await this.#context)?.dispose()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
