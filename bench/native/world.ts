/**
 * The world of a guest in the native engine (native.c): Xen and dom0, simulated, in the same engine and not counted. The guest leads: whenever it
 * waits, the peers do what they have to do, until there is something for it.
 */
import { abiNames } from '@xen-ts/boot/abi'
import { connectDrivers } from '@xen-ts/drivers'
import { copies, SimulatedXen } from '@xen-ts/drivers/sim'

/** What native.c offers. */
interface Native {
  /** A function of the ABI by its number, as the guest calls it; what the kernel does alone is the kernel's. */
  bind(id: number, simulated: unknown): unknown
  equalise: typeof copies.equalise
  /** Runs all promise jobs. In `wait` these are the peers', for a guest only waits when it has none. */
  drain(): void
  /** From the next turn of the guest on it is counted, or not. */
  measure(on: number): void
  clock(milliseconds: number): void
  print(text: string): void
  exit(status: number): never
}

const { native, WARM, COUNT } = globalThis as unknown as { native: Native; WARM: number; COUNT: number }
/** What a turn of the guest takes, on its clock (ms). */
const TURN = 0.03
/** After so long (ms) there is no hope. */
const LONGEST = 600_000

copies.equalise = native.equalise
export const xen = new SimulatedXen({ timeLimit: Infinity, stepLimit: Infinity, idle: async () => {} })
export const dom0 = xen.createDomain(0)
export const guest = xen.createDomain(5)
export const dom0Drivers = connectDrivers(dom0.machine)

const pending: number[] = []
let isBreak = false
let resume: (() => void) | undefined

guest.dispatch = port => {
  pending.push(port)
}

function wait(deadline: number, into: Uint8Array): number {
  resume?.()
  resume = undefined
  isBreak = false
  xen.now += TURN
  synchronize()
  let isDue = false
  const timer = deadline === Infinity ? undefined : xen.setTimer(deadline - xen.now, () => (isDue = true))
  do native.drain()
  while (!isBreak && xen.step(xen.now))
  while (!isBreak && !isDue && pending.length === 0) {
    // Nothing but time can bring something.
    if (xen.now > LONGEST || !xen.step()) stop(`nothing can happen any more\n${guest.console}`)
    do native.drain()
    while (!isBreak && xen.step(xen.now))
  }
  timer?.cancel()
  native.clock(xen.now)
  synchronize()
  const words = new Uint32Array(into.buffer, into.byteOffset, into.length >> 2)
  const ports = pending.splice(0, words.length)
  words.set(ports)
  return ports.length
}

/** All that the guest has mapped of others: the kernel's copy() asks nobody. */
function synchronize(): void {
  xen.current = guest
  for (const mapping of guest.mappings) mapping.sync()
}

function stop(why: string): never {
  native.print(`failed: ${why}`)
  return native.exit(1)
}

/** A turn of the guest ends here: it is the first that counts, or the last. */
function turnEnds(measure: boolean): Promise<void> {
  native.measure(measure ? 1 : 0)
  isBreak = true
  return new Promise(resolve => {
    resume = resolve
  })
}

/** Begins the world: `work` waits for the guest to be there, does `unit` so many times without a count and then so many times counted. */
export function begin(commandLine: string, work: () => Promise<(i: number) => Promise<void>>): void {
  live(commandLine, async () => {
    const unit = await work()
    for (let i = 0; i < WARM; i++) await unit(i)
    await turnEnds(true)
    for (let i = WARM; i < WARM + COUNT; i++) await unit(i)
    await turnEnds(false)
  })
}

/** Begins the world, and counts the guest from its first turn on until `work` is done. */
export function beginCounted(commandLine: string, work: () => Promise<void>): void {
  native.measure(1)
  live(commandLine, async () => {
    await work()
    await turnEnds(false)
  })
}

function live(commandLine: string, all: () => Promise<void>): void {
  guest.commandLine = commandLine
  const simulated = {
    ...guest.abi,
    wait,
    shutdown: (reason: number) => stop(`the guest ended with reason ${reason}\n${guest.console}`),
  } as unknown as Record<string, unknown>
  const abi = Object.fromEntries(abiNames.map((name, id) => [name, native.bind(id, simulated[name])]))
  Object.assign(globalThis, { __abi: abi })
  all().then(
    () => native.exit(0),
    error => stop(`${error}\n${error.stack}\n${guest.console}`),
  )
}

/** Resolves when `condition` holds, looked at after each event of the simulation. */
export class Signal {
  #waiting: (() => void) | undefined

  notify(): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.()
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition())
      await new Promise<void>(resolve => {
        this.#waiting = resolve
      })
  }
}

/** Resolves when the guest has logged a line with this text. */
export async function logged(text: string): Promise<void> {
  while (!guest.console.includes(text)) await new Promise<void>(resolve => dom0.machine.timers.set(1, resolve))
}
