import { execFile } from 'node:child_process'
import { RigError } from './errors.ts'

/** Reports progress: one line, without a newline at its end. */
export type Log = (line: string) => void

/**
 * Runs a program of the host to its end and gives its standard output.
 * @param seconds hard time limit
 * @throws RigError with the end of what it printed, when it fails or takes too long
 */
export function run(program: string, args: string[], { cwd, seconds = 120 }: { cwd?: string; seconds?: number } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      cwd,
      timeout: seconds * 1000,
      maxBuffer: 64 << 20,
      env: { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
    }
    execFile(program, args, options, (error, stdout, stderr) => {
      if (!error) return resolve(stdout)
      const why = error.killed ? `took longer than ${seconds} s` : error.message.split('\n')[0]
      reject(
        new RigError(
          `${program} failed: ${why}`,
          `${stderr}\n${stdout}`.trim().split('\n').slice(-12).join('\n') || `${program} ${args.join(' ')}`,
          'Run the same command by hand to see more.',
        ),
      )
    })
  })
}

/** A Log that prints to standard error with the seconds since it was made. */
export function timedLog(): Log {
  const start = performance.now()
  return line => process.stderr.write(`[${((performance.now() - start) / 1000).toFixed(1).padStart(5)} s] ${line}\n`)
}
