/**
 * What a Request, a Response and their Headers have inside: https://fetch.spec.whatwg.org/#requests , https://fetch.spec.whatwg.org/#responses .
 * The names are symbols and not private ones, since a server makes and reads these objects for each request: in the engine a private field
 * costs 1,700 instructions to make, beside a call that makes the fields of its class. Programs cannot see them by any name, and inspection
 * leaves them out (runtime/format.ts).
 */
import type { ReadableStream } from 'web-streams-polyfill'
import { urlSlots } from '../url/slots.ts'
import type { HeaderList } from './header-list.ts'

export type { HeaderList }

/** Of a request or response: its body, absent or null when there is none (body.ts). */
export const SOURCE: unique symbol = Symbol('source')
/** Of a request, a RequestHead; of a response, a ResponseHead. Not to be changed: others have it too. */
export const HEAD: unique symbol = Symbol('head')
/** The Headers of a request or response, once somebody has asked for them: then they say what the head's list does no more. */
export const HEADERS: unique symbol = Symbol('headers')
/** Of Headers: their list. */
export const LIST: unique symbol = Symbol('list')
/** Of a request: its signal, or a controller when the signal is our own, once somebody has asked for it. */
export const SIGNAL: unique symbol = Symbol('signal')
/** Of the class Request: a constructor of another request with the head of one, for a server. */
export const MAKE: unique symbol = Symbol('make')

const all: ReadonlySet<PropertyKey> = new Set([SOURCE, HEAD, HEADERS, LIST, SIGNAL, MAKE, ...urlSlots])
export const isSlot = (key: PropertyKey): boolean => all.has(key)

export interface RequestHead {
  readonly method: string
  readonly url: string
  readonly redirect: string
  readonly list: HeaderList
}

export interface ResponseHead {
  readonly status: number
  readonly statusText: string
  readonly list: HeaderList
  /** A server keeps here what it has made of it (stack/http/server/answer.ts): only while the list is shared. */
  written?: unknown
}

/** Instead of a body, when it was read or is part of something else now: with the stream that it is, if any. */
export class Used {
  readonly stream: ReadableStream<Uint8Array> | undefined

  constructor(stream: ReadableStream<Uint8Array> | undefined) {
    this.stream = stream
  }
}
export const USED = new Used(undefined)
