/**
 * A whole stack that serves a client while somebody else sends it whatever frames there can be. Nothing is known of the frames but that
 * they do not say they are the client's: who can do that is the client.
 */
import type { Lifecycle } from '@xen-ts/runtime'
import type { Machine } from '@xen-ts/runtime/machine'
import type { StackConfig } from '../config.ts'
import { address, type FakeServer, readAsked, tableServer } from '../dns/testing.ts'
import { httpServer } from '../http/server/server.ts'
import { get, known } from '../http/server/testing.ts'
import { createStack, type IpStack } from '../stack.ts'
import { type SimulatedDevice, Wire } from '../testing/wire.ts'
import { World } from '../testing/world.ts'
import { keepAccounts } from './accounting.ts'
import { correctChecksums } from './checksums.ts'
import { ATTACKER, type Family, ipOf, VICTIM } from './corpus.ts'
import { Dice } from './dice.ts'
import { macOf, octets, packet } from './frame.ts'
import { mutate } from './mutations.ts'
import { address6, arpAnswer, datagram, fragments, hearsay, inOrder, near, opening, ping, readSeen, type Seen } from './packets.ts'
import { fragments6, hearsay6, listeners, neighbour, neighbourAnswer, router } from './packets6.ts'

const CLIENT = { ip: '10.0.0.1', ip6: 'fd00::1', mac: '02:00:00:00:00:01' }
const BODY = Array.from({ length: 800 }, (_, i) => `line ${i}\n`).join('')
/** Small ones, so that they are reached. */
const limits = {
  connections: 256,
  timeWait: 32,
  neighbours: 16,
  receiveMemory: 128 * 1024,
  receiveWindow: 64 * 1024,
  reassemblyMemory: 32 * 1024,
}
/** What routers of the link can add to the addresses that the victim has of its own. */
const MOST_ADDRESSES = 6
const MOST_SERVERS = 4
/** Of the world: those of connections, neighbours, addresses, and frames on the wire. */
const MOST_TIMERS = 2_000
const MOST_LINES = 400
/** The longest datagram that is put together in the end, and what its pieces cost. */
const LARGEST_DATAGRAM = 70_000
const LARGEST_SEGMENT = 1460
const PORTS = [80, 80, 7, 7, 7, 7, 9]
/** Milliseconds of the world in which a client's request must be answered under attack. */
const PATIENCE = 60_000
/** Between two requests of the client, in milliseconds. */
const PAUSE = 100
const names: FakeServer = tableServer({
  'www.example.org': [address('www.example.org', CLIENT.ip, 0), address('www.example.org', CLIENT.ip6, 0)],
})

const makers: Readonly<Record<string, (dice: Dice, seen: Seen, source: string) => Uint8Array>> = {
  near: (dice, seen) => near(seen, dice),
  'in order': (dice, seen) => inOrder(seen, dice),
  hearsay: (dice, seen, source) => hearsay(seen, source, dice),
  opening: (dice, _, source) => opening(source, dice.one(PORTS), dice),
  ping: (dice, _, source) => ping(source, dice),
  datagram: (dice, _, source) => datagram(source, dice.one([7, 8, 53]), dice),
  packet: (dice, _, source) => packet(source, dice.one([1, 6, 17, 2, 47, 43, 44, 58, 60]), dice.bytes(80)),
  hearsay6: (dice, seen, source) => hearsay6(dice, seen, source),
  neighbour,
  router,
  listeners,
  anything: dice =>
    Uint8Array.of(
      ...macOf(VICTIM.mac),
      ...macOf(ATTACKER.mac),
      ...dice.one([
        [8, 0],
        [8, 6],
        [0x86, 0xdd],
        [0, 0],
      ]),
      ...dice.bytes(90),
    ),
}
/** What is sent, by the mood of the attacker: as often as it stands here. */
const kinds = {
  mixed: ['recorded', 'recorded', 'near', 'in order', 'hearsay', 'opening', 'ping', 'datagram', 'packet', 'anything'],
  sessions: ['near', 'near', 'near', 'in order', 'in order', 'in order', 'opening', 'hearsay', 'recorded'],
  flood: ['opening', 'opening', 'opening', 'opening', 'ping', 'datagram', 'in order', 'recorded'],
} as const
/** The same for IPv6. */
const kinds6 = {
  mixed: [...kinds.mixed.filter(kind => kind !== 'hearsay'), 'hearsay6', 'neighbour', 'router', 'listeners'],
  sessions: [...kinds.sessions.filter(kind => kind !== 'hearsay'), 'hearsay6'],
  flood: kinds.flood,
  link: ['neighbour', 'neighbour', 'neighbour', 'router', 'router', 'listeners', 'opening', 'in order', 'hearsay6'],
} as const
const kindsOf: Readonly<Record<Family, Readonly<Record<string, readonly string[]>>>> = { 4: kinds, 6: kinds6 }

