/** The WebSocket of programs over Node's sockets: what Node's own WebSocket refuses, and a server of another make. */
import { nodeMachine } from '@xen-ts/runtime/node'
import test from 'ava'
import { webSocketClass } from './client.ts'

const machine = nodeMachine()

const invalid: [...args: unknown[]][] = [
  [],
  ['not a url'],
  ['/relative'],
  ['ftp://a/'],
  ['ws://a/#'],
  ['ws://a/#b'],
  ['ws://a/', ''],
  ['ws://a/', 'two words'],
  ['ws://a/', ['x', 'X']],
  ['ws://a/', ['x', 'x']],
  ['ws://a/', '\u00e4'],
  ['ws://a:99999/'],
]
for (const args of invalid) {
  test(`refused as by Node: ${JSON.stringify(args)}`, t => {
    const host = { ...machine, log: machine.log('websocket'), connect: () => Promise.reject(new Error('not in this test')) }
    const WebSocket = webSocketClass(host, new Set())
    const refusal = (Class: any) => t.throws(() => new Class(...args), { any: true } as object) as any
    t.is(refusal(WebSocket).name, refusal(globalThis.WebSocket).name)
  })
}
