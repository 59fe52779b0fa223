/**
 * Runs functions on a thread with a large stack. Under V8 the engine's calls take stack of the thread, and it is V8 that ends a
 * recursion when that is used up: with an exception that goes through the engine and that the program in it cannot catch. With room
 * for all that the engine allows, its own limit is reached first, as in the guest.
 */
import { Worker } from 'node:worker_threads'
import { withCompileCache } from './compile-cache.ts'
import { GuestError } from './errors.ts'

/** Of the thread; taken when it is used. The engine's limit of 2 MiB was seen to take 30. */
const stackSizeMb = 128

export interface DeepCall {
  readonly id: number
  /** URL of a module, name of a function that it exports, and what the function is called with: (data, output). */
  readonly module: string
  readonly name: string
  readonly data: unknown
}

/** What comes back: text while it runs, and at the end a result or an error. */
export type DeepReply = { readonly id: number } & (
  | { readonly started: true }
  | { readonly output: string }
  | { readonly result: unknown }
  | { readonly error: unknown; readonly guest?: { readonly name: string; readonly message: string; readonly stack: string } }
)

interface Waiting {
  readonly call: DeepCall
  readonly started: () => void
  readonly output: (text: string) => void
  readonly resolve: (result: any) => void
  readonly reject: (error: unknown) => void
  /** Whether the process waits for it. */
  readonly isWanted: boolean
}

let thread: Worker | undefined
const waiting = new Map<number, Waiting>()
let calls = 0

/**
 * Calls an exported function `(data, output) => result` of a module there. Data and result are cloned. One call runs at a time.
 * Throws what the function throws: a GuestError as one, others as structured clones.
 * @param timeout milliseconds after which it is ended, once it has begun: it rejects
 */
export async function callDeep<T>(
  module: string,
  name: string,
  data: unknown,
  output: (text: string) => void,
  timeout?: number,
): Promise<T> {
  return call(module, name, data, { output, timeout, isWanted: true })
}

/** Calls a function there beforehand, for what it leaves behind: the process may end while it runs. */
export const prepareDeep = <T>(module: string, name: string, data: unknown): Promise<T> =>
  call(module, name, data, { output: () => {}, isWanted: false })

interface CallOptions {
  readonly output: (text: string) => void
  readonly timeout?: number
  readonly isWanted: boolean
}

async function call<T>(module: string, name: string, data: unknown, { output, timeout, isWanted }: CallOptions): Promise<T> {
  thread ??= start()
  const id = ++calls
  const message: DeepCall = { id, module, name, data }
  let timer: NodeJS.Timeout | undefined
  const started = (): void => {
    clearTimeout(timer)
    // A result may have come while this thread was busy: messages are looked at after timers, and before what is set for immediately.
    const late = (): void => void setImmediate(() => waiting.has(id) && abandon(id, new Error(`it still runs after ${timeout! / 1000} s`)))
    if (timeout !== undefined) timer = setTimeout(late, timeout)
  }
  const result = new Promise<T>((resolve, reject) => waiting.set(id, { call: message, started, output, resolve, reject, isWanted }))
  thread.postMessage(message)
  hold(thread)
  return result.finally(() => clearTimeout(timer))
}

/** The process stays as long as there is a call that it waits for. */
function hold(thread: Worker): void {
  if ([...waiting.values()].some(({ isWanted }) => isWanted)) thread.ref()
  else thread.unref()
}

/** Ends a call with its thread: nothing else ends a loop. What waited for the thread begins anew on another. */
function abandon(id: number, error: Error): void {
  const old = thread
  waiting.get(id)?.reject(error)
  waiting.delete(id)
  thread = undefined
  old?.removeAllListeners()
  void old?.terminate()
  if (waiting.size === 0) return
  thread = start()
  for (const { call } of waiting.values()) thread.postMessage(call)
  hold(thread)
}

function start(): Worker {
  const worker = new Worker(new URL('./deep-thread.ts', import.meta.url), { resourceLimits: { stackSizeMb }, env: withCompileCache() })
  const settled = (id: number) => {
    waiting.delete(id)
    hold(worker)
  }
  worker.on('message', (reply: DeepReply) => {
    const call = waiting.get(reply.id)!
    if ('started' in reply) {
      call.started()
      return
    }
    if ('output' in reply) {
      call.output(reply.output)
      return
    }
    settled(reply.id)
    if ('result' in reply) call.resolve(reply.result)
    else call.reject(reply.guest ? new GuestError(reply.guest.name, reply.guest.message, reply.guest.stack) : reply.error)
  })
  const end = (error: unknown) => {
    thread = undefined
    for (const { reject } of waiting.values()) reject(error)
    waiting.clear()
  }
  worker.on('error', end)
  worker.on('exit', code => end(new Error(`the thread of the engine has ended with code ${code}`)))
  return worker
}
