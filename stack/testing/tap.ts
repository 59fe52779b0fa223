/**
 * The Linux kernel on the other end of the wire: a TAP device in a network namespace of its own. Needs gcc and /dev/net/tun; and root, or a
 * system that lets its users have user namespaces.
 */

import { type ChildProcessWithoutNullStreams, execFile, execFileSync, spawn } from 'node:child_process'
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EthernetDevice, Frame } from '@xen-ts/runtime/machine'
import { seededRandom } from './abi.ts'

/** Who is not root is root of a user namespace, to which the network namespace belongs, with a /run of its own for the names of others. */
const isRoot = process.getuid?.() === 0
const makeNamespace = isRoot ? ['-n'] : ['-U', '-r', '-n', '-m', 'sh', '-c', 'mount -t tmpfs run /run && exec "$@"', 'sh']
const enter = isRoot ? ['-n'] : ['-U', '--preserve-credentials', '-n', '-m']

/** Why there can be no TAP here, or undefined. */
export function tapProblem(): string | undefined {
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK)
  } catch {
    return `/dev/net/tun is not there, or not for ${isRoot ? 'root' : 'this user'}`
  }
  for (const tool of ['gcc', 'ip', 'unshare', 'nsenter', 'curl']) {
    try {
      execFileSync('sh', ['-c', `command -v ${tool}`])
    } catch {
      return `${tool} is not installed`
    }
  }
  try {
    execFileSync('unshare', [...makeNamespace, 'true'], { stdio: 'ignore' })
  } catch {
    return `this user may not make ${isRoot ? 'network' : 'user'} namespaces${isRoot ? '' : ': run it as root'}`
  }
  return undefined
}

/** What happens to frames in either direction. */
export interface Trouble {
  loss?: number
  /** Chance to be delayed, and by how many milliseconds at most. */
  reordering?: number
  jitter?: number
  /** Chance to arrive twice. */
  duplication?: number
}

export class TapDevice implements EthernetDevice {
  readonly mac = new Uint8Array([0x00, 0x16, 0x3e, 0x5e, 0x6c, 0x00])
  readonly mtu = 1500
  onReceive: EthernetDevice['onReceive'] = undefined
  onWritable: EthernetDevice['onWritable'] = undefined
  onIdle: EthernetDevice['onIdle'] = undefined
  trouble: Trouble = {}
  readonly #bridge: ChildProcessWithoutNullStreams
  readonly #random = seededRandom(1)
  readonly #free: Frame[] = []
  #buffered: Buffer = Buffer.alloc(0)
  readonly #ready: () => void

  private constructor(bridge: ChildProcessWithoutNullStreams, ready: () => void) {
    this.#bridge = bridge
    this.#ready = ready
    for (let i = 0; i < 256; i++) this.#free.push(newFrame())
    bridge.stdout.on('data', (data: Buffer) => this.#arrive(data))
    bridge.stdin.on('error', () => {})
  }

  /** Compiles the bridge and starts it; `address` is the kernel's end, such as 10.0.0.1/24. */
  static async open(address: string): Promise<TapDevice> {
    const directory = mkdtempSync(join(tmpdir(), 'xen-ts-tap-'))
    const binary = join(directory, 'tap-bridge')
    compile('tap-bridge.c', binary)
    const bridge = spawn('unshare', [...makeNamespace, binary, address])
    let errors = ''
    bridge.stderr.on('data', data => {
      errors += data
    })
    return new Promise((resolve, reject) => {
      const device: TapDevice = new TapDevice(bridge, () => {
        rmSync(directory, { recursive: true }) // it runs, and needs its file no longer
        resolve(device)
      })
      bridge.on('exit', () => reject(new Error(`the TAP bridge ended: ${errors}`)))
    })
  }

  /** Runs a command in the kernel's namespace; its exit code and output. */
  run(command: string, args: string[], timeout = 60_000): Promise<{ code: number; stdout: Buffer; stderr: string }> {
    return new Promise(resolve => {
      execFile(
        'nsenter',
        ['-t', String(this.#bridge.pid), ...enter, command, ...args],
        { timeout, encoding: 'buffer', maxBuffer: 1 << 28 },
        (error, stdout, stderr) => {
          resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, stdout, stderr: stderr.toString() })
        },
      )
    })
  }

  reserve(): Frame | undefined {
    return this.#free.pop()
  }

  send(frame: Frame, length: number): void {
    const copy = Buffer.alloc(length + 2)
    copy.writeUInt16LE(length)
    copy.set(frame.u8.subarray(0, length), 2)
    this.#free.push(frame)
    this.#withTrouble(() => this.#bridge.stdin.write(copy))
  }

  discard(frame: Frame): void {
    this.#free.push(frame)
  }

  async close(): Promise<void> {
    const over = new Promise(resolve => this.#bridge.on('exit', resolve))
    this.#bridge.stdin.end()
    await over
  }

  #arrive(data: Buffer): void {
    this.#buffered = this.#buffered.length === 0 ? data : Buffer.concat([this.#buffered, data])
    let at = 0
    while (this.#buffered.length - at >= 2) {
      const length = this.#buffered.readUInt16LE(at)
      if (this.#buffered.length - at < 2 + length) break
      const frame = this.#buffered.subarray(at + 2, at + 2 + length)
      at += 2 + length
      if (length === 0) this.#ready()
      else this.#withTrouble(() => this.#deliver(frame))
    }
    this.#buffered = this.#buffered.subarray(at)
    this.onIdle?.()
  }

  #deliver(bytes: Buffer): void {
    const frame = newFrame()
    frame.u8.set(bytes.subarray(0, frame.u8.length))
    this.onReceive?.(frame, bytes.length)
  }

  #withTrouble(carry: () => void): void {
    const { loss = 0, reordering = 0, jitter = 5, duplication = 0 } = this.trouble
    if (this.#random() < loss) return
    if (this.#random() < duplication) carry()
    if (this.#random() < reordering) {
      setTimeout(() => {
        carry()
        this.onIdle?.()
      }, this.#random() * jitter)
    } else {
      carry()
    }
  }
}

/** Compiles a program of this folder. */
export function compile(source: string, binary: string): void {
  execFileSync('gcc', ['-O1', '-o', binary, new URL(source, import.meta.url).pathname])
}

function newFrame(): Frame {
  const u8 = new Uint8Array(1516)
  return { u8, u16: new Uint16Array(u8.buffer) }
}
