/**
 * The conversation with dom0 that replaces a qube's image and starts it: that of talex5's test-mirage, which our own dom0 side
 * (dom0/xen-ts.Deploy) speaks too. It is made of lines: dom0 says Ready; name, size and image are sent; dom0 says Booting, and what follows is
 * the console, in both directions. Any other line is dom0's reason for not doing it.
 */
import type { Readable, Writable } from 'node:stream'
import { CliError } from '../errors.ts'

/** The stream of a qrexec service. */
export interface Service {
  /** From dom0, and to it. */
  readonly output: Readable
  readonly input: Writable
  /** Resolves when the service is over: with what is known of why, for the error that ends the conversation. */
  readonly ended: Promise<string>
}

export interface Deployment {
  readonly vm: string
  readonly image: Uint8Array
  /** For messages: the name of the service. */
  readonly service: string
  /** Called as the image goes out: bytes that were given to the connection so far. */
  onProgress?(sent: number): void
}

/** The existing dom0 program reads a line without any limit, but no reason is longer than this. */
const LONGEST_LINE = 4096
/** Bytes given to the connection at a time. */
const CHUNK = 64 * 1024

/**
 * Sends the image. Resolves when the qube boots, with what came of its console so far; `service.output` has the rest.
 * @throws CliError with dom0's reason, or when the connection breaks: the old image is in its place then
 */
export async function deploy(service: Service, { vm, image, service: name, onProgress }: Deployment): Promise<Buffer> {
  const read = lines(service)
  const failed = (line: string): CliError =>
    new CliError(`dom0 does not deploy it: ${line.trim()}`, `qube ${vm}, service ${name}`, advice(line, vm))
  const lost = (when: string, why: string, todo: string): CliError => new CliError(`the connection to dom0 was lost ${when}`, why, todo)
  const ready = await read.line(why => lost('at once', why, `is ${name} in dom0, and allowed there? (xen-ts qubes setup ${vm})`))
  if (ready !== 'Ready') throw failed(ready)

  // test-mirage writes into the file that is there.
  const kept = /^xen-ts\./.test(name)
    ? 'the qube has its old image; try again'
    : 'try again before the qube is started: it may have half an image'
  const answer = read.line(why => lost(`after ${sent} of ${image.length} bytes`, why, kept))
  answer.catch(() => {}) // it may come before all is sent, and is awaited below
  let sent = 0
  let answered = false
  void answer.then(
    () => (answered = true),
    () => (answered = true),
  )
  service.input.write(`${vm}\n${image.length}\n`)
  while (sent < image.length && !answered) {
    const end = Math.min(sent + CHUNK, image.length)
    const isRoom = service.input.write(image.subarray(sent, end))
    sent = end
    onProgress?.(sent)
    if (!isRoom) await Promise.race([new Promise(resolve => service.input.once('drain', resolve)), answer.catch(() => {})])
  }
  const line = await answer
  if (line !== 'Booting') throw failed(line)
  return read.rest()
}

/** What helps against the reasons of both dom0 sides. */
function advice(line: string, vm: string): string | undefined {
  if (/test-mirage-ok|xen-ts-ok/.test(line))
    return `in dom0: sudo touch /var/lib/qubes/vm-kernels/${vm}/xen-ts-ok (test-mirage-ok for test-mirage)`
  if (/time ?out|timed out|takes longer/i.test(line))
    return 'the upload has a few seconds in all: make the image smaller, or try again when dom0 is less busy'
  return undefined
}

/** Lines of the service's output, one after the other, and what follows the last. */
function lines({ output, ended }: Service) {
  let buffer = Buffer.alloc(0)
  let isOver = false
  let wake = (): void => {}
  const onData = (data: Buffer): void => {
    buffer = Buffer.concat([buffer, data])
    if (buffer.length > LONGEST_LINE) output.pause()
    wake()
  }
  const onEnd = (): void => {
    isOver = true
    wake()
  }
  output.on('data', onData).on('end', onEnd).on('error', onEnd)
  return {
    async line(lost: (why: string) => CliError): Promise<string> {
      for (;;) {
        const end = buffer.indexOf('\n')
        if (end >= 0) {
          const line = buffer.toString('utf8', 0, end).replace(/\r$/, '')
          buffer = buffer.subarray(end + 1)
          return line
        }
        if (buffer.length > LONGEST_LINE) throw lost('in the middle of a line that does not end')
        if (isOver) {
          const text = buffer.toString().trim()
          if (text !== '') return text
          throw lost(await ended)
        }
        await new Promise<void>(resolve => (wake = resolve))
      }
    },
    rest(): Buffer {
      output.pause() // whoever shows the console lets it go on
      output.off('data', onData).off('end', onEnd).off('error', onEnd)
      return buffer
    },
  }
}
