import type { Scenarios, Web } from '../testing.ts'

const attempt = (run: () => unknown): unknown => {
  try {
    return run()
  } catch (error: any) {
    return `${error.name} ${typeof error.code === 'number' ? error.code : ''}`
  }
}
const next = (target: any, type = 'message') => new Promise<any>(resolve => target.addEventListener(type, resolve, { once: true }))
const tasks = async (count = 5) => {
  for (let i = 0; i < count; i++) await new Promise(resolve => setTimeout(resolve, 1))
}

export const messageScenarios: Scenarios = {
  'messages are copies, and come in order': async ({ MessageChannel }: Web) => {
    const { port1, port2 } = new MessageChannel()
    const seen: unknown[] = []
    port2.onmessage = ({ data }: any) => seen.push(data)
    const given = { a: [1] }
    port1.postMessage(given)
    given.a.push(2)
    port1.postMessage('two')
    port1.postMessage(3)
    await tasks()
    port1.close()
    return seen
  },
  'both ways, buffers are moved, ports too': async ({ MessageChannel, MessagePort }: Web) => {
    const { port1, port2 } = new MessageChannel()
    const inner = new MessageChannel()
    const buffer = Uint8Array.of(1, 2, 3).buffer
    const arrived = next(port2)
    port2.start()
    inner.port1.postMessage('sent before the port was moved')
    port1.postMessage({ buffer, port: inner.port2 }, [buffer, inner.port2])
    const { data } = await arrived
    const first = next(data.port)
    data.port.start()
    const text = (await first).data
    const back = next(inner.port1)
    inner.port1.start()
    data.port.postMessage('back')
    const answer = (await back).data
    const results = [
      buffer.byteLength,
      [...new Uint8Array(data.buffer)],
      data.port instanceof MessagePort,
      text,
      answer,
      attempt(() => port1.postMessage(1, [inner.port2])),
      attempt(() => port1.postMessage(1, [port1])),
      attempt(() => port1.postMessage(() => {})),
      attempt(() => port1.postMessage(inner.port1)),
      attempt(() => port1.postMessage()),
      attempt(() => new MessagePort()),
    ]
    port1.close()
    inner.port1.close()
    return results
  },
  'a closed port sends and gets nothing more': async ({ MessageChannel }: Web) => {
    const { port1, port2 } = new MessageChannel()
    const seen: unknown[] = []
    port2.onmessage = ({ data }: any) => seen.push(data)
    port1.postMessage('on its way')
    port1.close()
    port1.postMessage('too late')
    await tasks()
    port2.postMessage('to nobody')
    await tasks()
    return seen
  },
  'channels of a name hear each other, not themselves': async ({ BroadcastChannel }: Web) => {
    const [a, b, c, other] = ['n', 'n', 'n', 'm'].map(name => new BroadcastChannel(name))
    const seen: string[] = []
    for (const [key, one] of Object.entries({ a, b, c, other })) one.onmessage = ({ data }: any) => void seen.push(`${key} ${data.x}`)
    a.postMessage({ x: 1 })
    c.close()
    await tasks(10)
    b.postMessage({ x: 2 })
    await tasks(10)
    const closed = attempt(() => c.postMessage(1))
    const uncloned = attempt(() => b.postMessage(Symbol('s')))
    const names = [a.name, other.name]
    for (const one of [a, b, other]) one.close()
    return [seen, closed, uncloned, names, attempt(() => new BroadcastChannel())]
  },
  'events of messages, made by programs': ({ MessageEvent, CustomEvent }: Web) => {
    const event = new MessageEvent('message', { data: 5, origin: 'o', lastEventId: 'i', cancelable: true })
    const bare = new MessageEvent('x')
    return [
      [event.type, event.data, event.origin, event.lastEventId, event.source, event.ports.length, event.cancelable, event.isTrusted],
      [bare.data, bare.origin, bare.lastEventId, bare.source],
      attempt(() => new MessageEvent()),
      attempt(() => new MessageEvent('x', { source: 1 })),
      [new CustomEvent('c', { detail: { a: 1 } }).detail, new CustomEvent('c').detail],
    ]
  },
}
