/** The global `WebSocket` of every domain, on the stack, which is connected, if the program has not asked for it, with the first one. */
import { type Global, stack } from '@xen-ts/runtime'
import { ClientWebSocket, type IpStack, webSocketClass } from '@xen-ts/stack'

export const WebSocket: Global = ({ machine, lifecycle, use }) => {
  const { abi, timers } = machine
  const open = new Set<ClientWebSocket>()
  lifecycle.onShutdown('WebSocket', () => {
    for (const socket of open) ClientWebSocket.leave(socket)
  })
  const connect: IpStack['tcp']['connect'] = async options => {
    const { tcp } = (await use(stack())) as IpStack
    return tcp.connect(options)
  }
  return webSocketClass({ abi, timers, log: machine.log('websocket'), connect }, open)
}
