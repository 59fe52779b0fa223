/** The names of the web platform that tests may reach as globals. A program of xen-ts gets some of them only where it uses them by name. */
export const names = `
AbortController AbortSignal Blob BroadcastChannel ByteLengthQueuingStrategy CloseEvent CompressionStream CountQueuingStrategy Crypto CryptoKey
CustomEvent DOMException DecompressionStream ErrorEvent Event EventSource EventTarget File FileList FileReader FormData Headers MessageChannel
MessageEvent MessagePort Navigator Performance PerformanceEntry PerformanceMark PerformanceMeasure PerformanceObserver PerformanceObserverEntryList
ProgressEvent PromiseRejectionEvent ReadableByteStreamController ReadableStream ReadableStreamBYOBReader ReadableStreamBYOBRequest
ReadableStreamDefaultController ReadableStreamDefaultReader Request Response Storage SubtleCrypto TextDecoder TextDecoderStream TextEncoder
TextEncoderStream TransformStream TransformStreamDefaultController URL URLPattern URLSearchParams WebAssembly WebSocket WorkerGlobalScope WorkerNavigator
WritableStream WritableStreamDefaultController WritableStreamDefaultWriter Intl addEventListener atob btoa clearInterval clearTimeout console
crypto dispatchEvent navigator performance queueMicrotask removeEventListener reportError scheduler self setImmediate clearImmediate setInterval
setTimeout structuredClone
`
  .trim()
  .split(/\s+/)

/** A program that puts them all on the global object, runs `__suite.run()` and ends. */
export const program = (name: string): string => `
import { unikernel } from 'xen-ts'
const found = {
${names.map(each => `  ${each}: () => typeof ${each} === 'undefined' ? undefined : ${each},`).join('\n')}
}
// What belongs to an image by other words than names.
export const named = [
  (label: string) => new TextDecoder(label),
  () => [performance.mark, console.table, globalThis.onerror, globalThis.onunhandledrejection],
]
export default unikernel({
  name: '${name}',
  async start() {
    for (const [key, get] of Object.entries(found)) {
      const value = get()
      if (value !== undefined && !Object.hasOwn(globalThis, key))
        Object.defineProperty(globalThis, key, { value, writable: true, configurable: true, enumerable: false })
    }
    // This program uses it, names no algorithm, and so has them all.
    if (typeof crypto.subtle.importKey !== 'function') throw new Error('there is no crypto.subtle')
    await (globalThis as any).__suite.run()
  },
})
`
