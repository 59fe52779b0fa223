import { readFileSync, statSync } from 'node:fs'
import { relative } from 'node:path'
import { readImage, type ImageInfo } from '@xen-ts/boot/image/compose.ts'
import { CliError } from '../errors.ts'
import { lineSplitter } from './lines.ts'
import { positionRewriter } from './positions.ts'
import { session } from './session.ts'

export interface RunOptions { memory?: number, maxmem?: number, timeout?: number, port: number, json?: boolean }

const exitCodes: Record<string, number> = { poweroff: 0, reboot: 0, crash: 1, timeout: 124, interrupted: 130 }

/** `xen-ts run`: boots the image, shows its console, returns the exit code: 0 after a clean end, 1 after a crash. */
export async function runCommand(imagePath: string, args: readonly string[], options: RunOptions): Promise<number> {
  const info = imageInfo(imagePath)
  const { rewrite, note } = positionRewriter(imagePath, info.metadata.buildId)
  const out = options.json
    ? (event: string, fields: object) => { process.stdout.write(`${JSON.stringify({ event, ...fields })}\n`) }
    : (event: string, fields: { text?: string }) => { (event === 'console' ? process.stdout : process.stderr).write(`${event === 'console' ? '' : 'xen-ts: '}${fields.text ?? ''}\n`) }
  if (note) out('note', { text: note })
  const console = lineSplitter(line => out('console', { text: rewrite(line) }))

  const result = await session({
    image: imagePath, name: info.metadata.name, args, target: info.metadata.target,
    memory: options.memory ?? Math.max(32, info.metadata.memoryMiB ?? 0), maxmem: options.maxmem, timeout: options.timeout, port: options.port,
    onConsole: console.push, onNote: text => out('note', { text }),
  })
  console.end()
  const code = exitCodes[result.reason] ?? 1
  out('end', { text: `${info.metadata.name}: ${result.reason}`, reason: result.reason, exitCode: code } as { text: string })
  return code
}

function imageInfo(path: string): ImageInfo {
  const shown = relative(process.cwd(), path) || path
  let bytes: Uint8Array
  try {
    if (statSync(path).isDirectory()) throw new CliError(`${shown} is a folder`, undefined, 'run takes a .xen file; xen-ts build makes one')
    bytes = readFileSync(path)
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new CliError(`${shown} cannot be read: ${(error as NodeJS.ErrnoException).code}`, undefined, 'xen-ts build APP -o FILE makes an image')
  }
  try {
    return readImage(bytes)
  } catch (error) {
    throw new CliError(`${shown} is not a .xen image`, (error as Error).message, 'xen-ts build APP -o FILE makes one')
  }
}
