import type { Scenarios } from './testing.ts'

export const abortScenarios: Scenarios = {
  'abort tells listeners once, with the default reason': ({ AbortController }) => {
    const controller = new AbortController()
    const log: unknown[] = []
    controller.signal.addEventListener('abort', (event: Event) => log.push(event.type, controller.signal.aborted))
    controller.signal.onabort = () => log.push('handler')
    controller.abort()
    controller.abort('again')
    return [log, controller.signal.reason.name, controller.signal.reason.code, controller.signal.reason.message]
  },
  'throwIfAborted throws the reason': ({ AbortSignal }) => AbortSignal.abort(new RangeError('x')).throwIfAborted(),
  'any takes the first reason, also one of the past': ({ AbortController, AbortSignal }) => {
    const [a, b] = [new AbortController(), new AbortController()]
    const any = AbortSignal.any([a.signal, b.signal])
    const deep = AbortSignal.any([any])
    const order: string[] = []
    deep.addEventListener('abort', () => order.push(`deep ${any.aborted}`))
    a.signal.addEventListener('abort', () => order.push(`a ${any.aborted} ${deep.aborted}`))
    b.abort('b')
    a.abort('a')
    return [any.reason, deep.reason, order, AbortSignal.any([a.signal, b.signal]).reason]
  },
  'all are aborted before the first listener runs': ({ AbortController, AbortSignal }) => {
    const controller = new AbortController()
    const any = AbortSignal.any([controller.signal])
    const seen: unknown[] = []
    controller.signal.addEventListener('abort', () => seen.push(any.aborted))
    controller.abort()
    return seen
  },
  'timeout aborts with a TimeoutError': async ({ AbortSignal }) => {
    const signal = AbortSignal.timeout(5)
    // Node's own timeout does not keep the process alive.
    const awake = setInterval(() => {}, 1_000)
    await new Promise(resolve => signal.addEventListener('abort', resolve))
    clearInterval(awake)
    return [signal.reason.name, signal.reason.code]
  },
  'AbortSignal is not constructed': ({ AbortSignal }) => new AbortSignal(),
  'listeners: once, removal, order, objects, a signal': ({ EventTarget, Event, AbortController }) => {
    const target = new EventTarget()
    const log: unknown[] = []
    const removed = () => log.push('removed')
    const controller = new AbortController()
    target.addEventListener('x', () => log.push('one'), { once: true })
    target.addEventListener('x', removed)
    target.addEventListener('x', {
      handleEvent() {
        log.push('object')
      },
    })
    target.addEventListener('x', () => log.push('last'))
    target.addEventListener('x', () => log.push('signal'), { signal: controller.signal })
    target.removeEventListener('x', removed)
    target.dispatchEvent(new Event('x'))
    controller.abort()
    target.dispatchEvent(new Event('x'))
    return log
  },
  'preventDefault, stopImmediatePropagation, detail': ({ EventTarget, Event, CustomEvent }) => {
    const target = new EventTarget()
    target.addEventListener('x', (event: Event) => event.preventDefault())
    let calls = 0
    target.addEventListener('y', (event: Event) => {
      calls++
      event.stopImmediatePropagation()
    })
    target.addEventListener('y', () => calls++)
    return [
      target.dispatchEvent(new Event('x')),
      target.dispatchEvent(new Event('x', { cancelable: true })),
      target.dispatchEvent(new Event('y')),
      calls,
      new CustomEvent('z', { detail: 5 }).detail,
    ]
  },
  'a DOMException is an error with a code': ({ DOMException }) => {
    const error = new DOMException('m', 'DataCloneError')
    return [
      error.name,
      error.message,
      error.code,
      error instanceof Error,
      new DOMException().name,
      new DOMException('x', { cause: 5, name: 'AbortError' }).cause,
    ]
  },
}