export interface SiegeResult {
  /** Requests of the client that were answered during the attack. */
  readonly served: number
  readonly counters: IpStack['counters']
}

/**
 * Sends `count` frames. Throws at the first that breaks a rule, with its bytes.
 * @param corpus what record() gave
 * @param change of the victim's machine
 */
export async function siege(
  family: Family,
  corpus: readonly Uint8Array[],
  seed: number,
  count: number,
  change: (machine: Machine) => Machine = machine => machine,
): Promise<SiegeResult> {
  const scene = new Siege(family, corpus, seed, change)
  // Who is there first keeps his addresses (RFC 4862 section 5.4): until then all is lost to somebody who claims them.
  await scene.world.run(1_500)
  await scene.serve('before')
  await scene.attack(count)
  await scene.serve('after')
  await scene.end()
  return { served: scene.served, counters: scene.victim.counters }
}

class Siege {
  readonly world: World
  readonly victim: IpStack
  served = 0
  readonly #dice: Dice
  readonly #corpus: readonly Uint8Array[]
  readonly #client: IpStack
  readonly #device: SimulatedDevice
  readonly #stop = new AbortController()
  /** Connections with the attacker, as its last look at them was. */
  readonly #seen = new Map<string, Seen>()
  readonly #last: string[] = []
  /** Frames that belong together, one after the other. */
  readonly #queue: Uint8Array[] = []
  readonly #family: Family
  readonly #kinds: readonly string[]
  readonly #clientIp: string
  #failure: Error | undefined = undefined

  constructor(family: Family, corpus: readonly Uint8Array[], seed: number, change: (machine: Machine) => Machine) {
    this.#family = family
    this.#clientIp = ipOf(CLIENT, family)
    this.#corpus = corpus
    this.#dice = new Dice(seed)
    this.#kinds = this.#dice.one(Object.values(kindsOf[family]))
    this.world = new World(seed)
    const wire = new Wire(this.world)
    this.#device = wire.device(VICTIM.mac)
    const machine = change(this.world.machine('victim'))
    const config = (host: typeof CLIENT): StackConfig =>
      family === 4 ? { address: host.ip, prefix: 24 } : { ipv6: { address: host.ip6, prefix: 64, auto: host === VICTIM } }
    const more = { ...(family === 4 ? { gateway: '10.0.0.254' } : {}), dns: [this.#clientIp], limits }
    this.victim = createStack(machine, this.#device, { ...config(VICTIM), ...more })
    this.#client = createStack(this.world.machine('client'), wire.device(CLIENT.mac), config(CLIENT))
    keepAccounts(this.victim, this.#device, text => this.#fail(text))
    wire.filter = (frame, from) => {
      if (from === this.#device) this.#watch(frame)
      return true
    }
    this.#open(machine)
  }

  #open(machine: Parameters<typeof httpServer>[0]): void {
    const { signal } = this.#stop
    const { victim } = this
    void httpServer(machine, victim.tcp, undefined as Lifecycle | undefined).serve({ port: 80, signal }, async request => {
      await request.bytes()
      return known(BODY)
    })
    void victim.tcp.listen({ port: 7, signal, backlog: 8 }, async connection => {
      try {
        for (let bytes = await connection.read(); bytes !== undefined; bytes = await connection.read()) await connection.write(bytes)
      } catch {
        // The peer is gone.
      }
      connection.close()
    })
    victim.udp.bind(7, (bytes, offset, length, from, port) => {
      victim.udp.send(7, from, port, bytes.slice(offset, offset + length))
    })
    this.#client.udp.bind(53, (bytes, offset, length, from, port) => {
      const question = readAsked(bytes.slice(offset, offset + length), false, port)
      for (const answer of names(question) as Uint8Array[]) this.#client.udp.send(53, from, port, answer)
    })
  }

  /** One request on a connection of its own, one datagram, and one name that the victim asks for. Each must come to its end. */
  async serve(when: string): Promise<void> {
    const { world } = this
    let state = 'connecting'
    const work = async (): Promise<void> => {
      await this.#fetch(() => {
        state = 'waiting for the answer'
      })
      state = 'asking for a name'
      await this.victim.resolve('www.example.org')
      state = 'done'
    }
    const done = work()
    let failure: unknown
    done.catch((error: unknown) => {
      failure = error
    })
    await world.run(PATIENCE, () => state === 'done' || failure !== undefined || this.#failure !== undefined)
    this.#check()
    if (failure !== undefined || state !== 'done') throw this.#error(`the client was not served ${when}, ${state}: ${failure}`)
  }

  /** A request on a connection of its own. Throws when the answer is not the right one. */
  async #fetch(connected = (): void => {}): Promise<void> {
    const connection = await this.#client.tcp.connect({ host: ipOf(VICTIM, this.#family), port: 80 })
    connected()
    await connection.write(new TextEncoder().encode(get('/', 'Connection: close\r\n')))
    let answer = ''
    for (let bytes = await connection.read(); bytes !== undefined; bytes = await connection.read())
      answer += new TextDecoder().decode(bytes)
    connection.close()
    if (!answer.endsWith(BODY)) throw new Error(`an answer of ${answer.length} bytes: ${JSON.stringify(answer.slice(0, 100))}`)
  }

