/** The thread of deep.ts. */
import { parentPort } from 'node:worker_threads'
import type { DeepCall, DeepReply } from './deep.ts'
import { GuestError } from './errors.ts'

const port = parentPort!
const reply = (message: DeepReply) => port.postMessage(message)

port.on('message', async ({ id, module, name, data }: DeepCall) => {
  try {
    const run = (await import(module))[name]
    reply({ id, started: true })
    const result = await run(data, (output: string) => reply({ id, output }))
    reply({ id, result })
  } catch (error) {
    const guest = error instanceof GuestError ? { name: error.name, message: error.message, stack: error.guestStack } : undefined
    reply({ id, error: guest ? undefined : error, guest })
  }
})
