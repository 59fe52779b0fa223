/** For tests: tap devices in a network namespace of their own. */
import { execFileSync, spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'

/** Whether this user may make namespaces and tap devices. */
export function mayTap(): boolean {
  if (process.getuid?.() !== 0) return false
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK)
    return true
  } catch {
    return false
  }
}

export interface Namespace {
  /** Words before a command that is to run in it. */
  readonly within: readonly string[]
  /** Runs a command to its end. Gives what it wrote. */
  run(...words: readonly string[]): string
  /** With everything in it. */
  end(): void
}

/** @param script of a shell, for the devices in it */
export async function makeNamespace(script: string): Promise<Namespace> {
  const holder = spawn('unshare', ['-n', 'sh', '-ec', `ip link set lo up\n${script}\necho ready\nexec cat`], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let errors = ''
  holder.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  await new Promise((resolve, reject) => {
    holder.stdout.once('data', resolve)
    holder.once('close', () => reject(new Error(`the namespace could not be made: ${errors}`)))
  })
  const within = ['nsenter', '-t', `${holder.pid}`, '-n']
  return {
    within,
    run: (...words) => execFileSync(within[0], [...within.slice(1), ...words], { encoding: 'utf8' }),
    end: () => void holder.stdin.end(),
  }
}
