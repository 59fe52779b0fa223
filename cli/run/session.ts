import { RigError } from '../../test/xen/errors.ts'
import { Rig } from '../../test/xen/rig.ts'
import { MiniQubes } from '../../test/dom0/index.ts'
import { rigChannels } from '../../test/xen/vchan.ts'
import { CliError } from '../errors.ts'

export interface SessionOptions {
  readonly image: string
  readonly name: string
  readonly target: string
  /** The command line of the program. */
  readonly args: readonly string[]
  /** MiB. */
  readonly memory: number
  readonly maxmem?: number
  /** Seconds. */
  readonly timeout?: number
  /** Port on localhost for port 80 of the program. */
  readonly port: number
  onConsole(text: string): void
  onNote(text: string): void
}

export interface SessionEnd {
  readonly reason: 'poweroff' | 'reboot' | 'crash' | 'timeout' | 'interrupted' | string
}

/** The network of the emulated qube, as Qubes gives it. */
const network = { ip: '10.137.0.16', gateway: '10.137.0.1', mac: '00:16:3e:5e:6c:00' }

/** One life of a domain on a rig of its own: from the start of Xen to the end of the domain. */
export async function session(options: SessionOptions): Promise<SessionEnd> {
  const stop = new AbortController()
  const rig = await startRig(options, stop.signal)
  const ends: Array<() => void> = [() => void rig.stop()]
  try {
    const domain = await rig.createDomain({
      name: options.name, kernel: options.image, memory: options.memory, maxmem: options.maxmem, cmdline: commandLine(options.args), vif: network, paused: true,
    })
    const drained = follow(domain.console, options.onConsole)
    const qubes = options.target === 'qubes' ? miniQubes(rig, domain.domid, options) : undefined
    ends.unshift(() => qubes?.stop())
    void domain.wait().then(() => qubes?.stop())
    let reason: string | undefined
    let asked = false
    const interrupt = () => {
      if (asked) {
        reason = 'interrupted'
        return void rig.stop()
      }
      asked = true
      options.onNote('asking the program to shut down; interrupt again to kill it')
      void domain.shutdown().catch(() => rig.stop())
    }
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, interrupt)
      ends.unshift(() => process.off(signal, interrupt))
    }
    const timer = options.timeout === undefined ? undefined : setTimeout(() => {
      reason = 'timeout'
      options.onNote(`the program did not end within ${options.timeout} s: destroyed`)
      void domain.destroy()
    }, options.timeout * 1000)
    ends.unshift(() => clearTimeout(timer))

    await rig.forward(options.port, network.ip, 80)
    options.onNote(`http://localhost:${options.port}/ leads to port 80 of ${options.name}`)
    await domain.unpause()
    qubes?.connect()
    const end = await Promise.race([domain.wait(), rig.exited.then(() => ({ reason: 'the emulated machine ended' }))])
    await Promise.race([drained, rig.exited])
    return { reason: reason ?? end.reason }
  } finally {
    for (const end of ends) end()
    await rig.exited
  }
}

async function startRig(options: SessionOptions, signal: AbortSignal): Promise<Rig> {
  try {
    return await Rig.start({ signal, onProgress: text => options.onNote(text) })
  } catch (error) {
    if (error instanceof RigError) throw new CliError(`the emulated Xen did not start: ${error.what}`, error.where, error.todo)
    throw error
  }
}

/** The dom0 side of QubesDB, qrexec and GUI; QubesDB is filled before the domain's first instruction, as in Qubes. */
function miniQubes(rig: Rig, domid: number, { name, onNote }: SessionOptions): Pick<MiniQubes, 'connect' | 'stop'> {
  let stopped = false
  const log = (line: string) => {
    // With its domain a daemon loses its vchan a moment before the rig tells the domain's end: that is no news.
    if (line.startsWith('a daemon ended')) setTimeout(() => { if (!stopped) onNote(`dom0: ${line}`) }, 5_000).unref()
    else onNote(`dom0: ${line}`)
  }
  const qubes = new MiniQubes({ domid, channels: rigChannels(rig), qube: { name, ...network }, log })
  qubes.failed.catch(error => onNote(`dom0: ${error instanceof Error ? error.message : error}`))
  qubes.start()
  return {
    connect: () => qubes.connect(),
    stop() {
      stopped = true
      qubes.stop()
    },
  }
}

/** Words with blanks are quoted, so that the program's argument reader sees them whole. */
function commandLine(args: readonly string[]): string {
  return args.map(word => /[\s"']/.test(word) ? `"${word.replace(/["\\]/g, '\\$&')}"` : word).join(' ')
}

async function follow(console: AsyncIterable<unknown>, onText: (text: string) => void): Promise<void> {
  try {
    for await (const text of console) onText(String(text))
  } catch { /* the rig was stopped */ }
}
