/** One part of the training, in the guest's engine: globalThis.__part says which. */
import '@xen-ts/drivers/sim/engine-setup'
import type { Abi } from '@xen-ts/boot/abi'
import { createEncoding } from '@xen-ts/runtime/web'
import { fetchRows } from './sim/fetch.ts'
import { httpRows } from './sim/http.ts'
import { netRows } from './sim/net.ts'
import { tcpRows } from './sim/tcp.ts'
import { vchanRows } from './sim/vchan.ts'

const scope = globalThis as unknown as { __abi: Abi; __part: string; __xenTs: { turn(): void; fail(reason: unknown): void } }
const abi = scope.__abi
Object.assign(globalThis, createEncoding(abi))
const log = { app() {}, error() {}, warn() {}, info() {}, debug() {} }

/** Called when no promise job is left. */
let next = (): void => {
  void train().catch(fail)
}

async function train(): Promise<void> {
  const host = {
    now: () => abi.clockMonotonic(),
    idle: () =>
      new Promise<void>(resolve => {
        next = resolve
      }),
    divisor: 100,
  }
  const machine = { abi, log: () => log }
  const parts: Record<string, () => Promise<unknown>> = {
    fetch: () => fetchRows(host, machine),
    http: () => httpRows(host, machine),
    net: () => netRows(host),
    tcp: () => tcpRows(host, machine),
    vchan: () => vchanRows(host),
  }
  await parts[scope.__part]()
  abi.shutdown(0)
}

function fail(reason: unknown): void {
  throw reason
}

scope.__xenTs = { turn: () => next(), fail }
