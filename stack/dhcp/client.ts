/**
 * The DHCP client's states (RFC 2131 section 4.4, figure 5). Messages and time in, messages and leases out: who sends them, and what becomes
 * of a lease, is the environment's.
 *
 * Where we leave the RFC on purpose: there is no random wait before the first message (section 4.4.1), for a guest's start is nothing that
 * happens to a whole building at once; and the first offer that can be used is taken.
 */
import type { Timer } from '@xen-ts/runtime/machine'
import { LimitedLog } from '../limited.ts'
import {
  addressBytes,
  DhcpFormatError,
  type DhcpMessage,
  type DhcpRequest,
  type DhcpType,
  options,
  readAddress,
  readDhcp,
} from '../wire/dhcp.ts'
import { ANY, formatIpv4, type Ipv4, isSpecial } from '../wire/ipv4-address.ts'
import { DhcpCounters, type DhcpEnvironment, type DhcpOptions, type DhcpState } from './environment.ts'
import { type Lease, readLease } from './lease.ts'
import { Composer } from './messages.ts'

/** Milliseconds of the first wait for an answer, which doubles up to the longest; up to one second is added or taken away by chance. */
const FIRST_WAIT = 4_000
const LONGEST_WAIT = 64_000
const JITTER = 1_000
/** Requests until an offer, or the lease of an earlier time, is given up. */
const MOST_REQUESTS = 4
const MOST_REBOOTS = 3
/** After an address that somebody else has (RFC 2131 section 3.1.5). */
const DECLINED_WAIT = 10_000
/** Least wait for an answer to a renewal (section 4.4.5). */
const RENEWAL_WAIT = 60_000
/** Node's timers know no longer waits than 24 days. */
const LONGEST_TIMER = 86_400_000

export class DhcpClient {
  readonly counters = new DhcpCounters()
  readonly #environment: DhcpEnvironment
  /** Those who send what cannot be used may send many. */
  readonly #limited: LimitedLog
  readonly #mac: Uint8Array
  readonly #mtu: number
  readonly #composer: Composer
  #state: DhcpState = 'init'
  #xid = 0
  /** When this question was asked first: a lease counts from then. */
  #began = 0
  /** Seconds that it has taken so far: a request repeats what the discovery before it said (section 3.1). */
  #seconds = 0
  #tries = 0
  /** Tries in a row that ended without a lease. */
  #failures = 0
  #offer: { address: Ipv4; server: Ipv4 } | undefined
  /** The address is ours until `#expires`, monotonic milliseconds. */
  #lease: Lease | undefined
  #expires = Infinity
  #rebindAt = Infinity
  #timer: Timer | undefined
  #probe: AbortController | undefined

  constructor(environment: DhcpEnvironment, options: DhcpOptions) {
    this.#environment = environment
    this.#limited = new LimitedLog(environment.log, environment.timers)
    this.#mac = options.mac
    this.#mtu = options.mtu
    this.#composer = new Composer(options)
  }

  get state(): DhcpState {
    return this.#state
  }

  get lease(): Lease | undefined {
    return this.#lease
  }

