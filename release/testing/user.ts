/** Somebody who has npm and Node, and nothing of this repository: who is not root, when the tests are. */
import { execFile } from 'node:child_process'
import { chownSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** Of nobody and nogroup. */
const NOBODY = 65534

export interface Answer {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export class User {
  /** Their home, which is all they may write to. */
  readonly home: string
  readonly #env: Record<string, string>
  readonly #isRoot = process.getuid?.() === 0

  /** @param env beside HOME, PATH and LANG */
  constructor(env: Record<string, string> = {}) {
    this.home = mkdtempSync(join(tmpdir(), 'xen-ts-user-'))
    if (this.#isRoot) chownSync(this.home, NOBODY, NOBODY)
    const kept = Object.entries(process.env).filter(([name]) => /^(https?|no)_proxy$|^NODE_EXTRA_CA_CERTS$/i.test(name))
    const path = [
      dirname(process.execPath),
      '/usr/local/bin',
      '/usr/bin',
      '/bin',
      '/usr/sbin',
      '/sbin',
      dirname(process.env.npm_execpath ?? '/'),
    ]
    this.#env = { ...(Object.fromEntries(kept) as Record<string, string>), HOME: this.home, PATH: path.join(':'), LANG: 'C.UTF-8', ...env }
  }

  /** A folder in their home. */
  folder(name: string): string {
    const path = join(this.home, name)
    mkdirSync(path, { recursive: true })
    if (this.#isRoot) chownSync(path, NOBODY, NOBODY)
    return path
  }

  /** Runs a command line of a shell there. */
  run(
    cwd: string,
    command: string,
    { umask = '022', env = {}, input = '' }: { umask?: string; env?: Record<string, string>; input?: string } = {},
  ): Promise<Answer> {
    const shell = ['sh', '-c', `umask ${umask}; ${command}`]
    const [program, ...args] = this.#isRoot ? ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', ...shell] : shell
    return new Promise(resolve => {
      const child = execFile(program, args, { cwd, env: { ...this.#env, ...env }, maxBuffer: 64 << 20 }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), stdout, stderr }),
      )
      child.stdin!.end(input)
    })
  }

  [Symbol.dispose](): void {
    rmSync(this.home, { recursive: true, force: true })
  }
}
