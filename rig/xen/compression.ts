import { spawn } from 'node:child_process'
import { buffer } from 'node:stream/consumers'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { RigError } from './errors.ts'

/** By their first bytes, the formats in which Debian's releases hold the hypervisor, the kernel and its modules. */
const formats: [magic: number[], unpack: (bytes: Buffer) => Buffer | Promise<Buffer>][] = [
  [[0x1f, 0x8b], bytes => gunzipSync(bytes)],
  [[0x28, 0xb5, 0x2f, 0xfd], bytes => zstdDecompressSync(bytes)],
  // Node has no reader of it.
  [[0xfd, 0x37, 0x7a, 0x58, 0x5a], unpackXz],
]

/** What was compressed, whatever with; undefined when the bytes begin as none of the formats. */
export async function unpack(bytes: Buffer): Promise<Buffer | undefined> {
  const format = formats.find(([magic]) => magic.every((byte, i) => bytes[i] === byte))
  return format?.[1](bytes)
}

async function unpackXz(bytes: Buffer): Promise<Buffer> {
  const child = spawn('xz', ['-dc'], { stdio: ['pipe', 'pipe', 'pipe'] })
  // A child that ends early tells why by its exit code.
  child.stdin.on('error', () => {}).end(bytes)
  const ended = new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))
  const [output, complaint, code] = await Promise.all([buffer(child.stdout), buffer(child.stderr), ended])
  if (code !== 0) throw new RigError(`xz could not unpack ${bytes.length} bytes`, complaint.toString())
  return output
}