  /** Begins. @param previous an address of an earlier time, which is asked for again */
  start(previous?: Ipv4): void {
    if (this.#state !== 'init') throw new Error(`DHCP: start in state ${this.#state}: it was started before`)
    if (previous === undefined || isSpecial(previous)) this.#discover()
    else this.#reboot(previous)
  }

  /**
   * The device is on a wire again, which may be another one, or the domain was suspended, with a clock that stood still: asks whether the
   * lease is still good (section 3.2), or begins again. The address stays in use until a server says no, or none says anything.
   */
  reconnect(): void {
    const resting = this.#timer !== undefined
    if (this.#state === 'closed' || (this.#state === 'init' && !resting)) return
    if (this.#lease !== undefined) this.#reboot(this.#lease.address)
    else this.#discover()
  }

  /** Gives the lease back, and is silent from now on. */
  close(): void {
    if (this.#state === 'closed') return
    const lease = this.#lease
    if (lease !== undefined) {
      this.#xid = this.#draw()
      this.#environment.unicast(this.#message('release', lease.address, [[options.server, addressBytes(lease.server)]]), lease.server)
    }
    this.#quiet()
    this.#lease = undefined
    this.#state = 'closed'
  }

  /** A datagram for port 68 arrived. It is copied from what is valid during the call only. */
  receive(bytes: Uint8Array): void {
    let message: DhcpMessage
    try {
      message = readDhcp(bytes)
    } catch (error) {
      if (!(error instanceof DhcpFormatError)) throw error
      this.counters.malformed++
      return
    }
    const { reply, type, xid, mac } = message
    if (!reply || xid !== this.#xid || !mac.every((byte, i) => byte === this.#mac[i])) this.counters.unasked++
    else if (type === 'offer' && this.#state === 'selecting') this.#offered(message)
    else if (type === 'ack' && expectsAck.has(this.#state)) this.#acknowledged(message)
    else if (type === 'nak' && expectsAck.has(this.#state)) this.#denied(message)
    else this.counters.unasked++
  }

  // INIT, SELECTING

  #discover(): void {
    if (this.#state === 'closed') return
    this.#begin('selecting')
    this.#offer = undefined
    this.#sendDiscover()
  }

  #sendDiscover(): void {
    this.#seconds = (this.#environment.timers.now() - this.#began) / 1000
    this.#environment.broadcast(this.#message('discover', ANY, []), ANY)
    this.#again(() => this.#sendDiscover())
  }

  #offered(message: DhcpMessage): void {
    const lease = readLease(message, this.#mtu)
    if (typeof lease === 'string') return this.#refuse('an offer', lease)
    const { address, server } = lease
    this.#environment.log.debug(`${formatIpv4(server)} offers ${formatIpv4(address)}`)
    this.#offer = { address, server }
    this.#state = 'requesting'
    this.#tries = 0
    this.#began = this.#environment.timers.now()
    this.#sendRequest()
  }

  // REQUESTING

  #sendRequest(): void {
    const { address, server } = this.#offer!
    if (this.#tries === MOST_REQUESTS) {
      this.#environment.log.info(`DHCP server ${formatIpv4(server)} offers an address, and answers no request for it`)
      this.#discover()
      return
    }
    const asked = [[options.requestedAddress, addressBytes(address)] as const, [options.server, addressBytes(server)] as const]
    this.#environment.broadcast(this.#message('request', ANY, asked), ANY)
    this.#again(() => this.#sendRequest())
  }

  // INIT-REBOOT, REBOOTING

  #reboot(address: Ipv4): void {
    this.#begin('rebooting')
    this.#offer = { address, server: ANY }
    this.#sendReboot(address)
  }

  #sendReboot(address: Ipv4): void {
    if (this.#tries === MOST_REBOOTS) {
      this.#drop(`no DHCP server confirms ${formatIpv4(address)}`)
      this.#discover()
      return
    }
    this.#environment.broadcast(this.#message('request', ANY, [[options.requestedAddress, addressBytes(address)]]), ANY)
    this.#again(() => this.#sendReboot(address))
  }

  // What a request brings

  #acknowledged(message: DhcpMessage): void {
    const lease = readLease(message, this.#mtu)
    if (typeof lease === 'string') return this.#refuse('an acknowledgment', lease)
    const { address, server } = lease
    const expected = this.#lease?.address ?? this.#offer!.address
    if (address !== expected) return this.#refuse('an acknowledgment', `${formatIpv4(address)} is not what was asked for`)
    if (!this.#isFrom(server)) return this.#refuse('an acknowledgment', `${formatIpv4(server)} is not the server that was asked`)
    const { probe } = this.#environment
    if (this.#lease !== undefined || probe === undefined) this.#bind(lease)
    else void this.#check(lease, probe)
  }

  #denied({ options: given }: DhcpMessage): void {
    const id = given.get(options.server)
    const server = id?.length === 4 ? readAddress(id, 0) : ANY
    if (!this.#isFrom(server)) return this.#refuse('a refusal', `${formatIpv4(server)} is not the server that was asked`)
    this.#drop(`DHCP server ${formatIpv4(server)} says that it is not ours any more`)
    this.#rest(this.#backOff(1_000))
  }

  /** Whether `server` may answer what was asked last: all may when all were asked. */
  #isFrom(server: Ipv4): boolean {
    if (this.#state === 'requesting') return server === this.#offer!.server
    return this.#state === 'renewing' ? server === this.#lease!.server : !isSpecial(server)
  }

  /** Section 4.4.1: looks whether somebody has the address, and tells the server if so. */
  async #check(lease: Lease, probe: NonNullable<DhcpEnvironment['probe']>): Promise<void> {
    const { log } = this.#environment
    const controller = new AbortController()
    this.#timer?.cancel()
    this.#state = 'probing'
    this.#probe = controller
    let taken = false
    try {
      taken = await probe(lease.address, controller.signal)
    } catch (error) {
      if (!controller.signal.aborted)
        log.warn(`cannot tell whether ${formatIpv4(lease.address)} is in use already: ${(error as Error).message}`)
    }
    if (controller.signal.aborted) return
    this.#probe = undefined
    if (!taken) return this.#bind(lease)
    log.warn(
      `DHCP server ${formatIpv4(lease.server)} leases ${formatIpv4(lease.address)}, which another host has: check its range of addresses`,
    )
    const told = [[options.requestedAddress, addressBytes(lease.address)] as const, [options.server, addressBytes(lease.server)] as const]
    this.#environment.broadcast(this.#message('decline', ANY, told), ANY)
    this.#rest(this.#backOff(DECLINED_WAIT))
  }

  // BOUND, RENEWING, REBINDING

  #bind(lease: Lease): void {
    const before = this.#lease
    this.#lease = lease
    this.#failures = 0
    this.#state = 'bound'
    // Section 4.4.1: the lease counts from when it was asked for.
    this.#expires = this.#began + lease.duration * 1000
    this.#rebindAt = this.#began + lease.rebindAfter * 1000
    this.#wait(this.#began + lease.renewAfter * 1000, () => this.#renew())
    if (before === undefined || !sameTerms(before, lease)) this.#environment.bound(lease)
  }

  #renew(): void {
    const lease = this.#lease!
    this.#begin('renewing')
    const send = (): void => {
      if (this.#environment.timers.now() >= this.#rebindAt) return this.#rebind()
      this.#environment.unicast(this.#message('request', lease.address, []), lease.server)
      this.#wait(this.#halfWay(this.#rebindAt), send)
    }
    send()
  }

  #rebind(): void {
    const lease = this.#lease!
    this.#begin('rebinding')
    const send = (): void => {
      if (this.#environment.timers.now() >= this.#expires) return this.#expire()
      this.#environment.broadcast(this.#message('request', lease.address, []), lease.address)
      this.#wait(this.#halfWay(this.#expires), send)
    }
    send()
  }

  #expire(): void {
    this.#drop('the lease is over, and no DHCP server prolongs it')
    this.#discover()
  }

  /** Section 4.4.5: the next try in the middle of what is left, a minute at the least. */
  #halfWay(end: number): number {
    const now = this.#environment.timers.now()
    return Math.min(end, now + Math.max((end - now) / 2, RENEWAL_WAIT))
  }

  // Parts

  /** A new question: with an id and a time of its own. */
  #begin(state: DhcpState): void {
    this.#quiet()
    this.#state = state
    this.#xid = this.#draw()
    this.#began = this.#environment.timers.now()
    this.#seconds = 0
    this.#tries = 0
  }

  /** The address is not ours any more. */
  #drop(reason: string): void {
    if (this.#lease === undefined) return
    this.#lease = undefined
    this.#expires = Infinity
    this.#environment.lost(reason)
  }

  /** Nothing for a while, then all over again. */
  #rest(delay: number): void {
    this.#quiet()
    if (this.#state === 'closed') return
    this.#state = 'init'
    this.#wait(this.#environment.timers.now() + delay, () => this.#discover())
  }

  #backOff(first: number): number {
    return Math.min(first * 2 ** this.#failures++, Math.max(first, LONGEST_WAIT))
  }

  #quiet(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#probe?.abort(new Error('the address is not wanted any more'))
    this.#probe = undefined
  }

  #refuse(what: string, reason: string): void {
    this.counters.refused++
    this.#limited.write('warn', () => `${what} of a DHCP server is not used: ${reason}`)
  }

  /** Section 4.1: the same again, after 4, 8, 16, 32 seconds, then every 64; never beyond the end of a lease that is in use. */
  #again(run: () => void): void {
    const { timers } = this.#environment
    const wait = Math.min(FIRST_WAIT * 2 ** this.#tries++, LONGEST_WAIT) + ((this.#draw() / 0xffffffff) * 2 - 1) * JITTER
    const next = timers.now() + wait
    if (next < this.#expires) this.#wait(next, run)
    else this.#wait(this.#expires, () => this.#expire())
  }

  #wait(until: number, run: () => void): void {
    this.#timer?.cancel()
    if (until === Infinity) return
    const left = until - this.#environment.timers.now()
    this.#timer = this.#environment.timers.set(Math.min(left, LONGEST_TIMER), left <= LONGEST_TIMER ? run : () => this.#wait(until, run))
  }

  #message(type: DhcpType, clientAddress: Ipv4, given: DhcpRequest['options']): Uint8Array {
    return this.#composer.compose({ type, xid: this.#xid, seconds: this.#seconds, clientAddress, options: given })
  }

  /** 32 bits of chance. */
  #draw(): number {
    const bytes = new Uint8Array(4)
    this.#environment.random(bytes)
    return ((bytes[0] << 24) | (bytes[1] << 16) | (bytes[2] << 8) | bytes[3]) >>> 0
  }
}

const expectsAck: ReadonlySet<DhcpState> = new Set<DhcpState>(['requesting', 'rebooting', 'renewing', 'rebinding'])

/** Whether two leases say the same but for the time and the server. */
function sameTerms(a: Lease, b: Lease): boolean {
  const terms = ({ address, bits, gateway, routes, dns, domain, mtu }: Lease) =>
    JSON.stringify([address, bits, gateway, routes, dns, domain, mtu])
  return terms(a) === terms(b)
}
