/** `xen-ts deploy`: gives a qube a new image and shows its console. */
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { gzipSync } from 'node:zlib'
import { kib } from '../build/report.ts'
import { CliError } from '../errors.ts'
import { imageInfo } from '../image.ts'
import { lineSplitter } from '../run/lines.ts'
import { positionRewriter } from '../run/positions.ts'
import { deploy } from './conversation.ts'
import { callDom0 } from './service.ts'
import { checkName } from './vm-name.ts'

export interface DeployOptions {
  service: string
  console: boolean
}

/** The upload has five seconds with test-mirage, and qrexec carries some ten MB in one: from here on it is worth a second of gzip. */
const WORTH_GZIP = 16 * 1024 * 1024
/** ms of silence before dom0 is said to be waited for: a policy may ask somebody. */
const SILENCE = 1500

export async function deployCommand(path: string, vm: string, options: DeployOptions): Promise<number> {
  checkName(vm)
  const { metadata } = imageInfo(path, 'deploy')
  const shown = relative(process.cwd(), path) || path
  if (metadata.target !== 'qubes')
    throw new CliError(`${shown} is for target ${metadata.target}`, undefined, `xen-ts build APP -t qubes -o ${shown}`)
  const { rewrite, note: noMap } = positionRewriter(path, metadata.buildId)
  if (noMap) note(noMap)
  const raw = readFileSync(path)
  const image = raw.length < WORTH_GZIP ? raw : gzipSync(raw)
  const size = `${kib(image.length)}${image === raw ? '' : ` (gzip of ${kib(raw.length)})`}`

  const service = await callDom0(options.service)
  const waiting = setTimeout(() => note('waiting for dom0: it may ask on its screen whether to allow this'), SILENCE)
  service.output.once('data', () => clearTimeout(waiting))
  const rest = await deploy(service, { vm, image, service: options.service, onProgress: progress(size, image.length) }).finally(() =>
    clearTimeout(waiting),
  )
  note(`${vm} boots ${shown}, ${size}`)
  if (!options.console) {
    service.close()
    return 0
  }
  return showConsole(service, rest, rewrite)
}

async function showConsole(
  { output, input, ended, close }: Awaited<ReturnType<typeof callDom0>>,
  rest: Buffer,
  rewrite: (line: string) => string,
) {
  const console = lineSplitter(line => void process.stdout.write(`${rewrite(line)}\n`))
  console.push(rest.toString())
  output.setEncoding('utf8').on('data', (text: string) => console.push(text))
  output.resume()
  process.stdin.pipe(input, { end: false })
  let isInterrupted = false
  const interrupt = (): void => {
    isInterrupted = true
    note('the console is closed, the qube goes on')
    close()
  }
  process.once('SIGINT', interrupt)
  const why = await ended
  process.off('SIGINT', interrupt)
  process.stdin.unpipe(input)
  process.stdin.pause()
  console.end()
  if (!isInterrupted) note(`the console ended: ${why}`)
  return isInterrupted ? 130 : 0
}

const note = (text: string): void => void process.stderr.write(`xen-ts: ${text}\n`)

/** A line that is written anew on a terminal, and at each quarter elsewhere. */
function progress(size: string, bytes: number): (sent: number) => void {
  let quarter = 0
  return sent => {
    const percent = Math.floor((sent / bytes) * 100)
    if (process.stderr.isTTY) process.stderr.write(`\rxen-ts: ${percent} % of ${size}${sent === bytes ? '\n' : ''}`)
    else if (Math.floor(percent / 25) > quarter) {
      quarter = Math.floor(percent / 25)
      note(`${quarter * 25} % of ${size}`)
    }
  }
}
