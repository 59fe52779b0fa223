/** `target.onmessage = f`: event handler attributes, https://html.spec.whatwg.org/#event-handler-attributes */
import { type Event, EventTarget } from './events.ts'

export type Handler<E extends Event = Event> = ((event: E) => unknown) | null

interface Attribute {
  handler: object
  readonly listener: (event: Event) => void
}
const attributes = new WeakMap<EventTarget, Map<string, Attribute>>()

export const getHandler = (target: EventTarget, type: string): any => attributes.get(target)?.get(type)?.handler ?? null

/** It listens in the place where it was set first, until it is set to null. What is no object counts as null. */
export function setHandler(target: EventTarget, type: string, value: unknown): void {
  const handler = typeof value === 'function' || typeof value === 'object' ? value : null
  let own = attributes.get(target)
  if (own === undefined) attributes.set(target, (own = new Map()))
  const attribute = own.get(type)
  if (handler === null) {
    own.delete(type)
    EventTarget.prototype.removeEventListener.call(target, type, attribute?.listener ?? null)
  } else if (attribute !== undefined) {
    attribute.handler = handler
  } else {
    const added: Attribute = {
      handler,
      listener(event) {
        if (typeof added.handler === 'function' && added.handler.call(target, event) === false) event.preventDefault()
      },
    }
    own.set(type, added)
    EventTarget.prototype.addEventListener.call(target, type, added.listener)
  }
}

/** Gives the objects of a class such an attribute for each type. */
export function addHandlers(Class: { prototype: EventTarget }, ...types: readonly string[]): void {
  for (const type of types) {
    Object.defineProperty(Class.prototype, `on${type}`, {
      get(this: EventTarget) {
        return getHandler(this, type)
      },
      set(this: EventTarget, value: unknown) {
        setHandler(this, type, value)
      },
      enumerable: true,
      configurable: true,
    })
  }
}
