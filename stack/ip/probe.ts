/** Whether somebody on the link has an address already (RFC 5227 section 2.1), asked before it is used. */
import type { Machine, Timer } from '@xen-ts/runtime/machine'
import { ARP_FRAME_BYTES, ARP_REQUEST, writeArp } from '../wire/arp.ts'
import { ANY, type Ipv4 } from '../wire/ipv4-address.ts'
import type { Interface } from './interface.ts'

/**
 * RFC 5227 section 1.1: PROBE_NUM, PROBE_MIN and PROBE_MAX, ANNOUNCE_WAIT, in milliseconds. There is no wait before the first probe
 * (PROBE_WAIT): it is for buildings full of hosts that get their power back.
 */
const PROBES = 3
const LEAST_WAIT = 1_000
const LONGEST_WAIT = 2_000
const LAST_WAIT = 2_000

/** Takes 4 to 6 seconds when nobody has it. Rejects with the reason of `signal`. One at a time: the last one hears. */
export function isTaken(
  link: Interface,
  { abi, timers }: Pick<Machine, 'abi' | 'timers'>,
  address: Ipv4,
  signal: AbortSignal,
): Promise<boolean> {
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()
  const { neighbours } = link.ipv4
  let timer: Timer | undefined
  let sent = 0
  const next = (): void => {
    if (sent === PROBES) return resolve(false)
    sent++
    const frame = link.reserve() // without one, as on a wire that loses it
    if (frame !== undefined) {
      writeArp(frame.u16, ARP_REQUEST, link.mac, ANY, undefined, address)
      link.counters.framesOut++
      link.device.send(frame, ARP_FRAME_BYTES)
    }
    const chance = new Uint16Array(1)
    abi.random(new Uint8Array(chance.buffer))
    const wait = sent === PROBES ? LAST_WAIT : LEAST_WAIT + (chance[0] / 0xffff) * (LONGEST_WAIT - LEAST_WAIT)
    timer = timers.set(wait, next)
  }
  const abort = (): void => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  // Whoever speaks from the address has it; whoever probes for it may have it first, and both do without then.
  const heard: typeof neighbours.onSender = (sender, target, isRequest) => {
    if (sender === address || (sender === ANY && target === address && isRequest)) resolve(true)
  }
  neighbours.onSender = heard
  next()
  return promise.finally(() => {
    if (neighbours.onSender === heard) neighbours.onSender = undefined
    timer?.cancel()
    signal.removeEventListener('abort', abort)
  })
}
