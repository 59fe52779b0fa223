/** qrexec from inside a qube: the client that comes with Qubes' agents carries the stream. */
import { spawn } from 'node:child_process'
import { CliError } from '../errors.ts'
import type { Service } from './conversation.ts'

const CLIENT = 'qrexec-client-vm'

/** What the client's own exit codes mean (qrexec-client-vm(1)): those of the service are passed on. */
const reasons: Record<number, string> = {
  126: 'dom0 refused the call: no line of its policy allows it',
  127: 'dom0 has no such service',
}

export interface RunningService extends Service {
  /** Ends the connection, whatever state it is in. */
  close(): void
}

/** Calls a service of dom0. Its errors are those of the stream. @throws CliError outside of Qubes */
export async function callDom0(service: string): Promise<RunningService> {
  const client = spawn(CLIENT, ['dom0', service], { stdio: ['pipe', 'pipe', 'inherit'] })
  client.stdin.on('error', () => {}) // `ended` tells
  const ended = new Promise<string>(resolve => {
    client.once('close', (code, signal) =>
      resolve(signal ? `${CLIENT} was ended by ${signal}` : (reasons[code ?? 0] ?? `${CLIENT} ended with ${code}`)),
    )
  })
  await new Promise<void>((resolve, reject) => {
    client.once('spawn', resolve)
    client.once('error', error =>
      reject(
        new CliError(
          `${CLIENT} cannot be started: ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is none' : error.message}`,
          undefined,
          'deploy works inside a qube of Qubes OS; xen-ts run boots images anywhere',
        ),
      ),
    )
  })
  return { output: client.stdout, input: client.stdin, ended, close: () => void client.kill() }
}
