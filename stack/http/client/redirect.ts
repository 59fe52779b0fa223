/** Where a redirect leads, and with what: https://fetch.spec.whatwg.org/#http-redirect-fetch */
import { HttpError } from './error.ts'
import type { ResponseHead } from './head.ts'
import { type Outgoing, placeOf } from './request.ts'

export type RedirectMode = 'follow' | 'manual' | 'error'

/** What describes a body that is not sent any more. */
const ofBody = new Set(['content-encoding', 'content-language', 'content-location', 'content-type'])
/** What is meant for one origin: the standard's Authorization, and what a program has to say itself where a browser would not. */
const ofOrigin = new Set(['authorization', 'cookie', 'proxy-authorization'])

/**
 * The request that a response asks for; undefined when it is not a redirect, or shall not be followed.
 * @throws HttpError, TypeError when it cannot be followed
 */
export function redirected(request: Outgoing, head: ResponseHead, mode: RedirectMode): Outgoing | undefined {
  const { status, location } = head
  if (status !== 301 && status !== 302 && status !== 303 && status !== 307 && status !== 308) return undefined
  if (mode === 'error') throw new HttpError('ELOOP', `it was answered with ${status}, and redirect: 'error' was asked for`)
  if (mode === 'manual' || location === undefined) return undefined
  const url = locationUrl(location, request.url)
  const place = placeOf(url)
  const isKept = status === 307 || status === 308 || (status !== 303 && request.method !== 'POST')
  const isSame = isKept || request.method === 'GET' || request.method === 'HEAD'
  if (status !== 303 && request.body !== undefined && !(request.body instanceof Uint8Array)) {
    throw new TypeError('it was redirected, and a body that is a stream cannot be sent twice: give a text or bytes')
  }
  let fields = request.fields
  if (!isSame) fields = fields.filter(([name]) => !ofBody.has(name))
  if (place.authority !== request.place.authority) fields = fields.filter(([name]) => !ofOrigin.has(name))
  return { method: isSame ? request.method : 'GET', url, place, fields, body: isSame ? request.body : undefined }
}

/** Octets above 127 stand for themselves: mostly they are UTF-8 that should have been encoded. */
function locationUrl(location: string, base: string): string {
  const text = location.replace(/[\x80-\xff]/g, octet => `%${octet.charCodeAt(0).toString(16).toUpperCase()}`)
  const url = URL.parse(text, base)
  if (url === null) throw new TypeError('it was redirected to what is no URL')
  if (url.username !== '' || url.password !== '') throw new TypeError('it was redirected to a URL with a user name or password')
  url.hash = ''
  return url.href
}
