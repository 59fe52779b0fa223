import { createServer } from 'node:net'
import { RigError } from '@xen-ts/rig/xen'
import { CliError } from '../errors.ts'

/** Where the search begins when no port is asked for, and how many it tries. */
const FIRST = 8080
const TRIES = 100

/** Looks now whether a port on localhost can be had: the machine, which takes it, needs a while to start. 0 is any. @throws CliError */
export async function checkPort(port: number): Promise<void> {
  const code = await complaint(port)
  if (code === undefined) return
  const why = code === 'EADDRINUSE' ? 'is in use' : code === 'EACCES' ? 'may be opened by root only' : `cannot be opened: ${code}`
  throw new CliError(`port ${port} of localhost ${why}`, `--port ${port}`, 'choose another, or 0 for any that is free')
}

/** The code of the error that listening on a port gives, or undefined. */
async function complaint(port: number): Promise<string | undefined> {
  const server = createServer()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject).listen(port, '127.0.0.1', resolve)
  try {
    await promise
    return undefined
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'error'
  } finally {
    server.close()
  }
}

/** Where the program is reached. That it is not where one looks first is said, with the reason. */
export function describePort(port: number, asked: number | undefined, name: string): string {
  const leads = `http://localhost:${port}/ leads to port 80 of ${name}`
  return asked !== undefined || port === FIRST ? leads : `port ${FIRST} of localhost is in use: ${leads}`
}

/**
 * Forwards a port: the one that was asked for, else the first from 8080 on that is free, else any.
 * @param forward takes a port of localhost (0: any), and gives the one it took
 * @throws RigError of `forward`
 */
export async function forwardPort(forward: (port: number) => Promise<number>, asked: number | undefined, first = FIRST): Promise<number> {
  if (asked !== undefined) return forward(asked)
  for (let port = first; port < Math.min(first + TRIES, 65536); port++) {
    if ((await complaint(port)) !== undefined) continue
    try {
      return await forward(port)
    } catch (error) {
      // Another may have taken it since.
      if (!(error instanceof RigError)) throw error
    }
  }
  return forward(0)
}
