/** The main module for the guest's engine in Node: measures there and prints the rows as JSON. */
import '@xen-ts/drivers/sim/engine-setup'
import type { Abi } from '@xen-ts/boot/abi'
import { createEncoding } from '@xen-ts/runtime/web'
import { fetchRows } from './fetch.ts'
import { httpRows } from './http.ts'
import { netRows } from './net.ts'
import { tcpRows } from './tcp.ts'
import { vchanRows } from './vchan.ts'

const scope = globalThis as unknown as { __abi: Abi; __xenTs: { turn(): void; fail(reason: unknown): void } }
const abi = scope.__abi
Object.assign(globalThis, createEncoding(abi))
const log = { app() {}, error() {}, warn() {}, info() {}, debug() {} }

/** Called when no promise job is left. */
let next = (): void => {
  void measure().catch(fail)
}

async function measure(): Promise<void> {
  const host = {
    now: () => abi.clockMonotonic(),
    idle: () =>
      new Promise<void>(resolve => {
        next = resolve
      }),
    divisor: 20,
  }
  const machine = { abi, log: () => log }
  const sockets = [...(await httpRows(host, machine)), ...(await tcpRows(host, machine)), ...(await fetchRows(host, machine))]
  const rows = [...(await vchanRows(host)), ...(await netRows(host)), ...sockets]
  abi.consoleWrite(JSON.stringify(rows))
  abi.shutdown(0)
}

function fail(reason: unknown): void {
  throw reason
}

scope.__xenTs = { turn: () => next(), fail }
