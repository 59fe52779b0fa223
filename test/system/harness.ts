/** One rig for a file of system tests, of the Xen that XEN_TS_XEN names, or the host's; programs are built as a user builds them and run as domains on real Xen. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Domain, type DomainOptions, Rig, type RigOptions, type SavedDomain } from '@xen-ts/rig/xen'
import type { ExecutionContext, TestFn } from 'ava'
import { buildProgram, positionRewriter } from 'xen-ts/tool'

export interface RunOptions {
  readonly args?: string
  /** MiB; 32 when not given. */
  readonly memory?: number
  readonly maxmem?: number
  readonly vcpus?: number
  readonly vif?: DomainOptions['vif']
  /** Of a Linux guest. */
  readonly ramdisk?: string
  /** Further lines for xl's configuration. */
  readonly config?: string
  readonly paused?: boolean
  /** The domain outlives the test (or hook) that starts it; whoever asks destroys it. */
  readonly keep?: boolean
  /** Seconds until the domain is destroyed and the test fails. */
  readonly seconds?: number
}

export interface Ended {
  /** The console, with positions of the TypeScript sources. */
  readonly lines: readonly string[]
  readonly reason: string
}

/** A running domain whose console is being collected. */
export interface Running {
  readonly domain: Domain
  readonly lines: readonly string[]
  /** Resolves with the first line from that index (0) on that matches, past or future; rejects when the domain ends without one. */
  line(pattern: RegExp, from?: number): Promise<string>
  ended: Promise<Ended>
}

export class XenTests {
  rig!: Rig
  readonly #folder = mkdtempSync(join(tmpdir(), 'xen-ts-system-'))
  readonly #images = new Map<string, Promise<string>>()
  #domains = 0

  /** Registers the rig's start and end with ava. `memoryMiB` is that of the whole emulated machine. */
  constructor(test: TestFn, options: Pick<RigOptions, 'memoryMiB' | 'processor'> = {}) {
    test.before('Xen starts', async t => {
      t.timeout(1_200_000)
      this.rig = await Rig.start({ ...options, onProgress: text => t.log(text) })
    })
    test.after.always('Xen ends', async () => {
      await this.rig?.stop()
      rmSync(this.#folder, { recursive: true, force: true })
    })
  }

  /** Path of the built image; each program is built once for a target. */
  image(app: string, target = 'xen'): Promise<string> {
    const key = `${app}-${target}`
    const output = join(this.#folder, `${key.replace(/\W+/g, '-')}.xen`)
    const built =
      this.#images.get(key) ??
      buildProgram({ app: fileURLToPath(new URL(app, import.meta.url)), target, output }).then(report => report.output)
    this.#images.set(key, built)
    return built
  }

  /** Runs a program of test/system/programs (or any path) to its end. */
  async run(t: ExecutionContext, app: string, options: RunOptions = {}): Promise<Ended> {
    const running = await this.start(t, await this.image(app), options)
    return running.ended
  }

  async start(
    t: ExecutionContext,
    image: string,
    { args = '', memory = 32, seconds = 60, keep = false, ...rest }: RunOptions = {},
  ): Promise<Running> {
    const limit = seconds * this.rig.patience
    t.timeout((limit + 60 * this.rig.patience) * 1000)
    const name = `test${++this.#domains}`
    const domain = await this.rig.createDomain({ name, kernel: image, memory, cmdline: args, ...rest })
    if (!keep) t.teardown(() => domain.destroy().catch(() => {}))
    return collect(domain, image, limit)
  }

  /** Goes on with a domain that was saved. The console begins where it goes on. */
  async restore(t: ExecutionContext, image: string, saved: SavedDomain, { seconds = 60 }: { seconds?: number } = {}): Promise<Running> {
    const domain = await this.rig.restore(saved)
    t.teardown(() => domain.destroy().catch(() => {}))
    return collect(domain, image, seconds * this.rig.patience)
  }
}

function collect(domain: Domain, image: string, seconds: number): Running {
  const { rewrite } = positionRewriter(image)
  const lines: string[] = []
  const waiting = new Set<() => void>()
  let over = false
  const changed = () => {
    for (const wake of [...waiting]) wake()
  }
  const printed = (async () => {
    let rest = ''
    for await (const text of domain.console) {
      const parts = (rest + String(text)).split('\n')
      rest = parts.pop()!
      lines.push(...parts.map(line => rewrite(line.replace(/\r$/, ''))))
      changed()
    }
    if (rest) lines.push(rewrite(rest))
  })().catch(() => {})
  let late = false
  const timer = setTimeout(() => {
    late = true
    void domain.destroy()
  }, seconds * 1000)
  const ended = domain.wait().then(async ({ reason }) => {
    clearTimeout(timer)
    await printed
    over = true
    changed()
    return { lines, reason: late ? `no end within ${seconds} s` : reason }
  })
  return {
    domain,
    lines,
    ended,
    async line(pattern, from = 0) {
      for (;;) {
        const found = lines.find((line, i) => i >= from && pattern.test(line))
        if (found !== undefined) return found
        if (over) throw new Error(`the domain ended without a line like ${pattern}; its console:\n${lines.slice(-30).join('\n')}`)
        await new Promise<void>(resolve => {
          const wake = () => {
            waiting.delete(wake)
            resolve()
          }
          waiting.add(wake)
        })
      }
    },
  }
}
