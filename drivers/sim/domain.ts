/** A simulated domain: its memory, ports, grant table and log, and the machine that drivers run on. */
import type { Abi } from '@xen-ts/boot/abi'
import { type Level, type Log, Suspension, type Timer, type XenMachine } from '@xen-ts/runtime/machine'
import { makeAbi } from './abi.ts'
import { reportOrder, setOwner } from './accesses.ts'
import { DataView, Uint32Array } from './arrays.ts'
import type { Port } from './event-channels.ts'
import { close } from './event-channels.ts'
import { grantUnmap, openGrants } from './grants.ts'
import type { Allocation, Frame, Mapping } from './memory.ts'
import { frameOf, isUntouched, PAGE } from './memory.ts'
import type { Resource } from './refusals.ts'
import type { SimulatedXen } from './xen.ts'

const SHUTDOWN_SUSPEND = 2

export interface LogLine {
  readonly level: Level
  readonly source: string
  readonly text: string
}

export class SimulatedDomain {
  readonly xen: SimulatedXen
  /** A new one after a restore. */
  domid: number
  readonly machine: XenMachine
  readonly abi: Abi
  commandLine = ''
  /** All that was written to the console. */
  console = ''
  /** All that was logged. */
  readonly log: LogLine[] = []
  alive = true
  /** Set once the domain shut down: 0 poweroff, 1 reboot, 3 crash. */
  shutdownReason: number | undefined
  /** Pages pagesAlloc may still give out. */
  freePages = 16384
  maxGrantFrames = 64
  /** Whether an allocation fails that is about to be made; see refusals.ts. */
  refuses: (what: Resource) => boolean = () => false
  /**
   * For hostile tests: called before each operation of this domain that orders memory, with the operation's name. What it
   * changes in shared memory is what the domain sees next.
   */
  hook: ((operation: string) => void) | undefined

  /**
   * What the toolstack does with the domain when it has suspended itself, and what the hypercall then returns: 1 for a checkpoint or
   * a sleep of the host, which is so by default; or what `restore` returns, for a save and a restore.
   */
  onSuspend: () => number = () => 1

  // The hypervisor's view of the domain.
  readonly frames = new Map<number, Frame>()
  readonly allocations = new Map<ArrayBuffer, Allocation>()
  readonly grantTableFrames: ArrayBuffer[] = []
  /** Pages of others mapped here, and pages of ours mapped by others. */
  readonly mappings = new Set<Mapping>()
  readonly openPorts = new Map<number, Port>()
  readonly handlers = new Map<number, () => void>()
  readonly timers = new Set<Timer>()
  xenstore: { readonly page: ArrayBuffer; readonly port: number } | undefined
  nextHandle = 1
  #nextFrame: number

