import { readFileSync, statSync } from 'node:fs'
import { relative } from 'node:path'
import { type ImageInfo, readImage } from '@xen-ts/boot'
import { CliError, trouble } from './errors.ts'

/** What an image says of itself. @param command that takes it, for messages @throws CliError when the file is none */
export function imageInfo(path: string, command: string): ImageInfo {
  const shown = relative(process.cwd(), path) || path
  let bytes: Uint8Array
  try {
    if (statSync(path).isDirectory())
      throw new CliError(`${shown} is a folder`, undefined, `${command} takes a .xen file; xen-ts build makes one`)
    bytes = readFileSync(path)
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new CliError(`${shown} cannot be read: ${trouble(error)}`, undefined, 'xen-ts build APP -o FILE makes an image')
  }
  try {
    return readImage(bytes)
  } catch (error) {
    throw new CliError(`${shown} is not a .xen image`, (error as Error).message, 'xen-ts build APP -o FILE makes one')
  }
}
