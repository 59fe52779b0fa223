/**
 * https://wicg.github.io/scheduling-apis/ , without TaskController: priorities do not change. Beside it `wait`, which other server runtimes have.
 * A task is a turn of the event loop, so that timers and devices come between two.
 */

const priorities = ['user-blocking', 'user-visible', 'background'] as const
type Priority = (typeof priorities)[number]

export interface TaskOptions {
  priority?: Priority
  /** Rejects with its reason when it aborts before the task has begun. */
  signal?: AbortSignal
  /** Milliseconds before the task is queued. */
  delay?: number
}

interface Task {
  run: (() => unknown) | undefined
}

/** Tasks that wait, by priority. */
const queues: readonly Task[][] = priorities.map(() => [])
let isScheduled = false

function schedule(): void {
  if (isScheduled || queues.every(queue => queue.length === 0)) return
  isScheduled = true
  setTimeout(() => {
    isScheduled = false
    const task = queues.find(queue => queue.length > 0)?.shift()
    schedule()
    task?.run?.()
  }, 0)
}

/** @param again it goes on before the others of its priority */
function queued<T>(callback: () => T | PromiseLike<T>, { priority = 'user-visible', signal, delay = 0 }: TaskOptions, again: boolean) {
  const queue = queues[priorities.indexOf(priority)]
  if (queue === undefined) throw new TypeError(`scheduler: ${String(priority)} is no priority; use ${priorities.join(', ')}`)
  if (!(Number(delay) >= 0)) throw new TypeError(`scheduler: ${String(delay)} is no delay in milliseconds`)
  signal?.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const abort = (): void => {
    task.run = undefined
    reject(signal!.reason)
  }
  const task: Task = {
    run() {
      signal?.removeEventListener('abort', abort)
      try {
        resolve(callback())
      } catch (error) {
        reject(error)
      }
    },
  }
  signal?.addEventListener('abort', abort, { once: true })
  const add = (): void => {
    if (task.run === undefined) return
    if (again) queue.unshift(task)
    else queue.push(task)
    schedule()
  }
  if (delay > 0) setTimeout(add, delay)
  else add()
  return promise
}

class Scheduler {
  /** Calls `callback` in a task of its own; resolves with what it returns. */
  async postTask<T>(callback: () => T | PromiseLike<T>, options: TaskOptions = {}): Promise<T> {
    if (typeof callback !== 'function') throw new TypeError(`postTask: the callback must be a function, not ${typeof callback}`)
    return queued(callback, options, false)
  }
  /** Lets others have their turn. */
  async yield(): Promise<void> {
    return queued(() => {}, {}, true)
  }
  /** Resolves after `delay` milliseconds. */
  async wait(delay: number, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    return queued(() => {}, { delay, signal }, false)
  }
}

export const scheduler = new Scheduler()
