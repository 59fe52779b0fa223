/**
 * Names of global things that other JavaScript hosts have and a unikernel of xen-ts has not. They do not exist here at all: what tests
 * for them, by `typeof Worker` or `'Worker' in globalThis`, finds nothing. The build warns of uses, and an error that names one says why.
 */

const browser =
  'window document location history localStorage sessionStorage indexedDB alert Image HTMLElement Element Node DOMParser ' +
  'MutationObserver requestAnimationFrame cancelAnimationFrame XMLHttpRequest getComputedStyle'
const web = 'fetch WebSocket EventSource FileReader Worker SharedWorker importScripts caches PerformanceObserver Atomics'

const ofNode = (instead: string) => `it belongs to Node; take a build of the package for browsers, or, in a program, ${instead}`

const groups: readonly (readonly [string, string])[] = [
  ['Buffer', ofNode('Uint8Array, TextEncoder and TextDecoder')],
  ['process', ofNode('arguments: arg of xen-ts')],
  ['setImmediate clearImmediate', ofNode('setTimeout or queueMicrotask')],
  ['__dirname __filename', ofNode("assets('./folder') of xen-ts")],
  [browser, 'it belongs to browsers, and a unikernel has no page'],
  [
    'WebAssembly',
    "it is there for modules that the program imports (import module from './NAME.wasm') or has in its text, and runs nothing else; take a build of the package in JavaScript, or test for it with typeof first",
  ],
  [web, 'do without it, or test for it with typeof first'],
]

/** All these names. */
export const absentNames = (): string[] => groups.flatMap(([names]) => names.split(' '))

/** What to say of a global name that is known and does not exist: "FileReader is not available in xen-ts: ...". */
export function absentHint(name: string): string | undefined {
  const group = groups.find(([names]) => names.split(' ').includes(name))
  return group && `${name} is not available in xen-ts: ${group[1]}`
}

/** The same for the message of a ReferenceError: "'FileReader' is not defined" (QuickJS), "FileReader is not defined" (V8). */
export function absentHintFor(message: string): string | undefined {
  const name = /^'?([\w$]+)'? is not defined$/.exec(message)?.[1]
  return name === undefined ? undefined : absentHint(name)
}
