/** A target that connects to nothing: there is no Xen here. Its WebSocket finds no server. */
import type { Connect, Global, Target } from '@xen-ts/runtime'
import { webSocketClass } from '@xen-ts/stack'

export const target = { name: 'suite', becomes: 'image', kinds: {}, globals: ['WebSocket'] } as const satisfies Target
export const connect: Connect<typeof target> = () => ({ provide: {} })

export const WebSocket: Global = ({ machine: { abi, timers, log } }) =>
  webSocketClass({ abi, timers, log: log('websocket'), connect: () => Promise.reject(new Error('there is no network here')) }, new Set())
