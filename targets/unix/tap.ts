/** A tap device of the host as a network device of ours: what tcpdump sees there is what our stack sends and gets. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { UsageError } from '@xen-ts/runtime'
import type { EthernetDevice, Frame } from '@xen-ts/runtime/machine'
import { TAP_HELPER } from './tap-helper.ts'

const HEADER = 14
/** Frames that may wait for the helper, and bytes of the length before each. */
const FRAMES = 256
const LENGTH = 2
/** Of the helper's first frame. */
const HELLO = 12
const IFF_UP = 1

export interface TapOptions {
  /** Words before those that start the helper: tests have it in a namespace of their own. */
  readonly within?: readonly string[]
  /** The device is no more, and nothing will come. */
  onLost(error: Error): void
  /** Something that is not as it should be. */
  onWarning(text: string): void
}

interface TapFrame extends Frame {
  /** With room for the length before it. */
  readonly whole: Uint8Array
}

/**
 * Attaches to a device, which is made if it does not exist and the user may do so.
 * @throws UsageError with what to do, when it cannot be had
 */
export async function openTap(name: string, options: TapOptions): Promise<EthernetDevice> {
  if (!/^[\w.-]{1,15}$/.test(name))
    throw new UsageError(`--tap: '${name}' is not the name of a device: it has 1 to 15 letters, digits, '.', '_' and '-'`)
  const [command, ...before] = [...(options.within ?? []), 'python3', '-I', '-S', '-c', TAP_HELPER, name]
  // In a group of its own: Ctrl-C at the terminal is for the program, which may have something to send yet.
  const helper = spawn(command, before, { stdio: ['pipe', 'pipe', 'pipe'], detached: true })
  let said = ''
  helper.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  helper.stdin.on('error', () => {}) // its end is told by `close`
  const { promise, resolve, reject } = Promise.withResolvers<EthernetDevice>()
  let device: TapDevice | undefined
  const frames = frameReader(frame => {
    if (device !== undefined) return device.arrive(frame)
    const { mac, mtu, flags } = readHello(frame)
    if ((flags & IFF_UP) === 0) options.onWarning(`${name} is down: nothing goes through before 'ip link set ${name} up'`)
    device = new TapDevice(helper, mac, mtu)
    resolve(device)
  })
  helper.stdout.on('data', (bytes: Buffer) => {
    frames(bytes)
    device?.onIdle?.()
  })
  helper.once('error', (error: NodeJS.ErrnoException) => reject(new UsageError(cannotStart(error))))
  helper.once('close', (code, signal) => {
    if (device === undefined) reject(new UsageError(refusal(name, said)))
    else if (!device.isClosed) options.onLost(new Error(`--tap: ${name} is lost: its helper ended (${signal ?? code}) ${said}`.trim()))
  })
  return promise
}

function cannotStart({ code, message }: NodeJS.ErrnoException): string {
  const why = code === 'ENOENT' ? 'there is no python3' : `python3 cannot be started: ${message}`
  return `--tap: ${why}, which opens the tap device, since Node cannot: install it (apt install python3), or leave --tap out`
}

/** By what the helper could not do, and errno. */
function refusal(name: string, said: string): string {
  const [what, code = ''] = said.trim().split(' ')
  const isForbidden = code === 'EPERM' || code === 'EACCES'
  if (what === 'open' && code === 'ENOENT') return '--tap: there is no /dev/net/tun: load the module (modprobe tun)'
  if (what === 'open' && isForbidden) return '--tap: this user may not open /dev/net/tun: run the program as root'
  if (what === 'attach' && isForbidden)
    return `--tap: this user may not use ${name}: run the program as root, or make the device for this user once: sudo ip tuntap add dev ${name} mode tap user $USER`
  if (what === 'attach' && code === 'EBUSY') return `--tap: another program uses ${name}: end it, or give another device`
  if (what === 'attach' && code === 'EINVAL') return `--tap: ${name} exists, and is not a tap device: give another name`
  return `--tap: ${name} cannot be used: ${said.trim() || 'its helper ended'}`
}

function readHello(frame: Buffer): { mac: Uint8Array; mtu: number; flags: number } {
  if (frame.length !== HELLO) throw new Error(`the helper of --tap began with ${frame.length} bytes`)
  const mac = Uint8Array.from(frame.subarray(0, 6))
  // The host's end has this address. Ours differs, and is the same whenever the device is; nobody else has it (IEEE 802: locally administered).
  mac[0] |= 2
  mac[5] ^= 1
  return { mac, mtu: frame.readUInt32LE(6), flags: frame.readUInt16LE(10) }
}

/** Cuts what comes into frames, which are the receiver's during the call only. */
function frameReader(onFrame: (frame: Buffer) => void): (bytes: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  return bytes => {
    const all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes])
    let at = 0
    while (all.length - at >= LENGTH) {
      const length = all.readUInt16LE(at)
      if (all.length - at - LENGTH < length) break
      onFrame(all.subarray(at + LENGTH, at + LENGTH + length))
      at += LENGTH + length
    }
    rest = all.subarray(at)
  }
}

class TapDevice implements EthernetDevice {
  readonly mac: Uint8Array
  readonly mtu: number
  onReceive: EthernetDevice['onReceive'] = undefined
  onWritable: EthernetDevice['onWritable'] = undefined
  onIdle: EthernetDevice['onIdle'] = undefined
  isClosed = false
  readonly #helper: ChildProcessWithoutNullStreams
  readonly #free: TapFrame[] = []
  readonly #incoming: TapFrame
  #starved = false

  constructor(helper: ChildProcessWithoutNullStreams, mac: Uint8Array, mtu: number) {
    this.#helper = helper
    this.mac = mac
    this.mtu = mtu
    for (let i = 0; i < FRAMES; i++) this.#free.push(newFrame(mtu))
    this.#incoming = newFrame(mtu)
  }

  /** Larger ones than the device's MTU allows are not for us. */
  arrive(bytes: Buffer): void {
    const frame = this.#incoming
    if (bytes.length > frame.u8.length) return
    frame.u8.set(bytes)
    this.onReceive?.(frame, bytes.length)
  }

  reserve(): Frame | undefined {
    const frame = this.#free.pop()
    if (frame === undefined) this.#starved = true
    return frame
  }

  send(frame: Frame, length: number): void {
    const { whole } = frame as TapFrame
    whole[0] = length
    whole[1] = length >> 8
    this.#helper.stdin.write(whole.subarray(0, LENGTH + length), () => this.discard(frame))
  }

  discard(frame: Frame): void {
    this.#free.push(frame as TapFrame)
    if (!this.#starved) return
    this.#starved = false
    this.onWritable?.()
  }

  async close(): Promise<void> {
    if (this.isClosed) return
    this.isClosed = true
    const over = new Promise(resolve => this.#helper.once('close', resolve))
    this.#helper.stdin.end()
    await over
  }
}

function newFrame(mtu: number): TapFrame {
  // An even number of bytes: it is read by pairs.
  const whole = new Uint8Array(LENGTH + ((HEADER + mtu + 1) & ~1))
  return { whole, u8: whole.subarray(LENGTH), u16: new Uint16Array(whole.buffer, LENGTH) }
}
