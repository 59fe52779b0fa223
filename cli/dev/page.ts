/** What pages are given while their program is developed: a tag at their end, which loads them anew when there is another program. */
import type { IncomingMessage } from 'node:http'

/** Paths that no program has. */
export const SCRIPT = '/@xen-ts/reload.js'
export const EVENTS = '/@xen-ts/events'

/** A file of its own: where a policy of the page (CSP) forbids scripts within it, those of its own site are allowed as a rule. */
export const TAG = `<script src="${SCRIPT}"></script>`

/** When the tool itself was gone and came back, nobody can say what changed meanwhile. */
export const CLIENT = `{
  const events = new EventSource('${EVENTS}')
  let lost = false
  events.addEventListener('reload', () => location.reload())
  events.addEventListener('error', () => (lost = true))
  events.addEventListener('open', () => lost && location.reload())
  addEventListener('pagehide', () => events.close())
}
`

/** Whether the answer is to become the page: what scripts fetch, and what is no page, stays as it is. */
export function isNavigation({ method, headers }: IncomingMessage): boolean {
  if (method !== 'GET' && method !== 'POST') return false
  const goal = headers['sec-fetch-dest']
  if (goal !== undefined) return goal === 'document' || goal === 'iframe' || goal === 'frame'
  return /\btext\/html\b/.test(headers.accept ?? '')
}

/** Whether a tag can be put behind the body of an answer. */
export function takesTag({ statusCode, headers }: IncomingMessage): boolean {
  if (statusCode === 204 || statusCode === 206 || statusCode === 304) return false
  return /^text\/html\b/.test(headers['content-type'] ?? '') && (headers['content-encoding'] ?? 'identity') === 'identity'
}

/** In the place of a program that is not there; it goes when there is one again. */
export const waitingPage = (why: string): string =>
  `<!DOCTYPE html><meta charset="utf-8"><title>xen-ts dev</title><pre>${why.replace(/[&<]/g, one => (one === '&' ? '&amp;' : '&lt;'))}</pre>${TAG}\n`
