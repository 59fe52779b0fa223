import { createReadStream } from 'node:fs'
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { RigError } from './errors.ts'

export interface ExecResult {
  /** Exit code of the script; 124 when it was stopped by its time limit. */
  code: number
  stdout: string
  stderr: string
}

/** Shells that start at a time. dom0 has one slow CPU: a hundred at once would all be late, and some too late. */
const MOST_STARTING = 4

/** Shells in dom0, one for each TCP connection to a port that QEMU forwards to it. */
export class Link {
  readonly #port: number
  readonly #deaths: readonly string[]
  readonly #patience: number
  readonly #open = new Set<Socket>()
  #closed = false
  #starting = 0
  readonly #queue: (() => void)[] = []

  /**
   * @param port on 127.0.0.1
   * @param deaths lines about processes of dom0 that died: the likely reason of a command that does not end
   * @param patience multiplies each time limit, for a machine that is slow
   */
  constructor(port: number, deaths: readonly string[] = [], patience = 1) {
    this.#port = port
    this.#deaths = deaths
    this.#patience = patience
  }

  /**
   * Runs a shell script in dom0, with the stream as its standard input and output. Standard error goes to dom0's console.
   * Ending the stream ends the script's input; the stream ends when the script has.
   */
  async spawn(script: string): Promise<Duplex> {
    if (this.#starting >= MOST_STARTING)
      await new Promise<void>(resolve => {
        this.#queue.push(resolve)
      })
    this.#starting++
    try {
      return await this.#start(script)
    } finally {
      this.#starting--
      this.#queue.shift()?.()
    }
  }

  async #start(script: string): Promise<Duplex> {
    const socket = connect({ host: '127.0.0.1', port: this.#port, noDelay: true })
    this.#open.add(socket)
    socket.once('close', () => this.#open.delete(socket))
    const seconds = 30 * this.#patience
    socket.setTimeout(seconds * 1000, () => socket.destroy(new RigError(`dom0 does not answer for ${seconds} s`, script)))
    // The shell reads ahead what it gets: nothing may be sent behind this line until it says that it has become the script.
    socket.write(`echo go; exec sh -c ${quote(script)}\n`)
    try {
      await readLine(socket)
    } catch (cause) {
      socket.destroy()
      throw new RigError('dom0 closed the connection', script, "Its console may tell why: see the rig's log.", { cause })
    }
    socket.setTimeout(0)
    return socket
  }

  /** Runs a shell script in dom0 to its end. */
  async exec(script: string, options: { seconds?: number } = {}): Promise<ExecResult> {
    const seconds = (options.seconds ?? 60) * this.#patience
    const stream = await this.spawn(`t=$(mktemp -d); timeout ${seconds} sh -c ${quote(script)} >$t/1 2>$t/2 </dev/null; code=$?
      echo "$code $(stat -c %s $t/1)"; cat $t/1 $t/2; rm -r $t`)
    const limit = setTimeout(() => stream.destroy(new RigError(`dom0 took longer than ${seconds} s`, script)), seconds * 1000 + 10_000)
    try {
      const [code, length] = (await readLine(stream)).split(' ').map(Number) as [number, number]
      const output = await buffer(stream)
      const stdout = output.toString('utf8', 0, length),
        stderr = output.toString('utf8', length)
      // 143: timeout's own shell was told to end, too.
      if (code !== 124 && code !== 143) return { code, stdout, stderr }
      return { code: 124, stdout, stderr: [stderr.trimEnd(), `stopped after ${seconds} s`, ...this.#deaths].join('\n') }
    } finally {
      clearTimeout(limit)
      stream.destroy()
    }
  }

  /** Like exec; throws when the script fails. Gives its standard output. */
  async must(script: string, options?: { seconds?: number }): Promise<string> {
    const { code, stdout, stderr } = await this.exec(script, options)
    if (code !== 0) throw new RigError(`A command in dom0 ended with ${code}`, `${script.trim()}\n${stderr}${stdout}`)
    return stdout
  }

  /** Copies a file of the host into dom0. */
  async put(file: string, path: string): Promise<void> {
    const stream = await this.spawn(`cat > ${quote(`${path}.part`)} && mv ${quote(`${path}.part`)} ${quote(path)} && echo done`)
    await pipeline(createReadStream(file), stream, { end: true })
    const answer = await readLine(stream).catch(() => '')
    if (answer !== 'done') throw new RigError(`${file} could not be copied to dom0`, path, "Is dom0 out of memory? See the rig's log.")
  }

  /** True when the machine was stopped: whatever did not end then was cut off. */
  get closed(): boolean {
    return this.#closed
  }

  /** Closes every connection. */
  close(): void {
    this.#closed = true
    for (const socket of this.#open) socket.destroy()
  }
}

/** A word of the shell that stands for exactly this text. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

/** Reads one short line, and nothing behind it. Throws when the stream ends first. */
export async function readLine(stream: Duplex): Promise<string> {
  let line = ''
  for (;;) {
    const byte = stream.read(1) as Buffer | null
    if (byte === null) {
      if (stream.readableEnded || stream.destroyed)
        throw stream.errored ?? new RigError('The stream ended before its line was complete', line)
      await readable(stream)
    } else if (byte[0] === 10) return line
    else line += byte.toString('latin1')
  }
}

function readable(stream: Duplex): Promise<void> {
  return new Promise(resolve => {
    const events = ['readable', 'end', 'close', 'error'] as const
    const done = () => {
      for (const event of events) stream.off(event, done)
      resolve()
    }
    for (const event of events) stream.on(event, done)
  })
}