  async attack(count: number): Promise<void> {
    const { world } = this
    let over = false
    let failure: unknown
    const client = async (): Promise<void> => {
      while (!over) {
        await this.#fetch()
        this.served++
        await this.victim.resolve('www.example.org')
        await new Promise<void>(resolve => world.at(PAUSE, resolve))
      }
    }
    let left = false
    client().then(
      () => {
        left = true
      },
      (error: unknown) => {
        failure = error
      },
    )
    for (let sent = 0; sent < count; ) {
      for (let batch = 1 + this.#dice.below(6); batch > 0 && sent < count; batch--, sent++) this.#send(this.#frame())
      if (this.#dice.chance(100)) this.#call()
      await world.run(this.#dice.chance(50) ? 2_000 : this.#dice.one([0, 0.2, 1, 10]))
      this.#check()
      if (failure !== undefined) throw this.#error(`the client was not served during the attack: ${failure}`)
    }
    over = true
    await world.run(PATIENCE, () => left || failure !== undefined || this.#failure !== undefined)
    this.#check()
    if (!left) throw this.#error(`the client was not served during the attack: ${failure ?? 'no answer'}`)
  }

  /** Everything comes to its end, and nothing is left. */
  async end(): Promise<void> {
    const { victim, world } = this
    // Longer than TIME-WAIT, the patience of the HTTP server, and keep-alive's last question.
    await world.run(1_000_000)
    this.#check()
    const left: Record<string, number> = {
      connections: victim.tcp.connections,
      'bytes of receive memory': victim.tcp.memory.used,
      'frames of the device': this.#device.reserved,
    }
    this.#stop.abort()
    victim.close()
    this.#client.close()
    await world.run(10_000)
    left.timers = world.pending
    for (const [what, number] of Object.entries(left)) if (number !== 0) throw this.#error(`at the end ${number} ${what} are left`)
  }

  /** The victim calls the attacker. */
  #call(): void {
    this.victim.tcp
      .connect({ host: ipOf(ATTACKER, this.#family), port: 5000, timeout: 20_000 })
      .then(connection => connection.close())
      .catch(() => {})
  }

  #frame(): Uint8Array {
    const waiting = this.#queue.shift()
    if (waiting !== undefined) return waiting
    const dice = this.#dice
    const seen = this.#seen.size > 0 ? dice.one([...this.#seen.values()]) : undefined
    // Half of the time from itself, else from many, on the link and off it.
    const others =
      this.#family === 4
        ? [`10.0.0.${2 + dice.below(253)}`, `192.0.2.${dice.below(256)}`]
        : [
            `fd00::${(3 + dice.below(253)).toString(16)}`,
            `2001:db8::${dice.below(256).toString(16)}`,
            `fe80::${dice.below(256).toString(16)}`,
          ]
    const source = dice.chance(2) ? ipOf(ATTACKER, this.#family) : dice.one(others)
    const kind = dice.one(this.#kinds)
    let frame = kind === 'recorded' || seen === undefined ? dice.one(this.#corpus) : makers[kind](dice, seen, source)
    if (kind === 'recorded' || dice.chance(3)) {
      frame = mutate(frame, dice)
      if (dice.chance(2)) correctChecksums(frame)
    }
    if (isIpv4(frame) && dice.chance(12)) this.#queue.push(...fragments(frame, dice))
    if (isIpv6(frame) && dice.chance(12)) this.#queue.push(...fragments6(frame, dice))
    return frame
  }

  #send(frame: Uint8Array): void {
    if (saysItIs(frame)) return
    if (this.#last.push(hex(frame)) > 5) this.#last.shift()
    this.#device.arrive(frame)
  }

  #watch(frame: Uint8Array): void {
    if (readDestination(frame) === this.#clientIp) return
    const arp = arpAnswer(frame)
    const { of, answer } = (arp && { of: addressAt(arp, 28), answer: arp }) ?? neighbourAnswer(frame) ?? {}
    if (answer !== undefined && of !== this.#clientIp && !this.#dice.chance(4)) this.world.at(0.1, () => this.#device.arrive(answer))
    const seen = readSeen(frame)
    if (seen === undefined) return
    const key = `${seen.attacker} ${seen.attackerPort} ${seen.victimPort}`
    this.#seen.delete(key)
    if (!seen.isOver) this.#seen.set(key, seen)
    if (this.#seen.size > 64) this.#seen.delete(this.#seen.keys().next().value!)
  }

  #check(): void {
    const { victim } = this
    if (this.#failure !== undefined) throw this.#failure
    const error = this.world.logLines.find(line => line.includes(': ERR '))
    if (error !== undefined) throw this.#error(`an error in the log: ${error}`)
    const bounds: Record<string, [number, number]> = {
      connections: [victim.tcp.connections - victim.tcp.timeWaiting, limits.connections],
      'connections in TIME-WAIT': [victim.tcp.timeWaiting, limits.timeWait],
      neighbours: [victim.link.ipv4.neighbours.size, limits.neighbours],
      'neighbours of IPv6': [victim.link.ipv6.ndp.size, limits.neighbours],
      'addresses of IPv6': [victim.link.ipv6.own.length, MOST_ADDRESSES],
      'name servers': [victim.dns.length, MOST_SERVERS],
      'bytes of fragments': [victim.link.ipv4.reassembling + victim.link.ipv6.reassembling, limits.reassemblyMemory + LARGEST_DATAGRAM],
      timers: [this.world.pending, MOST_TIMERS],
      'lines of the log': [this.world.logLines.length, MOST_LINES],
      // A connection that holds nothing takes the segment that has come, so that none starves.
      'bytes of receive memory': [victim.tcp.memory.used, limits.receiveMemory + limits.connections * LARGEST_SEGMENT],
    }
    for (const [what, [number, limit]] of Object.entries(bounds))
      if (!(number >= 0 && number <= limit)) throw this.#error(`${number} ${what}, the limit is ${limit}`)
  }

  #fail(text: string): void {
    this.#failure ??= this.#error(text)
  }

  #error(text: string): Error {
    return new Error(`${text}\nthe last frames, oldest first:\n${this.#last.join('\n')}`)
  }
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
const addressAt = (frame: Uint8Array, at: number): string => [...frame.subarray(at, at + 4)].join('.')
const isIpv6 = (frame: Uint8Array): boolean => frame.length >= 54 && frame[12] === 0x86 && frame[13] === 0xdd
const isIpv4 = (frame: Uint8Array): boolean => frame[12] === 8 && frame[13] === 0
const readDestination = (frame: Uint8Array): string | undefined =>
  isIpv4(frame) ? addressAt(frame, 30) : isIpv6(frame) ? address6(frame, 38) : undefined
const CLIENT6 = octets(CLIENT.ip6).join()

/** Whether IP, ARP or neighbour discovery would take it for one of the client's, or a quotation in ICMP for one of what was sent there. */
function saysItIs(frame: Uint8Array): boolean {
  const address = CLIENT.ip
  if (isIpv6(frame)) return `,${frame.join()},`.includes(`,${CLIENT6},`)
  if (frame[12] === 8 && frame[13] === 6) return addressAt(frame, 28) === address
  if (!isIpv4(frame)) return false
  if (addressAt(frame, 26) === address) return true
  const payload = 14 + (frame[14] & 15) * 4
  return frame[23] === 1 && addressAt(frame, payload + 8 + 16) === address
}
