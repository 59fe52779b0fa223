/** Runs programs in contexts of their own. A thread, since what nobody catches there would end the process. */
import vm from 'node:vm'
import { parentPort } from 'node:worker_threads'

process.on('unhandledRejection', () => {})

export interface V8Request {
  readonly program: string
  /** Milliseconds. */
  readonly longest: number
}

parentPort!.on('message', ({ program, longest }: V8Request) => {
  const lines: string[] = []
  const context = vm.createContext({ print: (text: string) => lines.push(text) }, { microtaskMode: 'afterEvaluate' })
  try {
    vm.runInContext(`(function () {${program}\n})()`, context, { filename: 'script.js', timeout: longest })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') {
      parentPort!.postMessage(undefined)
      return
    }
    lines.push(`ended: ${message}`)
  }
  parentPort!.postMessage(lines)
})
