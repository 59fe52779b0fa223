/** What --native says: how much of a program becomes machine code. */
import { CliError } from '../errors.ts'

/** A number is what the machine code may take, in bytes. */
export type Native = 'auto' | 'all' | 'none' | number

export const nativeUsual: Native = 'none'
/** What `auto` may take. */
export const nativeAuto = 512 << 10

const units: Record<string, number> = { '': 1, K: 1 << 10, M: 1 << 20 }
/** An image has 1 GiB at most. */
const most = 1 << 28

/** @throws CliError for another word, or a size that cannot be */
export function parseNative(text: string): Native {
  if (text === 'auto' || text === 'all' || text === 'none') return text
  const [, digits, unit = ''] = /^(\d{1,10})([KM])?$/.exec(text) ?? []
  const bytes = digits === undefined ? undefined : Number(digits) * units[unit]
  if (bytes !== undefined && bytes > 0 && bytes <= most) return bytes
  const what =
    bytes === undefined
      ? `${JSON.stringify(text)} does not say which functions become machine code`
      : `machine code cannot have ${bytes === 0 ? 'no bytes' : `${digits}${unit} bytes`}`
  throw new CliError(
    what,
    `--native ${text}`,
    bytes === 0
      ? 'leave it out with --native none'
      : 'give auto, all, none, or the bytes that it may take, at most 256M: 300000, 300K or 1M',
  )
}

/** The option is of builds of kernels. @throws CliError where it was given for a script */
export function refuseNative(native: string | undefined, target: string): void {
  if (native === undefined) return
  throw new CliError(
    `--native is for images, and target ${target} becomes a script for Node, which compiles it itself`,
    `--native ${native}`,
    'leave it out, or choose another --target',
  )
}
