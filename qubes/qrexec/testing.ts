/** What the tests of qrexec share: an agent and dom0's daemon, in memory. Not part of any image. */

import { message, QrexecDaemon, type QrexecDaemonOptions, testMachine } from '@xen-ts/rig/dom0'
import { Hub } from '@xen-ts/rig/dom0/hub'
import { Qrexec } from './agent.ts'

export const DOMID = 5

export function setUp(options: Partial<QrexecDaemonOptions> = {}) {
  const hub = new Hub()
  const machine = testMachine()
  const agent = new Qrexec({ machine, channels: hub.channels(DOMID) })
  const dom0 = hub.channels(0)
  const daemon = new QrexecDaemon({
    domid: DOMID,
    connect: (port, signal) => dom0.connect(DOMID, port, { signal }),
    serve: port => dom0.serve(DOMID, port, { readSize: 65536, writeSize: 65536 }),
    ...options,
  })
  const running = agent.run()
  const serving = daemon.run()
  serving.catch(() => {})
  agent.service('xen-ts.Echo', async ({ stdin, stdout }) => {
    await stdin.pipeTo(stdout)
  })
  return { hub, machine, agent, daemon, running, serving }
}

export const tick = (): Promise<void> =>
  new Promise(resolve => {
    setTimeout(resolve, 5)
  })

export const text = (result: { code: number; stdout: Buffer; stderr: Buffer }) => ({
  code: result.code,
  stdout: result.stdout.toString(),
  stderr: result.stderr.toString(),
})

/** An agent that serves xen-ts.Echo to whom the test makes its daemon. */
export function victim() {
  const hub = new Hub()
  const machine = testMachine()
  const agent = new Qrexec({ machine, channels: hub.channels(DOMID) })
  agent.service('xen-ts.Echo', async ({ stdin, stdout }) => {
    await stdin.pipeTo(stdout)
  })
  return { hub, machine, agent, running: agent.run() }
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value >>> 0)
  return bytes
}

export const exec = (port: number, line: string, domain = 0, type = 0x200): Buffer =>
  message(type, Buffer.concat([u32(domain), u32(port), Buffer.from(line)]))
export const header = (type: number, length: number): Buffer => Buffer.concat([u32(type), u32(length)])