  constructor(xen: SimulatedXen, domid: number) {
    this.xen = xen
    this.domid = domid
    this.#nextFrame = 0x1000 * (domid + 1)
    this.abi = makeAbi(this)
    const timers = { now: () => xen.now, set: (delay: number, run: () => void) => this.#setTimer(delay, run) }
    this.machine = {
      abi: this.abi,
      ports: {
        on: (port, handler) => {
          this.handlers.set(port, handler)
        },
        off: port => {
          this.handlers.delete(port)
        },
      },
      timers,
      suspension: new Suspension(this.abi, timers, this.#logFor('suspend')),
      log: source => this.#logFor(source),
    }
  }

  /** Runs the handler of a port, as the runtime does. */
  dispatch(port: number): void {
    reportOrder(this, 'event')
    this.order('event', true)
    this.handlers.get(port)?.()
  }

  allocate(count: number): ArrayBuffer | undefined {
    if (!Number.isInteger(count) || count < 1) throw new RangeError(`pagesAlloc: ${count} pages`)
    if (count > this.freePages) return undefined
    this.freePages -= count
    const buffer = new ArrayBuffer(count * PAGE)
    const frames: number[] = []
    for (let i = 0; i < count; i++) {
      frames.push(this.#nextFrame)
      this.frames.set(this.#nextFrame++, frameOf(buffer, i))
    }
    setOwner(buffer, this)
    this.allocations.set(buffer, { buffer, count, frames, mappings: [] })
    return buffer
  }

  free(allocation: Allocation): void {
    const { buffer, count, frames } = allocation
    for (let i = 0; i < count && frames.length === 0; i++) {
      if (!isUntouched(buffer, i))
        throw new Error(`simulated page fault: page ${i} of a reservation was written while nothing was mapped there`)
    }
    for (const ref of openGrants(this)) {
      const frame = new Uint32Array(this.grantTableFrames[ref >>> 9])[(ref & 511) * 2 + 1]
      if (frames.includes(frame)) throw new Error(`domain ${this.domid} freed frame ${frame}, which grant ${ref} still gives away`)
    }
    for (const frame of frames) this.frames.delete(frame)
    this.freePages += frames.length
    this.allocations.delete(buffer)
    buffer.transfer() // detaches it: every view left over is empty from now on
  }

  /** Everything the peers did becomes visible, and what we did to them. Without need when nobody else ran since the last time. */
  order(operation: string, always = false): void {
    this.hook?.(operation)
    if (this.xen.current !== this || this.hook !== undefined || always) this.synchronize()
  }

  /** What `order` does, without being asked. */
  synchronize(): void {
    this.xen.current = this
    for (const mapping of this.mappings) if (!mapping.bulk) mapping.sync()
  }

  /** The ABI's wait, for tests of the runtime's loop. Other domains do not run meanwhile. */
  wait(deadline: number, ports: Uint8Array): number {
    this.order('wait', true)
    const out = new DataView(ports.buffer, ports.byteOffset, ports.length)
    let count = 0
    for (const [number, port] of this.openPorts) {
      if (!port.pending || (count + 1) * 4 > ports.length) continue
      port.pending = false
      out.setUint32(count++ * 4, number, true)
    }
    if (count === 0 && deadline !== Infinity) this.xen.now = Math.max(this.xen.now, deadline)
    return count
  }

  shutdown(reason: number): number {
    if (reason === SHUTDOWN_SUSPEND) return this.onSuspend()
    this.shutdownReason = reason
    this.destroy()
    return 0
  }

  /** The domain is gone: ports closed, mappings undone, timers dead. Pages that others have mapped live on with them. */
  destroy(): void {
    if (!this.alive) return
    for (const mapping of [...this.mappings]) mapping.sync()
    for (const port of [...this.openPorts.keys()]) close(this, port)
    for (const allocation of this.allocations.values()) {
      allocation.mappings.forEach((mapping, page) => {
        if (mapping !== undefined) grantUnmap(this, allocation, page, mapping.handle)
      })
    }
    this.handlers.clear()
    for (const timer of [...this.timers]) timer.cancel()
    this.alive = false
    this.xen.domainGone(this)
  }

  /** What this domain holds and should have given back. */
  leaks(): string[] {
    if (!this.alive) return []
    const leaks: string[] = []
    const mine = (what: string): void => {
      leaks.push(`domain ${this.domid}: ${what}`)
    }
    for (const [port, { state, remote }] of this.openPorts)
      if (port !== this.xenstore?.port) mine(`event channel ${port} to domain ${remote} is open (state ${state})`)
    for (const port of this.handlers.keys()) if (!this.openPorts.has(port)) mine(`a handler is left for port ${port}, which is closed`)
    for (const { count, frames, mappings } of this.allocations.values()) {
      mine(
        frames.length > 0
          ? `${count} pages are allocated`
          : `${count} pages are reserved, ${mappings.filter(Boolean).length} of them mapped`,
      )
    }
    const grants = openGrants(this)
    if (grants.length > 0) mine(`${grants.length} grants are open: ${grants.slice(0, 10).join(' ')}`)
    if (this.timers.size > 0) mine(`${this.timers.size} timers are set`)
    return leaks
  }

  #setTimer(delay: number, run: () => void): Timer {
    if (!this.alive) return { cancel: () => {} }
    const timer = this.xen.setTimer(
      delay,
      () => {
        this.timers.delete(handle)
        reportOrder(this, 'timer')
        this.order('timer', true)
        run()
      },
      this,
    )
    const handle: Timer = {
      cancel: () => {
        timer.cancel()
        this.timers.delete(handle)
      },
    }
    this.timers.add(handle)
    return handle
  }

  #logFor(source: string): Log {
    const at =
      (level: Level) =>
      (text: string): void => {
        this.log.push({ level, source, text })
      }
    return { app: at('app'), error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') }
  }
}
