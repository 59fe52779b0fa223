/** Runs programs in domains of one emulated machine, one after the other: it takes seconds to start, a domain does not. */
import { Rig } from '@xen-ts/rig/xen'
import { imageInfo } from '../image.ts'
import { type DomainLife, makeLife, networkOf } from '../run/life.ts'
import { lineSplitter } from '../run/lines.ts'
import { positionRewriter } from '../run/positions.ts'
import { inThreeParts } from '../run/rig-errors.ts'
import type { Events, Life, Runner } from './builder.ts'

/** What a program has (ms) to end in good order, before its domain is destroyed. */
const ORDER = 2_000

/** After which time (ms) from its first line a program that has not said that it listens is asked all the same: not every server says so. */
const SILENCE = 5_000

/** As targets/domain.ts says it: with addresses, or before there are any. The port is 80 where it is not named. */
const LISTENING = / listening on (?:http:\/\/\S+?(?::(\d+))?\/(?: |$)|port (\d+),)/

export interface XenRunnerOptions {
  /** Of the program. */
  readonly args: readonly string[]
  /** MiB. */
  readonly memory?: number
  onNote(text: string): void
}

export class XenRunner implements Runner {
  readonly #options: XenRunnerOptions
  readonly #stop = new AbortController()
  #machine: Promise<Rig>
  /** It has ended by itself. */
  #isDown = false
  /** Ports of localhost that lead to one of a guest, by address and port. */
  readonly #forwards = new Map<string, Promise<number>>()

  /** Begins to start the machine: until there is an image it may be up. */
  constructor(options: XenRunnerOptions) {
    this.#options = options
    this.#machine = this.#startMachine()
  }

  #startMachine(): Promise<Rig> {
    this.#isDown = false
    this.#forwards.clear()
    const machine = Rig.start({ signal: this.#stop.signal, onProgress: this.#options.onNote, seconds: Infinity })
    const down = async (): Promise<void> => {
      await (await machine).exited
      this.#isDown = true
    }
    down().catch(() => {}) // told by start()
    return machine
  }

  async start(file: string, { onLine, onListening, onSilence }: Events): Promise<Life> {
    const { args, onNote } = this.#options
    const { name, target, buildId, memoryMiB = 0, network: hasNetwork } = imageInfo(file, 'dev').metadata
    const { rewrite, note } = positionRewriter(file, buildId)
    if (note !== undefined) onNote(note)
    const qube = target === 'qubes' ? { keys: new Map<string, string>() } : undefined
    const network = networkOf(name, qube)
    if (this.#isDown) this.#machine = this.#startMachine()
    const rig = await this.#machine
    const { vif } = network
    let [isOver, hasSaid] = [false, false]
    const reach = (port: number, tell: (local: number) => void): void => {
      if (vif === undefined) return
      void this.#forward(rig, vif.ip, port).then(
        local => isOver || tell(local),
        () => {}, // the machine has ended, as `ended` tells
      )
    }
    let silence: NodeJS.Timeout | undefined
    const lines = lineSplitter(line => {
      onLine(rewrite(line))
      if (hasNetwork === false || hasSaid || isOver) return
      silence ??= setTimeout(() => hasSaid || reach(80, onSilence), SILENCE)
      const found = LISTENING.exec(line)
      if (found === null) return
      hasSaid = true
      reach(Number(found[1] ?? found[2] ?? 80), onListening)
    })
    const memory = this.#options.memory ?? Math.max(32, memoryMiB)
    const plan = { image: file, name, args, memory, once: true, network, qube, onConsole: lines.push, onNote }
    const life = await inThreeParts(() => makeLife(rig, plan))
    const ended = this.#end(rig, life).finally(() => {
      isOver = true
      clearTimeout(silence)
      lines.end()
    })
    return { reach: hasNetwork === false ? undefined : 'soon', ended, stop: () => stop(life, ended) }
  }

  /** Lets the domain run to its end. Gives that in words. */
  async #end(rig: Rig, { domain, dom0, drained, run }: DomainLife): Promise<string> {
    const machine = rig.exited.then(() => 'the emulated machine ended')
    const died = dom0?.qubes.failed.catch((error: Error) => {
      void domain.destroy().catch(() => {})
      return `dom0: ${error.message}: destroyed`
    })
    const failed = run().then(
      () => new Promise<never>(() => {}),
      (error: Error) => error.message.split('\n')[0],
    )
    const reason = domain.wait().then(async ({ reason }) => {
      await drained
      return reason
    })
    const how = await Promise.race([machine, failed, reason, ...(died === undefined ? [] : [died])])
    await Promise.race([domain.wait(), machine])
    dom0?.stop()
    return how
  }

  /** Once for each port, as long as the machine is there: a domain has the address of the one before it. */
  #forward(rig: Rig, ip: string, port: number): Promise<number> {
    const key = `${ip}:${port}`
    let forward = this.#forwards.get(key)
    if (forward === undefined) this.#forwards.set(key, (forward = rig.forward(0, ip, port)))
    return forward
  }

  async dispose(): Promise<void> {
    this.#stop.abort()
    await this.#machine.then(
      rig => rig.exited,
      () => {},
    )
  }
}

async function stop({ domain }: DomainLife, ended: Promise<string>): Promise<void> {
  const destroy = (): void => void domain.destroy().catch(() => {})
  const timer = setTimeout(destroy, ORDER)
  // A program that has ended meanwhile needs no request.
  await domain.shutdown().catch(destroy)
  await ended
  clearTimeout(timer)
}
