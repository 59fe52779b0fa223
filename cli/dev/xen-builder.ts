/** Builds a program's image again and again: the same that `xen-ts build` makes. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeImage, type Stage, writeImage } from '../build/build.ts'
import { forgetBuildModules } from '../build/build-modules.ts'
import { targetOf } from '../build/prepare.ts'
import type { Project } from '../build/project.ts'
import { plainVif } from '../run/life.ts'
import type { Builder, Built } from './builder.ts'
import type { Sources } from './sources.ts'

export interface XenBuilderOptions {
  readonly project: Project
  /** As it was given on the command line. */
  readonly target: string | undefined
  readonly native: string | undefined
  /** What the program will be started with. */
  readonly args: readonly string[]
  readonly sources: Sources
}

const silent: Stage = async (_, work) => work()

export class XenBuilder implements Builder {
  readonly #options: XenBuilderOptions
  readonly #folder = mkdtempSync(join(tmpdir(), 'xen-ts-dev-'))
  #last: string | undefined

  constructor(options: XenBuilderOptions) {
    this.#options = options
  }

  async build(): Promise<Built> {
    const { project, target, native, sources } = this.#options
    forgetBuildModules(project)
    const made = await makeImage(project, { target, native, args: await this.#address() }, silent)
    const { bundle, composed, warnings } = made
    await sources.read(bundle.metafile, project)
    sources.assets = bundle.assets.map(({ folder }) => folder)
    const file = join(this.#folder, `${project.name}.xen`)
    // A map alone may change as well: with a comment, every position below it.
    const whole = `${composed.sha256} ${bundle.map}`
    const changed = whole !== this.#last
    if (changed) writeImage(file, file, project, made)
    this.#last = whole
    return { file, changed, warnings }
  }

  /** The address that the machine has for its guest, where nobody has said anything of one. */
  async #address(): Promise<string[]> {
    const { project, target, args } = this.#options
    const found = await targetOf(project, target, 'xen')
    const isGiven = found.main !== undefined || args.some(word => /^-*(ip|gateway|dhcp)/.test(word))
    if (isGiven || found.target.target.network?.address !== 'arguments') return []
    return [`--ipv4=${plainVif.ip}/24`, `--ipv4-gateway=${plainVif.gateway}`]
  }

  async dispose(): Promise<void> {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
