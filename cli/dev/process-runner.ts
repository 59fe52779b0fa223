/** Runs programs as processes of Node, one after the other. */
import { type ChildProcess, spawn } from 'node:child_process'
import { type AddressInfo, createServer } from 'node:net'
import { lineSplitter } from '../run/lines.ts'
import type { Events, Life, Runner } from './builder.ts'

/** What a program has (ms) to end in good order: its developer waits for the next one. */
const ORDER = 300
/** And what it has to end at all. */
const MOST = 1_000

/** As targets/unix/connect.ts says it. The port is another one than ours where the program does not listen on 80. */
const LISTENING = / listening on http:\/\/localhost(?::(\d+))?\/$/

/** A child whose parent has gone, in whichever way, ends. It is in a group of its own: Ctrl-C at the terminal is the tool's to pass on. */
const WITH_PARENT = "process.on('disconnect', () => process.exit(130)); process.channel?.unref()"

export class ProcessRunner implements Runner {
  readonly #args: readonly string[]

  /** @param args of the program */
  constructor(args: readonly string[]) {
    this.#args = args
  }

  async start(file: string, { onLine, onListening }: Events): Promise<Life> {
    const port = await freePort()
    const node = ['--enable-source-maps', '--import', `data:text/javascript,${encodeURIComponent(WITH_PARENT)}`]
    const child = spawn(process.execPath, [...node, file, `--port-map=80:${port}`, ...this.#args], {
      detached: true,
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    })
    const lines = lineSplitter(line => {
      onLine(line)
      const [found, number = '80'] = LISTENING.exec(line) ?? []
      if (found !== undefined) onListening(Number(number))
    })
    child.stderr!.setEncoding('utf8').on('data', lines.push).on('end', lines.end)
    const ended = new Promise<string>(resolve => {
      child.once('error', error => resolve(error.message))
      child.once('close', (code, signal) => resolve(signal === null ? `exit code ${code}` : `ended by ${signal}`))
    })
    return { reach: { port }, ended, stop: () => stop(child, ended) }
  }

  async dispose(): Promise<void> {}
}

async function stop(child: ChildProcess, ended: Promise<string>): Promise<void> {
  child.kill('SIGTERM')
  // The second signal ends it at once, the third asks nobody.
  const timers = [setTimeout(() => child.kill('SIGTERM'), ORDER), setTimeout(() => child.kill('SIGKILL'), ORDER + MOST)]
  await ended
  for (const timer of timers) clearTimeout(timer)
}

/** A port that nobody has now. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  return port
}
