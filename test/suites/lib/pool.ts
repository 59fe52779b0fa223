/** Jobs in worker threads with a time limit each: an endless loop in the engine ends only with its thread. */
import { Worker } from 'node:worker_threads'

export interface PoolOptions {
  /** URL of the worker's module: it takes a job by message and answers with one message. */
  readonly worker: URL
  readonly workerData: unknown
  readonly jobs: number
  /** A thread for each job, for what leaves traces in it. */
  readonly fresh?: boolean
}

export type Outcome<R> = { readonly result: R } | { readonly stopped: string }

/** Runs all jobs; `limit` gives a job's seconds. Outcomes are in the order of the jobs. */
export async function runPool<J, R>(
  all: readonly J[],
  options: PoolOptions,
  limit: (job: J) => number,
  onDone: (done: number, job: J, outcome: Outcome<R>) => void = () => {},
): Promise<Outcome<R>[]> {
  const outcomes: Outcome<R>[] = new Array(all.length)
  let next = 0,
    done = 0
  const lane = async (): Promise<void> => {
    let worker: Worker | undefined
    while (next < all.length) {
      const index = next++,
        job = all[index]
      worker ??= new Worker(options.worker, {
        workerData: options.workerData,
        stdout: true,
        stderr: true,
        resourceLimits: { maxOldGenerationSizeMb: 2048, stackSizeMb: 128 },
      }).on('error', () => {})
      const outcome = await one<J, R>(worker, job, limit(job) * 1000)
      if (options.fresh || 'stopped' in outcome) {
        await worker.terminate()
        worker = undefined
      }
      outcomes[index] = outcome
      onDone(++done, job, outcome)
    }
    await worker?.terminate()
  }
  await Promise.all(Array.from({ length: Math.max(1, options.jobs) }, lane))
  return outcomes
}

function one<J, R>(worker: Worker, job: J, milliseconds: number): Promise<Outcome<R>> {
  return new Promise(resolve => {
    const timer = setTimeout(() => end({ stopped: `no result within ${milliseconds / 1000} s` }), milliseconds)
    const onMessage = (result: R) => end({ result })
    const onError = (error: Error) => end({ stopped: `the thread ended: ${error?.message ?? error}` })
    const onExit = (code: number) => end({ stopped: `the thread ended with code ${code}` })
    const end = (outcome: Outcome<R>) => {
      clearTimeout(timer)
      worker.off('message', onMessage).off('error', onError).off('exit', onExit)
      resolve(outcome)
    }
    worker.on('message', onMessage).on('error', onError).on('exit', onExit)
    worker.postMessage(job)
  })
}
