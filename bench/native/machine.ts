/**
 * What the stack needs of a kernel, for the native engine as a Linux program (boot/engine/host.c): its functions are written in JavaScript here and
 * are counted with the rest, so each does as little as the work needs. The clock goes on by itself, so that a run is the same every time.
 */
import type { Abi } from '@xen-ts/boot/abi'
import type { Machine, Timers } from '@xen-ts/runtime/machine'

declare const print: (text: string) => void

let clock = 1
const encoded = new Map<string, Uint8Array>()

const abi = {
  checksum(bytes: Uint8Array, offset: number, length: number, initial: number): number {
    let sum = initial
    const end = offset + length - 1
    let at = offset
    for (; at < end; at += 2) sum += bytes[at]! | (bytes[at + 1]! << 8)
    if (at === end) sum += bytes[at]!
    while (sum > 0xffff) sum = (sum % 0x10000) + Math.floor(sum / 0x10000)
    return sum
  },
  copy(into: Uint8Array, at: number, from: Uint8Array, offset: number, length: number): void {
    into.set(from.subarray(offset, offset + length), at)
  },
  /** The kernel does this in native code: a text that was seen before costs one look-up. */
  utf8Encode(text: string, into: Uint8Array, offset: number): number {
    let bytes = encoded.get(text)
    if (bytes === undefined) {
      bytes = Uint8Array.from(text, character => character.charCodeAt(0))
      encoded.set(text, bytes)
    }
    if (offset + bytes.length > into.length) return -bytes.length
    into.set(bytes, offset)
    return bytes.length
  },
  latin1Decode: (bytes: Uint8Array, offset: number, length: number): string =>
    String.fromCharCode.apply(null, bytes.subarray(offset, offset + length) as unknown as number[]),
  utf8Decode: (bytes: Uint8Array, offset: number, length: number): string => abi.latin1Decode(bytes, offset, length),
  random(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 37 + 11) & 255
  },
  clockMonotonic: (): number => {
    clock += 0.01
    return clock
  },
  clockWall: (): number => 1.79e12 + clock,
}

/** What goes wrong is printed: the counter takes any line but the last for a failure. */
const log = {
  app() {},
  error: (text: string) => print(`error: ${text}`),
  warn: (text: string) => print(`warning: ${text}`),
  info() {},
  debug() {},
}

export const nativeAbi = abi as unknown as Abi
export const nativeMachine = {
  abi: nativeAbi,
  timers: { now: abi.clockMonotonic, set: () => ({ cancel() {} }) } as Timers,
  log: () => log,
} as unknown as Pick<Machine, 'abi' | 'timers' | 'log'>
