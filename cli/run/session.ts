import { type Domain, Rig } from '@xen-ts/rig/xen'
import { CliError } from '../errors.ts'
import { type CallEvents, makeCalls } from './calls.ts'
import { makeLife, networkOf, plainVif } from './life.ts'
import { capturePackets } from './pcap.ts'
import { checkPort, describePort, forwardPort } from './port.ts'
import type { Dom0, QubeOptions } from './qubes.ts'
import type { Call } from './qubes-options.ts'
import { firstLine, runScript, type ScriptEvents } from './script.ts'
import { askForStats, statsOnSignal, withStats } from './stats.ts'

export interface SessionOptions extends CallEvents, ScriptEvents {
  readonly image: string
  readonly name: string
  /** The command line of the program. */
  readonly args: readonly string[]
  /** Version of the emulated Xen, or that of the host's release. */
  readonly xen?: string
  /** MiB. */
  readonly memory: number
  readonly maxmem?: number
  /** Seconds. */
  readonly timeout?: number
  /** Port on localhost for port 80 of the program; 0 is any that is free; undefined the first from 8080 on. */
  readonly port: number | undefined
  /** Whether a port is to lead to the program. */
  readonly serves: boolean
  /** A file for the packets of the network device. */
  readonly pcap?: string
  /** Whether to show what the network stack has counted. */
  readonly stats: boolean
  /** With a miniature Qubes dom0 beside it. */
  readonly qube?: QubeOptions
  /** Made from dom0 when the qrexec agent is there. */
  readonly calls: readonly Call[]
  /** Run in dom0 when the program has logged its first line. */
  readonly script?: string
  /** After the last call and the script the program is asked to shut down. */
  readonly exit: boolean
  onConsole(text: string): void
  onNote(text: string): void
}

export interface SessionEnd {
  readonly reason: 'poweroff' | 'reboot' | 'crash' | 'timeout' | 'interrupted' | 'daemon died' | string
  /** The first exit code of a call, or of the script, that is not 0, or 0. */
  readonly callCode: number
}

/** How long (ms) the script waits for the first line of a program that may never say anything, or calls itself otherwise than its image. */
const SILENCE = 5_000

/** What a program has (ms) to show its counters before it is destroyed. */
const MOMENT = 500

/**
 * One life of a domain on a rig of its own: from the start of Xen to the end of the domain.
 * @throws RigError when machine or domain cannot be started, CliError when keys of QubesDB do not make a network device, or the
 * port is taken
 */
export async function session(options: SessionOptions): Promise<SessionEnd> {
  const network = networkOf(options.name, options.qube)
  const { vif } = network
  if (options.pcap !== undefined && vif === undefined) throw noVif()
  if (vif && options.port !== undefined) await checkPort(options.port)
  const stop = new AbortController()
  const rig = await Rig.start({ xen: options.xen, signal: stop.signal, onProgress: options.onNote, seconds: Infinity })
  const ends: Array<() => void | Promise<void>> = [() => void rig.stop()]
  try {
    const first = firstLine(options.name)
    const { domain, dom0, drained, run } = await makeLife(rig, {
      ...options,
      args: options.stats ? withStats(options.args) : options.args,
      network,
      onConsole(text) {
        options.onConsole(text)
        first.push(text)
      },
    })
    if (options.pcap !== undefined) {
      const mac = vif?.mac ?? plainVif.mac
      ends.unshift(await capturePackets(rig, domain.domid, options.pcap, mac, options.onNote))
    }
    ends.unshift(() => dom0?.stop())
    let reason: string | undefined
    const end = (why: string, note: string) => {
      reason ??= why
      options.onNote(note)
      void domain.destroy().catch(() => {})
    }
    ends.unshift(
      onInterrupt(domain, options.onNote, () => {
        reason = 'interrupted'
        void rig.stop()
      }),
    )
    const { timeout } = options
    if (timeout !== undefined) {
      const over = async () => {
        if (options.stats) await askForStats(rig, domain.domid, MOMENT)
        end('timeout', `the program did not end within ${timeout} s: destroyed`)
      }
      const timer = setTimeout(() => void over(), timeout * 1000)
      ends.unshift(() => clearTimeout(timer))
    }
    dom0?.qubes.failed.catch((died: Error) => end('daemon died', `dom0: ${died.message}: destroyed`))

    if (vif && options.serves) {
      const port = await forwardPort(port => rig.forward(port, vif.ip, 80), options.port)
      options.onNote(describePort(port, options.port, options.name))
    }
    if (options.stats) ends.unshift(statsOnSignal(rig, domain.domid, options.onNote))
    await run()
    const calling = inDom0(options, domain, [
      dom0 && options.calls.length > 0 ? calls(dom0, options) : 0,
      options.script === undefined
        ? 0
        : first
            .within(SILENCE)
            .then(() => runScript(rig, domain.domid, options.script!, options))
            .catch(() => 1), // the machine was stopped meanwhile
    ])
    const ended = await Promise.race([domain.wait(), rig.exited.then(() => ({ reason: 'the emulated machine ended' }))])
    await Promise.race([drained, rig.exited])
    // What a call was told last is still shown; one that waits for a qube that is gone is not waited for.
    const callCode = await Promise.race([
      calling,
      new Promise<number>(resolve => {
        setTimeout(resolve, 2_000, 1).unref()
      }),
    ])
    return { reason: reason ?? ended.reason, callCode }
  } finally {
    for (const end of ends) await end()
    await rig.exited
  }
}

const noVif = () =>
  new CliError('--pcap captures the network device, and this qube has none', '--pcap', 'leave out --qdb /qubes-ip=, or --pcap')

/** When all that goes on in dom0 has ended, the program may end too. Gives the first exit code that is not 0, or 0. */
async function inDom0({ exit }: SessionOptions, domain: Domain, work: (number | Promise<number>)[]): Promise<number> {
  const codes = await Promise.all(work)
  if (exit) await domain.shutdown().catch(() => {})
  return codes.find(code => code !== 0) ?? 0
}

/** Makes the calls; the first has the tool's own input. */
async function calls({ qubes }: Dom0, options: SessionOptions): Promise<number> {
  if (process.stdin.isTTY) options.onNote('what is typed here goes to the service that is called first; Ctrl-D ends it')
  const code = await makeCalls({ ...options, qubes, input: process.stdin })
  // A read that is under way would keep this process alive.
  process.stdin.destroy()
  return code
}

/** The first interrupt asks the program to end, the second `kill`s. Gives the function that ends this. */
function onInterrupt(domain: Domain, onNote: (text: string) => void, kill: () => void): () => void {
  let asked = false
  const interrupt = () => {
    if (asked) return kill()
    asked = true
    onNote('asking the program to shut down; interrupt again to kill it')
    void domain.shutdown().catch(kill)
  }
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const signal of signals) process.on(signal, interrupt)
  return () => {
    for (const signal of signals) process.off(signal, interrupt)
  }
}
