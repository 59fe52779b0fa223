import { createServer } from 'node:net'
import { CliError } from '../errors.ts'

/** Looks now whether a port on localhost can be had: the machine, which takes it, needs a while to start. 0 is any. @throws CliError */
export async function checkPort(port: number): Promise<void> {
  const server = createServer()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject).listen(port, '127.0.0.1', resolve)
  try {
    await promise
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const why = code === 'EADDRINUSE' ? 'is in use' : code === 'EACCES' ? 'may be opened by root only' : `cannot be opened: ${code}`
    throw new CliError(`port ${port} of localhost ${why}`, `--port ${port}`, 'choose another, or 0 for any that is free')
  } finally {
    server.close()
  }
}
