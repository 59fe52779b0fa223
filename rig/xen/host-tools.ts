import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { RigError } from './errors.ts'
import { type Log, run } from './run.ts'

/** Programs of the host that the rig calls, and the Debian package each comes from. */
const needed: [program: string, debianPackage: string][] = [
  ['qemu-system-x86_64', 'qemu-system-x86'],
  ['gcc', 'gcc'],
  ['readelf', 'binutils'],
  ['dpkg-deb', 'dpkg'],
  ['xz', 'xz-utils'],
  ['setpriv', 'util-linux'],
]

/**
 * Makes sure that the host has QEMU and a C compiler; installs what is missing with apt-get, and says so.
 * @param more further programs, each with the Debian package that it comes from
 */
export async function ensureHostTools(log: Log, more: [program: string, debianPackage: string][] = []): Promise<void> {
  const missing: string[] = []
  for (const [program, debianPackage] of [...needed, ...more]) {
    if (!(await isInstalled(program))) missing.push(debianPackage)
  }
  // gcc alone cannot link a program: the C library's headers are a package of their own.
  if (!(await exists('/usr/include/stdio.h'))) missing.push('libc6-dev')
  if (missing.length === 0) return

  const todo = `Install them: apt-get install --no-install-recommends ${missing.join(' ')}`
  if (!(await isInstalled('apt-get'))) throw new RigError(`The host lacks ${missing.join(', ')} and has no apt-get`, undefined, todo)
  log(`installing ${missing.join(', ')} with apt-get`)
  try {
    await aptGetAsRoot('update', '-qq')
    await aptGetAsRoot('install', '-y', '-qq', '--no-install-recommends', ...missing)
  } catch (cause) {
    throw new RigError(`The host lacks ${missing.join(', ')}, and apt-get could not install them`, (cause as Error).message, todo, {
      cause,
    })
  }
}

/** Runs apt-get as root, by sudo (without asking for a password) if need be. */
export async function aptGetAsRoot(...args: string[]): Promise<void> {
  if (process.getuid?.() === 0) await run('apt-get', args, { seconds: 900 })
  else if (await isInstalled('sudo')) await run('sudo', ['-n', 'apt-get', ...args], { seconds: 900 })
  else throw new RigError('apt-get needs root, and there is no sudo', `apt-get ${args.join(' ')}`)
}

async function isInstalled(program: string): Promise<boolean> {
  // Plain users often lack /usr/sbin in PATH, but may run what is there.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']
  for (const folder of folders) {
    if (await exists(join(folder, program), constants.X_OK)) return true
  }
  return false
}

async function exists(path: string, mode = constants.R_OK): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  )
}
