/** The same on emulated Xen: each build is an image, each life a domain. The machine with Xen and dom0 stays. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Rig, RigError } from '@xen-ts/rig/xen'
import { makeImage, writeImage } from '../build/build.ts'
import type { Project } from '../build/project.ts'
import { CliError } from '../errors.ts'
import { imageInfo } from '../image.ts'
import { lineSplitter } from '../run/lines.ts'
import { positionRewriter } from '../run/positions.ts'
import { lifeOn, vifFor } from '../run/session.ts'
import type { Builder, Built, Events, Life, Runner } from './builder.ts'
import type { Sources } from './sources.ts'

export class ImageBuilder implements Builder {
  readonly #project: Project
  readonly #target: string | undefined
  readonly #sources: Sources
  readonly #folder = mkdtempSync(join(tmpdir(), 'xen-ts-dev-'))
  #last: string | undefined

  /** @param target as it was given, if it was */
  constructor(project: Project, target: string | undefined, sources: Sources) {
    this.#project = project
    this.#target = target
    this.#sources = sources
  }

  async build(): Promise<Built> {
    const image = await makeImage(this.#project, this.#target, async (_, work) => work())
    this.#sources.read(image.bundle.metafile, this.#project.root)
    this.#sources.assets = image.bundle.assets.map(({ folder }) => folder)
    const file = join(this.#folder, `${this.#project.name}.xen`)
    const changed = image.composed.sha256 !== this.#last
    if (changed) writeImage(file, file, this.#project, image)
    this.#last = image.composed.sha256
    return { file, changed, warnings: image.warnings }
  }

  async dispose(): Promise<void> {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** Each image stays in dom0, whose memory is what it has for files: after so many the machine is a new one. */
const MOST_IMAGES = 100

export class DomainRunner implements Runner {
  readonly #args: readonly string[]
  readonly #note: (text: string) => void
  readonly #gone = new AbortController()
  #rig: Promise<Rig> | undefined
  #ports = new Map<string, Promise<number>>()
  #images = 0

  /** @param args of the program */
  constructor(args: readonly string[], note: (text: string) => void) {
    this.#args = args
    this.#note = note
  }

  async start(file: string, { onLine, onListening }: Events): Promise<Life> {
    const { metadata } = imageInfo(file, 'run')
    const { name, memoryMiB, buildId } = metadata
    const qube = metadata.target === 'qubes' ? { keys: new Map<string, string>() } : undefined
    const rig = await this.#machine()
    const vif = vifFor({ name, qube })
    const port = vif === undefined ? 0 : await this.#port(rig, vif.ip)
    const { rewrite } = positionRewriter(file, buildId)
    const lines = lineSplitter(line => {
      onLine(rewrite(line))
      if (/ listening on http:\/\//.test(line)) onListening(port)
    })
    const stop = new AbortController()
    const life = lifeOn(rig, {
      image: file,
      name,
      args: this.#args,
      memory: Math.max(32, memoryMiB ?? 0),
      port: undefined,
      serves: false,
      stats: false,
      qube,
      calls: [],
      exit: false,
      stop: stop.signal,
      onConsole: lines.push,
      onNote: this.#note,
      onCallOutput() {},
      onCallEnd() {},
      onScriptOutput() {},
      onScriptEnd() {},
    })
    const ended = life.then(
      ({ reason }) => reason,
      (error: Error) => error.message,
    )
    return {
      port,
      ended,
      async stop() {
        stop.abort()
        await ended
        lines.end()
      },
    }
  }

  async #machine(): Promise<Rig> {
    if (++this.#images > MOST_IMAGES) {
      await (await this.#rig)?.stop()
      this.#rig = undefined
      this.#ports.clear()
      this.#images = 1
    }
    this.#rig ??= Rig.start({ signal: this.#gone.signal, onProgress: this.#note, seconds: Infinity })
    try {
      return await this.#rig
    } catch (error) {
      this.#rig = undefined
      if (error instanceof RigError) throw new CliError(`the emulated Xen: ${error.what}`, error.where, error.todo)
      throw error
    }
  }

  /** One forward for all domains with this address. */
  #port(rig: Rig, ip: string): Promise<number> {
    const port = this.#ports.get(ip) ?? rig.forward(0, ip, 80)
    this.#ports.set(ip, port)
    return port
  }

  async dispose(): Promise<void> {
    this.#gone.abort()
    await (await this.#rig?.catch(() => undefined))?.stop()
  }
}
