/**
 * The URL of a request (RFC 9112 sections 3.2 and 3.3). Each part is checked by itself before the parts are put together, so that no
 * part can be taken for another: without that, an empty Host would make a host of the first name in the path.
 */
import { isPlainUrl } from '@xen-ts/runtime/web'
import { BadMessage } from '../message/bad-message.ts'

/** Longest target in bytes. */
export const MAX_TARGET = 8 * 1024

/** Visible ASCII without `#`: a fragment is never sent (RFC 9112 section 3.2.1 and 3.2.2). */
const TARGET = /^[!"$-~]+$/
/** A name, an address, or an IPv6 address in brackets, with or without a port. May be empty. */
const HOST = /^(?:(?:[A-Za-z0-9\-._~%!$&'()*+,;=]+|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?)?$/

/**
 * Fetch would write these in capitals, or not have them at all, but to HTTP `get` is another method than `GET` (RFC 9110 section 9.1): who
 * stands before this server may have let it pass as such.
 */
const MISSPELT = /^(?:delete|get|head|options|post|put|connect|trace|track)$/i

/** Scheme, authority and the rest of a target in absolute form. */
const ABSOLUTE = /^(https?):\/\/([^/?]+)(.*)$/i

/** The authority that a target in absolute form has. */
export const authorityIn = (target: string): string | undefined => (target[0] === '/' ? undefined : ABSOLUTE.exec(target)?.[2])

/** Whether the value of a Host field can be one; an empty one can (RFC 9110 section 7.2). */
export const isHost = (text: string): boolean => HOST.test(text)

/**
 * The URL of a target: origin form, absolute form, and the asterisk of OPTIONS, which is the server itself and has no path of its own.
 * @param host the authority where the target has none: the Host field, or the server's own address; not empty
 */
export function targetUrl(method: string, target: string, host: string): string | BadMessage {
  if (method === 'CONNECT' || method === 'TRACE' || method === 'TRACK') return new BadMessage(405, `${method} is not possible here`)
  if (MISSPELT.test(method) && method !== method.toUpperCase())
    return new BadMessage(501, `${method} is not a method: methods are written in capitals`)
  if (!TARGET.test(target)) return new BadMessage(400, 'the target contains characters that must be percent-encoded')
  if (target[0] === '/') return urlOf(host, target)
  if (target === '*' && method === 'OPTIONS') return urlOf(host, '/')
  const [, scheme, authority, rest] = ABSOLUTE.exec(target) ?? []
  if (scheme === undefined) return new BadMessage(400, 'the target is neither a path nor an http URL')
  // RFC 9110 section 7.4: a request for an https resource must have come over a connection that was secured.
  if (scheme.length > 4) return new BadMessage(421, 'this connection is not secured, so nothing at https is served on it')
  // RFC 9112 section 3.2.2: the Host field says nothing when the target has an authority.
  if (!isHost(authority)) return new BadMessage(400, "the target's host is not a host")
  return urlOf(authority, rest[0] === '/' ? rest : `/${rest}`)
}

/** @param target begins with a slash; all characters are such as TARGET allows */
function urlOf(host: string, target: string): string | BadMessage {
  // Host and target are not empty, and neither can contain what ends a host: this can be taken apart in one way only.
  const plain = `http://${host}${target}`
  if (isPlainUrl(plain)) return plain
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  // Of URLs a backslash is another slash: what a proxy sees as one name would be a way out of a folder here.
  if (path.includes('\\')) return new BadMessage(400, 'the path contains a backslash, which must be percent-encoded')
  const url = URL.parse(`http://${host}/`)
  if (url === null) return new BadMessage(400, 'the host of the request is not a valid one')
  url.pathname = path
  if (mark >= 0) url.search = target.slice(mark)
  return url.href
}
